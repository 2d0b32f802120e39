import { glob, readFile, readdir, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

import { Failures, InvalidInput, messageOf } from '../base/errors.ts';
import { closest } from '../base/similar.ts';
import type { Kustomize } from './kustomize.ts';
import { trimmed } from './lines.ts';
import { throwAll, type Manifest } from './manifest.ts';
import { manifestText } from './text.ts';
import { parseManifests } from './yaml.ts';

const extensions = /\.(?:ya?ml|json)$/i;
const kustomizations = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/**
 * The objects of all sources, in the order in which they are given: files, folders (recursive, by path, without hidden
 * files) and globs (by path). A file that is named twice is read once; it may lie anywhere, such as in RUNNER_TEMP. A folder
 * with a kustomization is built; the places of its objects are lines of what came out.
 * @param lines one source each, relative to `cwd` (the workspace)
 * @throws InvalidInput when a source holds nothing, saying what was found instead; Failures for several broken files
 */
export async function readSources(lines: readonly string[], cwd: string, kustomize: Kustomize): Promise<Manifest[]> {
  const files = new Set<string>();
  for (const source of trimmed(lines)) {
    for (const file of await filesOf(source, cwd)) files.add(file);
  }
  const manifests: Manifest[] = [];
  const problems: InvalidInput[] = [];
  for (const file of files) {
    try {
      const name = nameOf(file, cwd);
      manifests.push(
        ...(isKustomization(file)
          ? parseManifests(await kustomize(dirname(file), name), `${name} (as built)`)
          : parseManifests(await readText(file, cwd), name)),
      );
    } catch (error) {
      const found = error instanceof Failures ? error.all : [error];
      for (const problem of found) {
        if (!(problem instanceof InvalidInput)) throw problem;
        problems.push(problem);
      }
    }
  }
  throwAll(problems);
  if (manifests.length === 0) {
    const listed = [...files].map((file) => `"${nameOf(file, cwd)}"`).join(', ');
    throw new InvalidInput(`there are no Kubernetes objects in ${listed === '' ? 'the input "manifests"' : listed}`, {
      hint: 'Set the input "manifests" to files that hold some.',
    });
  }
  return manifests;
}

async function filesOf(source: string, cwd: string): Promise<string[]> {
  if (/^https?:\/\//i.test(source)) {
    throw new InvalidInput(`the input "manifests" names the URL "${source}", but manifests are read from files only`, {
      hint: 'Download it in a step before this one and name the file.',
    });
  }
  const path = resolve(cwd, source);
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() === true) return await filesOfFolder(path, source, cwd);
  // A file may have a bracket in its name: what exists is no pattern.
  if (found !== undefined) return [path];
  if (/[*?[{]/.test(source)) return await filesOfGlob(source, cwd);
  throw await missing(source, path, cwd);
}

async function filesOfGlob(pattern: string, cwd: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const name of glob(pattern, { cwd })) {
    const path = resolve(cwd, name);
    if (isHidden(relative(cwd, path)) && !isHidden(pattern)) continue;
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true && isManifestName(path)) paths.push(checked(path, pattern, cwd));
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

/** All files below the folder but hidden ones. Links to files count as files; links to folders, which may be endless, do not. */
async function walk(folder: string): Promise<string[]> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !name.startsWith('.'));
  const found = await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return await walk(path);
      const isFile = entry.isFile() || (entry.isSymbolicLink() && (await stat(path).catch(() => undefined))?.isFile());
      return isFile === true ? [path] : [];
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

async function missing(source: string, path: string, cwd: string): Promise<InvalidInput> {
  const pattern = path.search(/[*?[{]/);
  const parent = pattern === -1 ? dirname(path) : dirname(`${path.slice(0, pattern)}x`);
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

async function readText(path: string, cwd: string): Promise<string> {
  try {
    return manifestText(await readFile(path), nameOf(path, cwd));
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    throw new InvalidInput(`"${nameOf(path, cwd)}" cannot be read: ${messageOf(error)}`, {
      cause: error,
      location: { file: nameOf(path, cwd) },
      hint: 'Check its permissions.',
    });
  }
}

/** A path as annotations need it: relative to the workspace where it lies below it. */
function nameOf(path: string, cwd: string): string {
  const name = relative(cwd, path);
  if (name === '') return '.';
  return name.startsWith('..') || isAbsolute(name) ? path : name;
}
