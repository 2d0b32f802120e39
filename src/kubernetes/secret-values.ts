import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import { isPlain, isTelling, looksSecret, namesSecret } from '../base/telling.ts';

/** Where kubectl keeps what it has applied, values of Secrets included. */
const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/** The records of this action: compressed, and read by nobody else. */
const recordType = 'gke-rollout/record';

/** Its lines are names and numbers as well. */
const fieldsOfSecrets = ['data', 'stringData', 'binaryData'] as const;

/**
 * What must show nowhere of an object that is sent or read: all values of a Secret, whatever is wrong with them (a number, a list, a
 * text in place of the map), each line of longer ones by itself, as text and in base64; and of containers the variables and
 * arguments that are called or look like secrets. What the object shows anyway (names, images) is no secret.
 */
export function secretsOf(object: JsonObject): string[] {
  if (object['type'] === recordType) return [];
  const secret = isSecret(object) ? secretTexts(object).flatMap(partsOf).filter(isTelling) : [];
  const variables = variablesOf(object)
    .filter(({ name, value }) => (namesSecret(name) ? isTelling(value) : looksSecret(value)))
    .flatMap(({ value }) => partsOf(value).filter(isTelling));
  return withoutShown(object, [...secret, ...variables]);
}

/** What the server's words about an object must not repeat: of its variables also those that are no secret, but are no word either. */
export function valuesOf(object: JsonObject): string[] {
  if (object['type'] === recordType) return [];
  const variables = variablesOf(object).map(({ value }) => value);
  return [...secretsOf(object), ...withoutShown(object, variables).filter((value) => !isPlain(value))];
}

/** The objects of Kubernetes in something that is made of them, such as a record. */
export function objectsIn(value: Json | undefined): JsonObject[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  if (!isObject(value)) return [];
  if (typeof value['kind'] === 'string' && isObject(value['metadata'])) return [value];
  return Object.values(value).flatMap(objectsIn);
}

function isSecret({ kind, apiVersion }: JsonObject): boolean {
  return kind === 'Secret' && (apiVersion === 'v1' || apiVersion === undefined);
}

function secretTexts(object: JsonObject): string[] {
  const own = [
    ...scalarsIn(object['stringData']),
    ...[...scalarsIn(object['data']), ...scalarsIn(object['binaryData'])].flatMap((text) => [text, ...decoded(text)]),
  ];
  const applied = stringAt(object, 'metadata', 'annotations', lastApplied);
  const former = applied === undefined ? undefined : parsed(applied);
  return former === undefined ? own : [...own, ...secretTexts({ ...former, metadata: {} })];
}

function parsed(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function scalarsIn(value: Json | undefined): string[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(scalarsIn);
  return typeof value === 'object' ? Object.values(value).flatMap(scalarsIn) : [String(value)];
}

/** Nothing where the bytes are no text. */
function decoded(base64: string): string[] {
  try {
    const bytes = Buffer.from(base64, 'base64');
    return [new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)];
  } catch {
    return [];
  }
}

/** A text by its lines, and what settings, JSON and addresses in it hold by themselves. */
export function partsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const settings = lines.flatMap((line) => {
    const value = /^(?:export\s)?["']?[\w.-]{1,100}["']?\s?[:=]\s?(?<value>\S.*)$/.exec(line)?.groups?.['value'];
    return value === undefined || value.startsWith('//')
      ? []
      : [value.replace(/^["'](?<inner>.*?)["'],?$/, '$<inner>')];
  });
  const json = /^\s*[[{]/.test(text) ? scalarsIn(parsed(text)) : [];
  const password = /:\/\/[^/:@\s]{0,200}:(?<password>[^/@\s]{1,500})@/.exec(text)?.groups?.['password'] ?? '';
  return [...lines, ...settings, ...json.flatMap((value) => value.split(/\r?\n/)), password].filter(
    (part) => part !== '',
  );
}

interface Variable {
  name: string;
  value: string;
}

/** Variables of containers, wherever a kind has them, and arguments such as `--password=…`. */
function variablesOf(object: JsonObject): Variable[] {
  const found: Variable[] = [];
  const visit = (value: Json | undefined, key: string) => {
    if (Array.isArray(value)) {
      for (const item of value) {
        if (key === 'env' && isObject(item)) found.push(...variableOf(item));
        else if ((key === 'args' || key === 'command') && typeof item === 'string') found.push(...argumentOf(item));
        visit(item, '');
      }
    } else if (key === 'env' && isObject(value)) {
      // The map that people write who know Compose.
      for (const [name, inner] of Object.entries(value))
        found.push(...scalarsIn(inner).map((text) => ({ name, value: text })));
    } else if (isObject(value)) {
      for (const [name, inner] of Object.entries(value)) visit(inner, name);
    }
  };
  visit(object, '');
  return found;
}

function variableOf({ name, value }: JsonObject): Variable[] {
  const [head = '', ...rest] = (typeof name === 'string' ? name : '').split('=');
  // `- name: TOKEN=abc` is a mistake that has its value in its name.
  return [...scalarsIn(value), rest.join('=')]
    .filter((text) => text !== '')
    .map((text) => ({ name: head, value: text }));
}

function argumentOf(text: string): Variable[] {
  const { name, value } = /^--?(?<name>[\w.-]{1,100})=(?<value>.+)$/s.exec(text)?.groups ?? {};
  return name === undefined || value === undefined ? [] : [{ name, value }];
}

function withoutShown(object: JsonObject, values: readonly string[]): string[] {
  if (values.length === 0) return [];
  const shown = shownTexts(object);
  return [...new Set(values)].filter((value) => !shown.some((text) => text.includes(value)));
}

/** Names, namespaces, labels and images. */
function shownTexts(object: JsonObject): string[] {
  const { name, namespace, labels } = objectAt(object, 'metadata');
  const images: string[] = [];
  const visit = (value: Json | undefined) => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (isObject(value)) {
      if (typeof value['image'] === 'string') images.push(value['image']);
      for (const [key, inner] of Object.entries(value)) {
        if (!(fieldsOfSecrets as readonly string[]).includes(key) && key !== 'env') visit(inner);
      }
    }
  };
  visit(object);
  return [...scalarsIn(name), ...scalarsIn(namespace), ...scalarsIn(labels), ...images];
}
