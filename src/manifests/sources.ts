import { glob, readFile, readdir, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';

import { InvalidInput, messageOf } from '../base/errors.ts';
import type { Manifest } from './manifest.ts';
import { parseManifests } from './yaml.ts';

const extensions = /\.(?:ya?ml|json)$/;
const kustomizations = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/**
 * The objects of all sources, in the order in which they are given: files, folders (recursive, by path) and globs. A file
 * that is named twice is read once.
 * @throws InvalidInput when a source holds nothing, saying what was found instead
 */
export async function readSources(sources: readonly string[], cwd: string): Promise<Manifest[]> {
  const files = new Set<string>();
  for (const source of sources) for (const file of await filesOf(source, cwd)) files.add(file);
  const manifests: Manifest[] = [];
  for (const file of files) manifests.push(...parseManifests(await readText(file), nameOf(file, cwd)));
  if (manifests.length === 0) {
    const listed = [...files].map((file) => `"${nameOf(file, cwd)}"`).join(', ');
    throw new InvalidInput(`there are no Kubernetes objects in ${listed}`, {
      hint: 'Set the input "manifests" to files that hold some.',
    });
  }
  return manifests;
}

async function filesOf(source: string, cwd: string): Promise<string[]> {
  if (/^https?:\/\//.test(source)) {
    throw new InvalidInput(`"${source}" is a URL; manifests are read from files only`, {
      hint: 'Download it in a step before this one.',
    });
  }
  if (/[*?[{]/.test(source)) return await globbed(source, cwd);
  const path = resolve(cwd, source);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw await missing(source, path, cwd);
  return found.isDirectory() ? await folder(path, source) : [path];
}

async function globbed(pattern: string, cwd: string): Promise<string[]> {
  const files: string[] = [];
  for await (const name of glob(pattern, { cwd })) {
    const path = resolve(cwd, name);
    if (extensions.test(path) && (await stat(path)).isFile()) files.push(path);
  }
  if (files.length > 0) return files.sort();
  throw await missing(pattern, resolve(cwd, pattern), cwd);
}

async function folder(path: string, source: string): Promise<string[]> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const kustomization = entries.find((entry) => kustomizations.includes(entry.name));
  if (kustomization !== undefined) {
    const where = relative(path, join(kustomization.parentPath, kustomization.name));
    throw new InvalidInput(`"${source}" is a kustomize folder ("${where}"), which this version cannot build`, {
      hint: 'Run "kubectl kustomize" in a step before this one, and give its output as manifests.',
    });
  }
  const files = entries
    .filter((entry) => entry.isFile() && extensions.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter(
      (file) =>
        !relative(path, file)
          .split('/')
          .some((part) => part.startsWith('.')),
    )
    .sort();
  if (files.length === 0) {
    const names = entries.map((entry) => entry.name).slice(0, 5);
    throw new InvalidInput(
      `the folder "${source}" holds no .yaml, .yml or .json files; ${names.length === 0 ? 'it is empty' : `it has ${names.join(', ')}`}`,
      { hint: 'Set the input "manifests" to the folder that holds the manifests.' },
    );
  }
  return files;
}

async function missing(source: string, path: string, cwd: string): Promise<InvalidInput> {
  const parent = dirname(path.replace(/[*?[{].*$/, 'x'));
  const names = await readdir(parent).catch(() => undefined);
  const where = nameOf(parent, cwd);
  const found =
    names === undefined
      ? `there is no folder "${where}"`
      : `"${where}" has ${names.length === 0 ? 'no files' : names.sort().slice(0, 10).join(', ')}`;
  return new InvalidInput(`the input "manifests" names "${source}", which matches no file: ${found}`, {
    hint: 'Correct the path; it is relative to the workspace. Does a step before this one check out the repository?',
  });
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new InvalidInput(`cannot read "${path}": ${messageOf(error)}`, {
      cause: error,
      hint: 'See its permissions.',
    });
  }
}

/** A path as annotations need it: relative to the workspace where it lies below it. */
function nameOf(path: string, cwd: string): string {
  const name = relative(cwd, path);
  if (name === '') return '.';
  return name.startsWith('..') || isAbsolute(name) ? path : name;
}
