import { isObject, putOwn, type Json, type JsonObject, type Path } from './json.ts';
import { hideShapes } from './secret-shapes.ts';
import { isPlain, looksSecret, namesSecret, secretNames } from './telling.ts';

/** What stands in the place of a value that is not shown. */
const hidden = '***';

/** What is known of the place of a value. */
interface Around {
  /** What it is called, where that may say that it is secret. */
  name: string;
  /** It is a variable of a container: only words, numbers and versions are shown. */
  isVariable: boolean;
}

/**
 * A copy of a value with `***` in place of each text and number that is called like a secret or looks like one, at any depth: by
 * its key, by the name beside it (`name: TOKEN, value: …`), by the flag before it (`--token …`).
 * @param name what the value itself is called
 */
export function withoutSecrets(value: Json, name = ''): Json {
  return cleaned(value, { name, isVariable: name === 'env' });
}

function cleaned(value: Json, around: Around): Json {
  if (value === null || typeof value === 'boolean') return value;
  if (Array.isArray(value))
    return value.map((item, index) => (followsFlag(item, value[index - 1]) ? hidden : cleaned(item, around)));
  if (isObject(value)) {
    const result: JsonObject = {};
    for (const [key, inner] of Object.entries(value))
      if (inner !== undefined) putOwn(result, key, cleaned(inner, within(value, key, around)));
    return result;
  }
  const text = String(value);
  const isHidden = namesSecret(around.name) || tellsSecret(text) || (around.isVariable && !isPlain(text));
  return isHidden ? hidden : value;
}

function within(map: JsonObject, key: string, { name, isVariable }: Around): Around {
  const beside = map['name'];
  if (key === 'value' && typeof beside === 'string') return { name: beside, isVariable };
  const inner = map[key];
  const isVolume = key === 'secret' && isObject(inner) && Object.keys(inner).every((field) => inVolumes.has(field));
  if (isVolume || references.has(key) || (key === 'key' && companions.some((companion) => companion in map)))
    return { name: '', isVariable: false };
  // What is in something secret is secret, whatever it is called.
  return { name: namesSecret(name) ? name : key === 'name' ? '' : key, isVariable: key === 'env' };
}

/** Fields that say where a secret is, not what it is. */
const references = new Set([
  'secretRef',
  'secretKeyRef',
  'secretName',
  'imagePullSecret',
  'imagePullSecrets',
  'serviceAccountToken',
]);

/** What a `secret` has that is a volume, and holds none itself. */
const inVolumes = new Set(['secretName', 'items', 'defaultMode', 'optional']);

/** Lists whose entries have a name that says nothing of what is in them, other than those of variables and headers. */
const namedEntries = new Set(
  'containers initContainers volumes volumeMounts ports rules paths items imagePullSecrets subjects'.split(' '),
);

/** Whether what stands at a path of an object may be secret by the names on the way to it. Entries of lists stand in it by their keys. */
export function isSecretPlace(path: Path): boolean {
  const steps = path.map(String);
  return steps.some((step, index) => {
    if (!secretNames.test(step) || references.has(step) || namedEntries.has(steps[index - 1] ?? '')) return false;
    return !(step === 'secret' && inVolumes.has(steps[index + 1] ?? ''));
  });
}

/** What stands beside a `key` that is a name: of a taint, of a label, of an entry of a Secret. */
const companions = ['operator', 'effect', 'path', 'values', 'name', 'optional'];

function followsFlag(item: Json, before: Json | undefined): boolean {
  return typeof item === 'string' && typeof before === 'string' && /^--?[\w-]+$/.test(before) && namesSecret(before);
}

/** What is longer than a key is looked at so far. */
const longest = 10_000;

/** Whether a text of any form holds a secret: `--password=a`, `export TOKEN=a`, `https://user:a@host`, a key by itself. */
export function tellsSecret(text: string): boolean {
  if (looksSecret(text.slice(0, longest)) || hideShapes(text) !== text) return true;
  const assigned = [...text.matchAll(/(?<![\w.-])[\w.-]{1,80}(?=["']?[ \t]?[=:])/g)].map(([name]) => name);
  const flags = [...text.matchAll(/(?<![\w-])--[\w-]{1,80}(?=[ \t])/g)].map(([name]) => name);
  return [...assigned, ...flags].some((name) => namesSecret(name));
}
