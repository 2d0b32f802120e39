import { load } from 'js-yaml';

import { isObject, objectsAt, stringsAt, objectAt, type Json } from '../base/json.ts';
import { isBase64, kubeconfigText } from '../kubernetes/kubeconfig-text.ts';

/** Fields of a kubeconfig's user that are secret. */
const secretFields = ['token', 'password', 'client-key-data'];

/** Names of environment variables (of exec plugins) and settings (of auth providers) that hold secrets. */
const secretNames = /token|secret|password|passwd|private|credential|api-?_?key/i;

/**
 * What must never show in a log when a kubeconfig is given as text, or in base64. Not the text as a whole: the runner masks every line
 * of a secret by itself, and a line such as `users:` or `{` would then be *** wherever it occurs. For a path there is
 * nothing to mask.
 */
export function secretsOfKubeconfig(source: string): string[] {
  const text = kubeconfigText(source);
  // All of it, in base64, is as good as what is inside.
  const encoded = isBase64(source) ? source.split(/\s+/).filter(isMaskable) : [];
  return text === undefined ? encoded : [...encoded, ...secretsOfText(text)];
}

function secretsOfText(source: string): string[] {
  let config: Json | undefined;
  try {
    config = load(source) as Json | undefined;
  } catch {
    return unparsedSecrets(source);
  }
  const secrets = objectsAt(config, 'users').flatMap((entry) => {
    const user = objectAt(entry, 'user');
    const fields = stringsAt(user);
    const provider = stringsAt(user, 'auth-provider', 'config');
    const variables = objectsAt(user, 'exec', 'env').map((variable) => stringsAt(variable));
    return [
      ...secretFields.map((field) => fields[field]),
      ...Object.entries(provider).flatMap(([name, value]) => (secretNames.test(name) ? [value] : [])),
      ...variables.flatMap(({ name = '', value }) => (secretNames.test(name) ? [value] : [])),
    ].filter((secret) => secret !== undefined);
  });
  return unique(isObject(config) ? [...secrets, ...secrets.flatMap(decodedKey)] : unparsedSecrets(source));
}

/** A text that is no YAML is refused later on, but its secrets are secrets all the same. */
function unparsedSecrets(source: string): string[] {
  const matches = source.matchAll(/["']?(?:token|password|client-key-data)["']?\s*:\s*["']?([^\s"',}]+)/g);
  return unique([...matches].map((match) => match[1] ?? ''));
}

/** The lines of a private key, without the ones that every key has (`-----BEGIN …`). */
function decodedKey(secret: string): string[] {
  const text = Buffer.from(secret, 'base64').toString('utf8');
  if (!text.startsWith('-----BEGIN')) return [];
  return text.split(/\r?\n/).filter((line) => !line.startsWith('-----'));
}

function unique(secrets: readonly string[]): string[] {
  return [...new Set(secrets.flatMap((secret) => secret.split(/\r?\n/)).map((line) => line.trim()))].filter(isMaskable);
}

/** Masking something very short would hide ordinary words and make the runner drop outputs that contain it. */
export function isMaskable(line: string): boolean {
  return line.length >= 4;
}
