import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { loadAll } from 'js-yaml';

import { isObject, listAt, objectsAt, stringAt, type Json, type JsonObject } from '../../base/json.ts';
import { isTelling } from '../../base/telling.ts';
import { partsOf, secretsOf } from '../../kubernetes/secret-values.ts';
import { Budget, unshare } from './unshare.ts';

/** What one folder is read of, at most: enough for what people write by hand. */
const limits = {
  files: 200,
  bytes: 1_048_576,
  depth: 10,
  /** What aliases of one file may stand for. */
  expanded: { value: 4_194_304, unit: 'bytes', what: 'a file of a kustomization' },
} as const;

/**
 * The secrets in what a kustomization is built from, so that what the program says when it cannot be built can be shown: it quotes
 * literals of its generators and whole objects. What cannot be read is left out.
 */
export async function secretsOfKustomization(folder: string): Promise<string[]> {
  const found = new Set<string>();
  await visit(folder, found, new Set());
  return [...found];
}

async function visit(folder: string, found: Set<string>, seen: Set<string>): Promise<void> {
  if (seen.has(folder) || seen.size >= limits.depth) return;
  seen.add(folder);
  const names = await readdir(folder).catch(() => []);
  for (const name of names.slice(0, limits.files)) {
    const text = await textOf(join(folder, name));
    if (text === undefined || !/\.(?:ya?ml|json)$|^Kustomization$/.test(name)) continue;
    for (const document of documentsOf(text)) {
      for (const secret of secretsOf(document)) found.add(secret);
      for (const secret of await secretsOfGenerators(document, folder)) found.add(secret);
      for (const base of basesOf(document)) await visit(resolve(folder, base), found, seen);
    }
  }
}

async function secretsOfGenerators(kustomization: JsonObject, folder: string): Promise<string[]> {
  const texts: string[] = [];
  for (const generator of objectsAt(kustomization, 'secretGenerator')) {
    const literals = strings(generator, 'literals');
    texts.push(...literals, ...literals.map((literal) => literal.slice(literal.indexOf('=') + 1)));
    const sources = [...strings(generator, 'files'), ...strings(generator, 'envs'), stringAt(generator, 'env') ?? ''];
    for (const source of sources.filter((path) => path !== '')) {
      texts.push((await textOf(resolve(folder, source.slice(source.indexOf('=') + 1)))) ?? '');
    }
  }
  return texts.flatMap(partsOf).filter(isTelling);
}

/** Folders that a kustomization is built on. */
function basesOf(kustomization: JsonObject): string[] {
  return ['resources', 'bases', 'components']
    .flatMap((field) => strings(kustomization, field))
    .map((path) => (/\.(?:ya?ml|json)$/.test(path) ? dirname(path) : path));
}

function strings(object: JsonObject, field: string): string[] {
  return listAt(object, field).filter((value) => typeof value === 'string');
}

function documentsOf(text: string): JsonObject[] {
  try {
    const budget = new Budget(limits.expanded);
    return (loadAll(text) as Json[]).map((document) => unshare(document, budget)).filter(isObject);
  } catch {
    return [];
  }
}

/** Undefined for what is no file, and for what is too large to be one of these. */
async function textOf(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true || found.size > limits.bytes) return undefined;
  return await readFile(path, 'utf8').catch(() => undefined);
}
