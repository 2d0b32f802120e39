import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');

/** From the root of the repository. */
export const examplesFolder = 'examples/workflows';

/** The names of all examples. */
export const examples = readdirSync(join(root, examplesFolder)).sort();

/** All workflow files, ours and the examples, from the root of the repository. */
export const workflowFiles = ['.github/workflows', examplesFolder].flatMap((folder) =>
  readdirSync(join(root, folder))
    .sort()
    .map((file) => join(folder, file)),
);

export function exampleText(name: string): string {
  return readFileSync(join(root, examplesFolder, name), 'utf8');
}
