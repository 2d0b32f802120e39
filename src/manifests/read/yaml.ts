import { YAMLException, constructFromEvents, parseEvents } from 'js-yaml';

import { InvalidInput, messageOf, type Location } from '../../base/errors.ts';
import { at, isObject, stringAt, type Json, type JsonObject, type Path } from '../../base/json.ts';
import { limits } from '../../base/limits.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { lineIndex } from './line-index.ts';
import { throwAll, type Manifest, type Source } from '../manifest.ts';
import { positionAt, positionsOf, type Position } from './positions.ts';
import { kubectlSchema } from './scalars.ts';
import { Budget, unshare } from './unshare.ts';
import { kindOf, problemsOf } from './validate.ts';
import { withoutQuoted } from './yaml-reason.ts';
import { adviceOnTag } from './yaml-tags.ts';

/**
 * The objects of a file of YAML documents or JSON, with the meaning that kubectl gives it; but a key that stands twice in
 * a map is an error here. Lists are flattened; documents without content are skipped.
 * @param file how the user named the file, for messages and annotations
 * @param budget of all files that are read together
 * @throws InvalidInput with the line of what cannot be read as a Kubernetes object; Failures when that is several
 */
export function parseManifests(text: string, file: string, budget = new Budget(limits.expandedManifests)): Manifest[] {
  const problems: InvalidInput[] = [];
  const manifests: Manifest[] = [];
  for (const { value, source } of documentsOf(text, file, budget)) {
    for (const entry of entriesOf(value, source)) {
      try {
        if (isList(entry.value)) throw noItems(entry.value, entry.source);
        const manifest = { object: objectOf(entry.value, entry.source), source: entry.source };
        problems.push(...problemsOf(manifest));
        manifests.push(manifest);
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error;
        problems.push(error);
      }
    }
  }
  throwAll(problems);
  return manifests;
}

interface Entry {
  value: Json;
  source: Source;
}

function documentsOf(text: string, file: string, budget: Budget): Entry[] {
  try {
    const events = parseEvents(text, { filename: file });
    const documents = constructFromEvents(events, { source: text, filename: file, schema: kubectlSchema }) as Json[];
    const positions = positionsOf(events, text);
    const toLocation = locator(text, file);
    return documents.flatMap((document, index) => {
      const position = positions[index];
      if (document === null || position === undefined) return [];
      return [{ value: unshare(document, budget), source: sourceAt(position, toLocation) }];
    });
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    const reason = error instanceof YAMLException ? error.reason : messageOf(error);
    throw new InvalidInput(`"${file}" is not valid YAML: ${withoutQuoted(reason)}`, {
      cause: error,
      location: mark === undefined ? { file } : { file, line: mark.line + 1, column: mark.column + 1 },
      hint:
        adviceOnTag(reason) ??
        (text.includes('{{')
          ? 'It contains "{{": if it is a template, render it in an earlier step.'
          : 'Fix the file at this line.'),
    });
  }
}

/**
 * The document itself, or the items of a list, however deep lists are nested. A list whose items are none stays itself.
 * For no items, the server and its clients write `items: null` or nothing.
 */
function entriesOf(value: Json, source: Source): Entry[] {
  const items = isList(value) ? value['items'] : undefined;
  if (items === null || (isList(value) && Object.keys(value).every((key) => listFields.has(key)))) return [];
  if (!Array.isArray(items)) return [{ value, source }];
  return items.flatMap((item, index) => entriesOf(item, within(source, ['items', index])));
}

const listFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

function noItems(list: JsonObject, source: Source): InvalidInput {
  const items = list['items'];
  const what = `a ${stringAt(list, 'kind') ?? 'List'} in "${source.file}"`;
  return new InvalidInput(
    items === undefined ? `${what} has no items` : `items of ${what} must be a list, but is ${kindOf(items, false)}`,
    { location: source.locate(['items']), hint: 'List the objects below "items:", each after "- ".' },
  );
}

/** `kind: List` and its relatives. A custom resource may have such a name too, but then it has one of its own as well. */
function isList(value: Json): value is JsonObject {
  if (!isObject(value) || stringAt(value, 'metadata', 'name') !== undefined) return false;
  return (
    value['kind'] === 'List' || (stringAt(value, 'kind')?.endsWith('List') === true && Object.hasOwn(value, 'items'))
  );
}

function objectOf(value: Json, source: Source): KubernetesObject {
  if (!isObject(value)) {
    throw new InvalidInput(`"${source.file}" holds ${kindOf(value)} where a Kubernetes object is expected`, {
      location: source.locate([]),
      hint: 'Write a map with apiVersion, kind and metadata.',
    });
  }
  const kind = required(value, ['kind'], 'an object', source);
  const apiVersion = required(value, ['apiVersion'], `a ${kind}`, source);
  if (at(value, 'metadata', 'generateName') !== undefined && at(value, 'metadata', 'name') === undefined) {
    throw new InvalidInput(
      `a ${kind} in "${source.file}" has metadata.generateName instead of a name: each deploy would create another one`,
      { location: source.locate(['metadata', 'generateName']), hint: 'Give it a metadata.name.' },
    );
  }
  const name = required(value, ['metadata', 'name'], `a ${kind}`, source);
  const namespace = at(value, 'metadata', 'namespace');
  if (typeof namespace !== 'string' && namespace !== undefined && namespace !== null)
    required(value, ['metadata', 'namespace'], `a ${kind}`, source);
  return { ...value, apiVersion, kind, metadata: { ...(value['metadata'] as JsonObject), name } };
}

function required(value: JsonObject, path: string[], what: string, source: Source): string {
  const found = at(value, ...path);
  if (typeof found === 'string' && found !== '') return found;
  const field = path.join('.');
  const missing = found === undefined || found === null || found === '';
  throw new InvalidInput(
    missing
      ? `${what} in "${source.file}" has no ${field}`
      : `${field} of ${what} in "${source.file}" must be a string, but is ${kindOf(found, false)}`,
    { location: source.locate(path), hint: missing ? `Add ${field}.` : 'Put quotes around it.' },
  );
}

/** Turns offsets into lines and columns. */
function locator(text: string, file: string): (offset: number) => Location {
  const placeOf = lineIndex(text);
  return (offset) => ({ file, ...placeOf(offset) });
}

function sourceAt(root: Position, toLocation: (offset: number) => Location): Source {
  const locate = (path: Path) => toLocation(positionAt(root, path).offset);
  const { file, line = 1 } = locate([]);
  return { file, line, locate };
}

/** The source of an entry of a list. */
function within(source: Source, prefix: Path): Source {
  const locate = (path: Path) => source.locate([...prefix, ...path]);
  return { file: source.file, line: locate([]).line ?? source.line, locate };
}
