import { YAMLException, constructFromEvents, parseEvents } from 'js-yaml';

import { InvalidInput, messageOf, type Location } from '../base/errors.ts';
import { at, isObject, stringAt, type Json, type JsonObject, type Path } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest, Source } from './manifest.ts';
import { positionAt, positionsOf, type Position } from './positions.ts';
import { kubectlSchema } from './scalars.ts';

/**
 * The objects of a file of YAML documents or JSON, with the meaning that kubectl gives it. Lists are flattened; documents
 * without content are skipped.
 * @throws InvalidInput with the line of whatever cannot be read as a Kubernetes object
 */
export function parseManifests(text: string, file: string): Manifest[] {
  const { documents, positions } = parse(text, file);
  return documents.flatMap((document, index) => {
    const position = positions[index];
    if (document === null || document === undefined || position === undefined) return [];
    return objectsOf(document, sourceOf(text, file, position));
  });
}

function parse(text: string, file: string): { documents: (Json | undefined)[]; positions: (Position | undefined)[] } {
  try {
    const events = parseEvents(text, { filename: file });
    const documents = constructFromEvents(events, { source: text, filename: file, schema: kubectlSchema });
    return { documents: documents as (Json | undefined)[], positions: positionsOf(events, text) };
  } catch (error) {
    const mark = error instanceof YAMLException ? error.mark : undefined;
    throw new InvalidInput(
      `"${file}" is not valid YAML: ${error instanceof YAMLException ? error.reason : messageOf(error)}`,
      {
        cause: error,
        location: mark === undefined ? { file } : { file, line: mark.line + 1, column: mark.column + 1 },
        hint: 'Correct the file at this line.',
      },
    );
  }
}

function objectsOf(value: Json, source: Source): Manifest[] {
  if (!isObject(value)) {
    throw new InvalidInput(`a document of "${source.file}" is ${kindOfJson(value)}, not a Kubernetes object`, {
      location: source.locate([]),
      hint: 'Expected a map with apiVersion, kind and metadata.',
    });
  }
  const kind = required(value, ['kind'], source);
  if (kind.endsWith('List') && Array.isArray(value['items'])) {
    return value['items'].flatMap((item, index) => objectsOf(item, within(source, ['items', index])));
  }
  required(value, ['apiVersion'], source);
  if (stringAt(value, 'metadata', 'generateName') !== undefined) {
    throw new InvalidInput(
      `a ${kind} of "${source.file}" has metadata.generateName: each deploy would make another one`,
      {
        location: source.locate(['metadata', 'generateName']),
        hint: 'Give it a fixed metadata.name.',
      },
    );
  }
  required(value, ['metadata', 'name'], source);
  assertValues(value, [], source);
  return [{ object: value as KubernetesObject, source }];
}

function required(value: JsonObject, path: string[], source: Source): string {
  const found = stringAt(value, ...path);
  if (found !== undefined && found !== '') return found;
  const given = at(value, ...path);
  const name = path.join('.');
  throw new InvalidInput(
    given === undefined || given === null || given === ''
      ? `an object of "${source.file}" has no ${name}`
      : `${name} of an object of "${source.file}" is ${kindOfJson(given)}, not a string`,
    {
      location: source.locate(path),
      hint: given === undefined ? `Add ${name}.` : 'Put quotes around it.',
    },
  );
}

/** Labels and annotations must be strings, and numbers must survive: the server's own answer to both is cryptic. */
function assertValues(value: Json | undefined, path: (string | number)[], source: Source): void {
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new InvalidInput(`${path.join('.')} is no finite number`, {
      location: source.locate(path),
      hint: 'Put quotes around it.',
    });
  }
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new InvalidInput(`${path.join('.')} is a number with more digits than can be kept exactly`, {
      location: source.locate(path),
      hint: 'Put quotes around it.',
    });
  }
  const parent = path.at(-2);
  if ((parent === 'labels' || parent === 'annotations') && path.at(-3) === 'metadata' && typeof value !== 'string') {
    throw new InvalidInput(`${parent}."${String(path.at(-1))}" must be a string, but is ${kindOfJson(value)}`, {
      location: source.locate(path),
      hint: 'Put quotes around the value.',
    });
  }
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      assertValues(item, [...path, index], source);
    });
  } else if (isObject(value)) {
    for (const [key, inner] of Object.entries(value)) assertValues(inner, [...path, key], source);
  }
}

function kindOfJson(value: Json | undefined): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a map' : `the ${typeof value} ${String(value)}`;
}

function sourceOf(text: string, file: string, root: Position): Source {
  const locate = (path: Path): Location => {
    const { offset } = positionAt(root, path);
    const before = text.slice(0, offset);
    const line = before.split('\n').length;
    return { file, line, column: offset - before.lastIndexOf('\n') };
  };
  return { file, line: locate([]).line ?? 1, locate };
}

/** The source of an entry of a list. */
function within(source: Source, prefix: Path): Source {
  const locate = (path: Path) => source.locate([...prefix, ...path]);
  return { file: source.file, line: locate([]).line ?? source.line, locate };
}
