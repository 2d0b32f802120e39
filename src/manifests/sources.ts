import { glob, lstat, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import { readBoundedFile } from '../base/bounded-file.ts';
import { Failures, InvalidInput, messageOf } from '../base/errors.ts';
import { describeLimit, limits, sizeOf, type Limit } from '../base/limits.ts';
import { closest } from '../base/similar.ts';
import { assertInside, assertLinksInside, boundsOf, nameOf, type Bounds } from './inside.ts';
import type { Kustomize } from './kustomize.ts';
import { trimmed } from './lines.ts';
import { throwAll, type Manifest } from './manifest.ts';
import { manifestText } from './text.ts';
import { Budget } from './unshare.ts';
import { parseManifests } from './yaml.ts';

const extensions = /\.(?:ya?ml|json)$/i;
const kustomizations = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/**
 * The objects of all sources, in the order in which they are given: files, folders (recursive, by path, without hidden
 * files) and globs (by path). A file that is named twice is read once; it may lie anywhere, such as in RUNNER_TEMP, but no link
 * of the workspace may lead out of it. A folder with a kustomization is built; the places of its objects are lines of what came out.
 * @param lines one source each, relative to `cwd` (the workspace)
 * @throws InvalidInput when a source holds nothing, saying what was found instead; Failures for several broken files
 */
export async function readSources(lines: readonly string[], cwd: string, kustomize: Kustomize): Promise<Manifest[]> {
  const files = new Map<string, Bounds>();
  for (const source of trimmed(lines)) {
    const bounds = await boundsOf(source, cwd);
    for (const file of await filesOf(source, cwd)) files.set(file, files.get(file) ?? bounds);
  }
  assertWithin(files.size, limits.manifestFiles, `the input "manifests" names ${files.size} files`);
  const manifests: Manifest[] = [];
  const problems: InvalidInput[] = [];
  const budget = new Budget(limits.expandedManifests);
  let size = 0;
  for (const [file, bounds] of files) {
    try {
      const { text, name } = await textOf(file, bounds, kustomize);
      size += Buffer.byteLength(text);
      assertWithin(size, limits.manifestsInAll, `the manifests up to "${name}" have ${sizeOf(size)}`);
      for (const manifest of parseManifests(text, name, budget)) manifests.push(manifest);
    } catch (error) {
      const found = error instanceof Failures ? error.all : [error];
      for (const problem of found) {
        if (!(problem instanceof InvalidInput)) throw problem;
        problems.push(problem);
      }
    }
  }
  throwAll(problems);
  assertWithin(manifests.length, limits.objects, `the manifests hold ${manifests.length} objects`);
  if (manifests.length === 0) {
    const listed = [...files.keys()].map((file) => `"${nameOf(file, cwd)}"`).join(', ');
    throw new InvalidInput(`there are no Kubernetes objects in ${listed === '' ? 'the input "manifests"' : listed}`, {
      hint: 'Set the input "manifests" to files that hold some.',
    });
  }
  return manifests;
}

/** What a file holds, and how messages name it. */
async function textOf(file: string, bounds: Bounds, kustomize: Kustomize): Promise<{ text: string; name: string }> {
  const name = nameOf(file, bounds.cwd);
  await assertInside(file, bounds);
  if (!isKustomization(file)) return { text: readText(file, name), name };
  await assertLinksInside(dirname(file), bounds);
  return { text: await kustomize(dirname(file), name), name: `${name} (as built)` };
}

function assertWithin(count: number, limit: Limit, what: string): void {
  if (count <= limit.value) return;
  throw new InvalidInput(`${what}: ${describeLimit(limit)}`, {
    hint: 'Name the folders and files that are meant more closely, or deploy them as several releases.',
  });
}

async function filesOf(source: string, cwd: string): Promise<string[]> {
  if (/^https?:\/\//i.test(source)) {
    throw new InvalidInput(`the input "manifests" names the URL "${source}", but manifests are read from files only`, {
      hint: 'Download it in a step before this one and name the file.',
    });
  }
  const path = resolve(cwd, source);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) {
    await assertInside(path, await boundsOf(source, cwd));
    return await filesOfFolder(path, source, cwd);
  }
  // A file may have a bracket in its name: what exists is no pattern.
  if (found !== undefined) return [path];
  if (/[*?[{]/.test(source)) return await filesOfGlob(source, cwd);
  throw await missing(source, path, cwd);
}

async function filesOfGlob(pattern: string, cwd: string): Promise<string[]> {
  const paths: string[] = [];
  assertWithin(
    alternativesOf(pattern),
    limits.patternAlternatives,
    `the pattern "${pattern.slice(0, 100)}" is too wide`,
  );
  let seen = 0;
  for await (const name of glob(pattern, { cwd })) {
    seen += 1;
    assertWithin(seen, limits.filesLookedAt, `the pattern "${pattern}" matches too much`);
    const path = resolve(cwd, name);
    if (isHidden(relative(cwd, path)) && !isHidden(pattern)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined && !found.isDirectory() && isManifestName(path)) paths.push(checked(path, pattern, cwd));
    if (found?.isDirectory() !== true) continue;
    // `apps/*` may mean the folders in apps; those without manifests are not worth a complaint.
    paths.push(...(await walk(path)).filter(isManifestName).map((file) => checked(file, pattern, cwd)));
  }
  if (paths.length > 0) return paths.sort();
  throw await missing(pattern, resolve(cwd, pattern), cwd);
}

async function filesOfFolder(path: string, source: string, cwd: string): Promise<string[]> {
  const all = await walk(path);
  const own = all.find((file) => isKustomization(file) && dirname(file) === path);
  if (own !== undefined) return [own];
  const files = all.filter(isManifestName).map((file) => checked(file, source, cwd));
  if (files.length > 0) return files.sort();
  const found = all.length === 0 ? 'it has no files' : `it has ${firstOf(all.map((file) => relative(path, file)))}`;
  throw new InvalidInput(`the folder "${source}" holds no .yaml, .yml or .json files: ${found}`, {
    hint: 'Set the input "manifests" to the folder that holds the manifests.',
  });
}

/** All below the folder but what is hidden, and links that lead nowhere or to folders, which may be endless. */
async function walk(folder: string, counter = { seen: 0 }): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  counter.seen += entries.length;
  assertWithin(
    counter.seen,
    limits.filesLookedAt,
    `the folder "${basename(folder)}" and those beside it hold too much`,
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

/** Among other files, a kustomization may be meant to be built, or to be the base of another one that is. */
function checked(path: string, source: string, cwd: string): string {
  if (!isKustomization(path)) return path;
  throw new InvalidInput(`"${source}" holds "${nameOf(path, cwd)}", and it does not say whether that is to be built`, {
    hint: `Name the folder itself ("${nameOf(dirname(path), cwd)}") in the input "manifests", and leave out what it is built from.`,
  });
}

function isKustomization(path: string): boolean {
  return kustomizations.has(basename(path));
}

/** A Kustomization without extension is let through, to be complained about. */
function isManifestName(path: string): boolean {
  return extensions.test(path) || isKustomization(path);
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

async function missing(source: string, path: string, cwd: string): Promise<InvalidInput> {
  const link = await lstat(path).catch(() => undefined);
  if (link?.isSymbolicLink() === true) {
    return new InvalidInput(`the input "manifests" names "${source}", a symbolic link that leads nowhere`, {
      hint: 'Correct the link, or name the file that it should lead to.',
    });
  }
  const pattern = path.search(/[*?[{]/);
  const parent = pattern === -1 ? dirname(path) : dirname(`${path.slice(0, pattern)}x`);
  await assertInside(parent, await boundsOf(source, cwd));
  const names = await readdir(parent).catch(() => undefined);
  const where = nameOf(parent, cwd);
  const found =
    names === undefined
      ? `there is no folder "${where}"`
      : `"${where}" has ${names.length === 0 ? 'no files' : firstOf(names)}`;
  const meant = pattern === -1 ? closest(basename(path), names ?? []) : undefined;
  return new InvalidInput(`the input "manifests" names "${source}", which matches no file: ${found}`, {
    hint:
      meant === undefined
        ? 'Correct the path, which is relative to the workspace, and see that a step before this one checks the repository out.'
        : `Did you mean "${nameOf(join(parent, meant), cwd)}"?`,
  });
}

function firstOf(names: readonly string[]): string {
  const most = 10;
  const sorted = [...names].sort();
  const more = sorted.length > most ? ` and ${sorted.length - most} more` : '';
  return `${sorted.slice(0, most).join(', ')}${more}`;
}

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
