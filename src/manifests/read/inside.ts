import { readdir, realpath, stat } from 'node:fs/promises';
import platformPath, { dirname, join, relative, resolve, type PlatformPath } from 'node:path';

import { InvalidInput } from '../../base/errors.ts';

/**
 * Symbolic links come with the repository, whoever wrote it: one that leads out of the workspace would bring what lies on the
 * runner into the cluster, or into a message. What an input names outside of the workspace is meant; links there must stay in the
 * folder that is named.
 */
export interface Bounds {
  /** The workspace. */
  cwd: string;
  /** The folder that links may not leave. */
  root: string;
}

/** @param source as the input has it: a file, a folder or a pattern */
export async function boundsOf(source: string, cwd: string): Promise<Bounds> {
  const path = resolve(cwd, source);
  if (isInside(cwd, path)) return { cwd, root: cwd };
  const pattern = path.search(/[*?[{]/);
  if (pattern !== -1) return { cwd, root: dirname(`${path.slice(0, pattern)}x`) };
  const found = await stat(path).catch(() => undefined);
  return { cwd, root: found?.isDirectory() === true ? path : dirname(path) };
}

/** @throws InvalidInput when links on the way to the file lead out of its bounds; what is there is not read */
export async function assertInside(path: string, { cwd, root }: Bounds): Promise<void> {
  const [realRoot, real] = await Promise.all([root, path].map((each) => realpath(each).catch(() => undefined)));
  // What is not there is told of by whoever reads it.
  if (realRoot === undefined || real === undefined || isInside(realRoot, real)) return;
  const name = nameOf(path, cwd);
  const where = root === cwd ? 'the workspace' : `"${nameOf(root, cwd)}"`;
  // A workspace may itself be reached by a link.
  const target = relative(realRoot, real);
  throw new InvalidInput(`"${name}" points outside ${where} through a symbolic link, to "${target}"`, {
    location: { file: name },
    hint: 'Replace it with a copy in an earlier step: links are followed inside the workspace only.',
  });
}

/** The same for every link below a folder, which somebody else is going to read. */
export async function assertLinksInside(folder: string, bounds: Bounds): Promise<void> {
  await assertInside(folder, bounds);
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) await assertInside(path, bounds);
    if (entry.isDirectory()) await assertLinksInside(path, bounds);
  }
}

/** A path as annotations need it: relative to the workspace where it lies below it, with slashes on Windows too. */
export function nameOf(path: string, cwd: string, paths = platformPath): string {
  const name = paths.relative(cwd, path);
  if (name === '') return '.';
  return (isInside(cwd, path, paths) ? name : path).replaceAll(paths.sep, '/');
}

function isInside(folder: string, path: string, paths: PlatformPath = platformPath): boolean {
  const name = paths.relative(folder, path);
  return name !== '..' && !name.startsWith(`..${paths.sep}`) && !paths.isAbsolute(name);
}

/** Of a path that somebody has written with backslashes, on a runner where they separate nothing: the one that is there. */
export async function withSlashes(path: string, cwd: string): Promise<string | undefined> {
  const slashed = path.replaceAll('\\', '/');
  if (slashed === path) return undefined;
  return (await stat(resolve(cwd, slashed)).catch(() => undefined)) === undefined ? undefined : slashed;
}
