/**
 * Cuts what the action asks of GitHub out of GitHub's own description of its API, for the loopback GitHub of the tests.
 * The package is no dependency (404 MB unpacked): `npm pack @octokit/openapi`, unpack, then
 * `node script/reference/github-description.ts path/to/package`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../../src/base/json.ts';

const target = join(import.meta.dirname, '../../test/support/github/description');

const operations = new Set([
  'git/get-ref',
  'issues/create-comment',
  'issues/delete-comment',
  'issues/get-comment',
  'issues/list-comments',
  'issues/update-comment',
  'pulls/get',
  'pulls/list',
  'repos/create-deployment',
  'repos/create-deployment-status',
  'repos/delete-deployment',
  'repos/get',
  'repos/get-branch',
  'repos/get-commit',
  'repos/get-deployment',
  'repos/get-deployment-status',
  'repos/list-deployment-statuses',
  'repos/list-deployments',
  'repos/list-pull-requests-associated-with-commit',
]);

/** Explanations and samples, which nothing here is checked against. */
const leftOut = new Set(['description', 'example', 'examples', 'externalDocs', 'summary', 'tags', 'x-github']);

function cutOut(folder: string, name: string): void {
  const whole = read(join(folder, 'generated', `${name}.json`));
  const paths: JsonObject = {};
  for (const [path, item] of Object.entries(objectAt(whole, 'paths'))) {
    const kept = Object.entries(isObject(item) ? item : {}).filter(
      ([, operation]) => isObject(operation) && operations.has(stringAt(operation, 'operationId') ?? ''),
    );
    if (kept.length > 0) paths[path] = plain(Object.fromEntries(kept));
  }
  const found = Object.values(paths).flatMap((item) => Object.values(item as JsonObject)).length;
  if (found !== operations.size) throw new Error(`${name}: ${found} of ${operations.size} operations found`);
  const components: Record<string, JsonObject> = {};
  gather(paths, whole, components);
  const manifest = read(join(folder, 'package.json'));
  const source = {
    package: stringAt(manifest, 'name') ?? '',
    version: stringAt(manifest, 'version') ?? '',
    license: readFileSync(join(folder, 'LICENSE'), 'utf8').trim(),
    madeBy: 'script/reference/github-description.ts',
  };
  writeFileSync(join(target, `${name}.json`), written(source, paths, components));
}

/** Whatever `node` refers to, and what that refers to in turn. */
function gather(node: Json | undefined, whole: JsonObject, into: Record<string, JsonObject>): void {
  if (Array.isArray(node)) {
    for (const item of node) gather(item, whole, into);
  } else if (isObject(node)) {
    const [, section, name] = /^#\/components\/([^/]+)\/([^/]+)$/.exec(stringAt(node, '$ref') ?? '') ?? [];
    if (section !== undefined && name !== undefined && into[section]?.[name] === undefined) {
      const found = plain(objectAt(whole, 'components', section, name));
      (into[section] ??= {})[name] = found;
      gather(found, whole, into);
    }
    for (const value of Object.values(node)) gather(value, whole, into);
  }
}

/** Without explanations; a property that is called like one of them stays. */
function plain(node: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => !leftOut.has(key))
      .map(([key, value]) => [key, key === 'properties' ? eachPlain(value) : plainValue(value)]),
  );
}

function eachPlain(properties: Json | undefined): JsonObject {
  const named = isObject(properties) ? Object.entries(properties) : [];
  return Object.fromEntries(named.map(([key, value]) => [key, plainValue(value)]));
}

function plainValue(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map(plainValue);
  return isObject(value) ? plain(value) : (value ?? null);
}

/** A line for each operation and each schema, so that a newer description shows what it changes. */
function written(source: JsonObject, paths: JsonObject, components: Record<string, JsonObject>): string {
  const sections = Object.keys(components).sort();
  return [
    '{',
    `"source": ${JSON.stringify(source)},`,
    '"paths": {',
    lines(paths),
    '},',
    '"components": {',
    sections.map((name) => `${JSON.stringify(name)}: {\n${lines(components[name] ?? {})}\n}`).join(',\n'),
    '}',
    '}',
    '',
  ].join('\n');
}

function lines(map: JsonObject): string {
  return Object.keys(map)
    .sort()
    .map((key) => `${JSON.stringify(key)}: ${JSON.stringify(map[key])}`)
    .join(',\n');
}

function read(path: string): JsonObject {
  return JSON.parse(readFileSync(path, 'utf8')) as JsonObject;
}

const [folder] = process.argv.slice(2);
if (folder === undefined)
  throw new Error('usage: node script/reference/github-description.ts FOLDER_OF_OCTOKIT_OPENAPI');
for (const name of ['api.github.com', 'ghes-3.17']) cutOut(folder, name);
