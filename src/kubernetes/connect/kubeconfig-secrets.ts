import { listAt, objectAt, objectsAt, stringAt, stringsAt, type JsonObject } from '../../base/json.ts';
import { isMaskable, namesSecret } from '../../base/telling.ts';
import { decodedUrl } from '../../http/address.ts';

/** Fields of a user that are secret. */
const secretFields = ['token', 'password', 'client-key-data'];

/** What stands in a kubeconfig's user that must not show: also in its plugin's variables and arguments, and in its auth provider. */
export function secretsOfUser(user: JsonObject): string[] {
  const fields = stringsAt(user);
  const provider = Object.entries(stringsAt(user, 'auth-provider', 'config'));
  const variables = objectsAt(user, 'exec', 'env').map((variable) => stringsAt(variable));
  const found = [
    ...secretFields.flatMap((field) => fields[field] ?? []),
    ...provider.flatMap(([name, value]) => (namesSecret(name) ? [value] : [])),
    ...variables.flatMap(({ name = '', value }) => (namesSecret(name) ? (value ?? []) : [])),
    ...secretArguments(listAt(user, 'exec', 'args').filter((arg) => typeof arg === 'string')),
  ];
  return linesOf([...found, ...found.flatMap(decodedKey)]);
}

/** The user and password in the addresses of a cluster. */
export function secretsOfCluster(cluster: JsonObject): string[] {
  return linesOf(['server', 'proxy-url'].flatMap((field) => passwordIn(stringAt(cluster, field) ?? '')));
}

/** The password of a URL, as it is written and as it is meant; and the user before it, for tokens stand there too. */
export function passwordIn(url: string): string[] {
  const { before } = /^(?:[a-z][\w+.-]*:\/\/)?(?<before>[^/?#]*)@/i.exec(url)?.groups ?? {};
  if (before === undefined) return [];
  const [user = '', ...rest] = before.split(':');
  const password = rest.join(':');
  return (password === '' ? [user] : [password, before]).flatMap((part) => [part, decodedUrl(part)]);
}

/** What is secret in all users and clusters of a kubeconfig. */
export function secretsOfConfig(config: JsonObject): string[] {
  return [
    ...objectsAt(config, 'users').flatMap((entry) => secretsOfUser(objectAt(entry, 'user'))),
    ...objectsAt(config, 'clusters').flatMap((entry) => secretsOfCluster(objectAt(entry, 'cluster'))),
  ];
}

/** `--token=x`, and `--token` with what follows. */
function secretArguments(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const { name = '', value } = /^--?(?<name>[\w-]{1,100})(?:=(?<value>.*))?$/s.exec(arg)?.groups ?? {};
    if (!namesSecret(name)) return [];
    const next = args[index + 1] ?? '';
    return value ?? (next.startsWith('-') ? [] : next);
  });
}

/** The lines of a private key, without the ones that every key has (`-----BEGIN …`). */
function decodedKey(secret: string): string[] {
  const text = Buffer.from(secret, 'base64').toString('utf8');
  return text.startsWith('-----BEGIN') ? text.split(/\r?\n/) : [];
}

function linesOf(secrets: readonly string[]): string[] {
  const lines = secrets.flatMap((secret) => secret.split(/\r?\n/)).map((line) => line.trim());
  return [...new Set(lines)].filter((line) => isMaskable(line) && !line.startsWith('-----'));
}
