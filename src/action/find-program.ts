import { accessSync, constants } from 'node:fs';
import { join, posix, win32 } from 'node:path';

import type { Environment } from '../google/hosts.ts';

/** Where on `PATH` a program is, as a path; undefined when it is not there. On Windows its file ends with `.exe`. */
export function findProgram(name: string, env: Environment, platform = process.platform): string | undefined {
  const [delimiter, file] = platform === 'win32' ? [win32.delimiter, `${name}.exe`] : [posix.delimiter, name];
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, file))
    .find((path) => {
      try {
        // Windows has no such mode: there it only says that the file is there.
        accessSync(path, platform === 'win32' ? constants.F_OK : constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
