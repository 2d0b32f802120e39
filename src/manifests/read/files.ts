import { readBoundedFile } from '../../base/bounded-file.ts';
import { InvalidInput, messageOf } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { ManifestSource } from './source.ts';
import { manifestText } from './text.ts';

const extensions = /\.(?:ya?ml|json)$/i;

/** Files that hold the objects as they are. One that is named itself may be called anything. */
export const plainFiles: ManifestSource = {
  matches: (file) => extensions.test(file),
  isWholeFolder: false,
  read: ({ path, name }) => ({ text: readText(path, name), name }),
};

function readText(path: string, name: string): string {
  try {
    return manifestText(readBoundedFile(path, `"${name}"`, limits.manifestFile), name);
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    throw new InvalidInput(`"${name}" cannot be read: ${messageOf(error)}`, {
      cause: error,
      location: { file: name },
      hint: 'Check its permissions.',
    });
  }
}
