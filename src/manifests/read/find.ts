import { glob, lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import { InvalidInput } from '../../base/errors.ts';
import { describeLimit, limits, type Limit } from '../../base/limits.ts';
import { closest } from '../../base/similar.ts';
import { assertInside, boundsOf, nameOf, withSlashes } from './inside.ts';
import type { ManifestSource } from './source.ts';

/** @throws InvalidInput when there is more of something than is read */
export function assertWithin(count: number, limit: Limit, what: string): void {
  if (count <= limit.value) return;
  throw new InvalidInput(`${what}: ${describeLimit(limit)}`, {
    hint: 'Narrow down the folders and files, or deploy them as several releases.',
  });
}

/**
 * The files that a line of the input `manifests` names, as absolute paths: a file, a folder (by path) or a pattern (by path).
 * @throws InvalidInput when it names none, saying what was found instead
 */
export async function filesOf(line: string, cwd: string, sources: readonly ManifestSource[]): Promise<string[]> {
  if (/^https?:\/\//i.test(line)) {
    throw new InvalidInput(`the input "manifests" names the URL "${line}", but manifests can only be read from files`, {
      hint: 'Download it in an earlier step and use the file.',
    });
  }
  const path = resolve(cwd, line);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) {
    await assertInside(path, await boundsOf(line, cwd));
    return await filesOfFolder(path, line, cwd, sources);
  }
  // A file may have a bracket in its name: what exists is no pattern.
  if (found !== undefined) return [path];
  if (/[*?[{]/.test(line)) return await filesOfGlob(line, cwd, sources);
  throw await missing(line, path, cwd);
}

async function filesOfGlob(pattern: string, cwd: string, sources: readonly ManifestSource[]): Promise<string[]> {
  const isManifest = (file: string) => sources.some((source) => source.matches(file));
  const paths: string[] = [];
  assertWithin(
    alternativesOf(pattern),
    limits.patternAlternatives,
    `the pattern "${pattern.slice(0, 100)}" is too broad`,
  );
  let seen = 0;
  for await (const name of glob(pattern, { cwd })) {
    seen += 1;
    assertWithin(seen, limits.filesLookedAt, `the pattern "${pattern}" matches too many files`);
    const path = resolve(cwd, name);
    if (isHidden(relative(cwd, path)) && !isHidden(pattern)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && !found.isDirectory() && isManifest(path))
      paths.push(checked(path, pattern, cwd, sources));
    if (found?.isDirectory() !== true) continue;
    // `apps/*` may mean the folders in apps; those without manifests are not worth a complaint.
    paths.push(...(await walk(path)).filter(isManifest).map((file) => checked(file, pattern, cwd, sources)));
  }
  if (paths.length > 0) return paths.sort();
  throw await missing(pattern, resolve(cwd, pattern), cwd);
}

async function filesOfFolder(
  path: string,
  line: string,
  cwd: string,
  sources: readonly ManifestSource[],
): Promise<string[]> {
  const all = await walk(path);
  const own = all.find((file) => dirname(file) === path && standsForFolder(file, sources));
  if (own !== undefined) return [own];
  const files = all
    .filter((file) => sources.some((source) => source.matches(file)))
    .map((file) => checked(file, line, cwd, sources));
  if (files.length > 0) return files.sort();
  const found = all.length === 0 ? 'it has no files' : `it has ${firstOf(all.map((file) => relative(path, file)))}`;
  throw new InvalidInput(`the folder "${line}" has no .yaml, .yml or .json files: ${found}`, {
    hint: 'Set the input "manifests" to the folder that has the manifests.',
  });
}

/** All below the folder but what is hidden, and links that lead nowhere or to folders, which may be endless. */
async function walk(folder: string, counter = { seen: 0 }): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  counter.seen += entries.length;
  assertWithin(
    counter.seen,
    limits.filesLookedAt,
    `the folder "${basename(folder)}" and those beside it have too many files`,
  );
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return await walk(path, counter);
      if (!entry.isSymbolicLink()) return [path];
      const target = await stat(path).catch(() => undefined);
      return target === undefined || target.isDirectory() ? [] : [path];
    }),
  );
  return found.flat();
}

/** Among other files, a folder of these may be meant to be built, or to be the base of another one that is. */
function checked(path: string, line: string, cwd: string, sources: readonly ManifestSource[]): string {
  if (!standsForFolder(path, sources)) return path;
  throw new InvalidInput(`"${line}" holds "${nameOf(path, cwd)}", and it is not clear whether to build it`, {
    hint: `Use the folder itself ("${nameOf(dirname(path), cwd)}") in the input "manifests", and leave out the files it is built from.`,
  });
}

function standsForFolder(path: string, sources: readonly ManifestSource[]): boolean {
  return sources.some((source) => source.isWholeFolder && source.matches(path));
}

function isHidden(path: string): boolean {
  return path.split(sep).some((part) => part.startsWith('.') && part !== '.' && part !== '..');
}

/** How many patterns one with braces stands for: `{a,b}/{1..9}.yaml` for 18. */
function alternativesOf(pattern: string): number {
  const groups = [...pattern.matchAll(/\{(?<inner>[^{}]*)\}/g)].map(({ groups: found }) => found?.['inner'] ?? '');
  const nested = pattern.split('{').length - 1 - groups.length;
  const counts = groups.map((inner) => {
    const [from, to] = inner.split('..').map(Number);
    return inner.includes('..') ? Math.abs((to ?? 0) - (from ?? 0)) || 26 : inner.split(',').length;
  });
  return counts.reduce((product, count) => product * count, 2 ** nested);
}

async function missing(line: string, path: string, cwd: string): Promise<InvalidInput> {
  const link = await lstat(path).catch(() => undefined);
  if (link?.isSymbolicLink() === true) {
    return new InvalidInput(`the input "manifests" names "${line}", a broken symbolic link`, {
      hint: 'Fix the link, or use the file it should point to.',
    });
  }
  const pattern = path.search(/[*?[{]/);
  const parent = pattern === -1 ? dirname(path) : dirname(`${path.slice(0, pattern)}x`);
  await assertInside(parent, await boundsOf(line, cwd));
  const names = await readdir(parent).catch(() => undefined);
  const where = nameOf(parent, cwd);
  const found =
    names === undefined
      ? `there is no folder "${where}"`
      : `"${where}" has ${names.length === 0 ? 'no files' : firstOf(names)}`;
  const near = pattern === -1 ? closest(basename(path), names ?? []) : undefined;
  const meant = (await withSlashes(line, cwd)) ?? (near === undefined ? undefined : nameOf(join(parent, near), cwd));
  return new InvalidInput(`the input "manifests" names "${line}", which matches no file: ${found}`, {
    hint:
      meant === undefined
        ? 'Fix the path (relative to the workspace), and make sure an earlier step checks out the repository.'
        : `Did you mean "${meant}"?`,
  });
}

function firstOf(names: readonly string[]): string {
  const most = 10;
  const sorted = [...names].sort();
  const more = sorted.length > most ? ` and ${sorted.length - most} more` : '';
  return `${sorted.slice(0, most).join(', ')}${more}`;
}
