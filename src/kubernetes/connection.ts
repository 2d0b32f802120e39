import { homedir } from 'node:os';
import { join } from 'node:path';

import { systemClock, type Clock } from '../base/clock.ts';
import { readBoundedFile } from '../base/bounded-file.ts';
import { InvalidInput } from '../base/errors.ts';
import { booleanAt, isObject, listAt, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { decodedUrl } from '../http/address.ts';
import { askAuthProvider } from './connect/auth-provider.ts';
import { open, type Connection, type Credentials } from './connect/endpoint.ts';
import { shownUrl } from '../base/shown-url.ts';
import { askExecPlugin } from './connect/exec-plugin.ts';
import { causeOf } from './connect/file-error.ts';
import { passwordIn, secretsOfCluster, secretsOfUser } from './connect/kubeconfig-secrets.ts';
import { isPath } from './connect/kubeconfig-text.ts';
import { chooseContext, readKubeconfig, type Kubeconfig } from './connect/kubeconfig.ts';

export type { Connection } from './connect/endpoint.ts';

export interface ConnectOptions {
  /** A path, several paths, or the text of a kubeconfig; by default what `KUBECONFIG` says, then `~/.kube/config`. */
  kubeconfig?: string;
  context?: string;
  /** What relative paths are relative to. */
  cwd: string;
  /** `KUBECONFIG`, `HTTPS_PROXY`, `NO_PROXY` and the like; credential plugins get all of it. */
  env: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
  /** Ends what is started to get credentials. */
  signal?: AbortSignal;
  /** Called with each token and password before it is used, so that it can be masked. */
  onSecret?: (secret: string) => void;
}

/** Token files and auth providers are looked at again after this long, as client-go does. */
const fileLifetimeMs = 60_000;

/** What has taken the place of auth providers that started programs, which nothing would end. */
const successors = new Map([
  ['gcp', 'gke-gcloud-auth-plugin'],
  ['azure', 'kubelogin'],
]);

/** @throws InvalidInput when the kubeconfig cannot be used; credentials are asked for here, the server is not. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const clock = options.clock ?? systemClock;
  const config = readKubeconfig(options.kubeconfig ?? defaultKubeconfig(options.env), options.cwd);
  const context = chooseContext(config, options.context);
  const entry = objectsAt(config.contexts).find((candidate) => candidate['name'] === context);
  const { cluster, user } = partsOf(config, context, entry);
  const given = stringAt(cluster, 'server') ?? '';
  if (options.onSecret !== undefined) {
    [...secretsOfCluster(cluster), ...secretsOfUser(user), ...proxyPasswords(options.env)].forEach(options.onSecret);
  }
  const server = given.replace(/\/$/, '').replace(/^(https?:\/\/)[^/?#]*@/, '$1');
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new InvalidInput(`the server "${shownUrl(given)}" of context "${context}" is not a URL`, {
      hint: 'It must start with https:// in the kubeconfig.',
    });
  }
  const proxyUrl = stringAt(cluster, 'proxy-url');
  if (proxyUrl !== undefined && !URL.canParse(proxyUrl)) {
    throw new InvalidInput(`the proxy-url of context "${context}" is not a URL`, {
      hint: 'Expected something like http://proxy.example.com:3128 in the kubeconfig.',
    });
  }
  const ca = pem(context, cluster, 'certificate-authority');
  const serverName = stringAt(cluster, 'tls-server-name');
  return await open(
    {
      server,
      context,
      namespace: stringAt(entry, 'context', 'namespace') ?? 'default',
      ...(ca === undefined ? {} : { ca }),
      ...(booleanAt(cluster, 'insecure-skip-tls-verify') === true ? { insecure: true } : {}),
      ...(serverName === undefined ? {} : { serverName }),
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
      credentials: async () => {
        const means = { ...options, clock };
        const credentials = await credentialsOf(context, cluster, withAccount(user, given), means);
        if (options.onSecret !== undefined) secretsOf(credentials).forEach(options.onSecret);
        return credentials;
      },
    },
    { clock, env: options.env },
  );
}

type Means = Pick<ConnectOptions, 'env' | 'signal'> & { clock: Clock };

async function credentialsOf(
  context: string,
  cluster: JsonObject,
  user: JsonObject,
  means: Means,
): Promise<Credentials> {
  const { token, expiresAt, ...certificate } = await tokenOf(context, cluster, user, means);
  const authorization = basicAuth(user) ?? (token === undefined ? undefined : `Bearer ${token}`);
  const cert = pem(context, user, 'client-certificate');
  const key = pem(context, user, 'client-key');
  return {
    headers: { ...(authorization === undefined ? {} : { Authorization: authorization }), ...impersonation(user) },
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...certificate,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

/** Who has no other credentials signs in with the user and password of the server's URL, as Go's net/http does for kubectl. */
function withAccount(user: JsonObject, server: string): JsonObject {
  const hasOwn = ['token', 'tokenFile', 'exec', 'auth-provider', 'username'].some((field) => user[field] !== undefined);
  const url = URL.parse(server);
  if (hasOwn || url === null || (url.username === '' && url.password === '')) return user;
  return { ...user, username: decodedUrl(url.username), password: decodedUrl(url.password) };
}

function proxyPasswords(env: ConnectOptions['env']): string[] {
  return ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'].flatMap((name) => passwordIn(env[name] ?? ''));
}

interface Token {
  token?: string;
  /** What a plugin answers with, besides or instead. */
  cert?: string;
  key?: string;
  expiresAt?: number;
}

/** As in client-go, a token counts before its file, and that before a plugin. */
async function tokenOf(
  context: string,
  cluster: JsonObject,
  user: JsonObject,
  { env, signal, clock }: Means,
): Promise<Token> {
  const token = stringAt(user, 'token');
  if (token !== undefined) return { token };
  const tokenFile = stringAt(user, 'tokenFile');
  if (tokenFile !== undefined) {
    return { token: readNamed(context, 'tokenFile', tokenFile).trim(), expiresAt: clock.now() + fileLifetimeMs };
  }
  if (isObject(user['exec'])) {
    const given = signal === undefined ? {} : { signal };
    return await askExecPlugin(user['exec'], cluster, { env, time: limits.pluginTime, ...given });
  }
  if (!isObject(user['auth-provider'])) return {};
  const ca = pem(context, objectAt(user, 'auth-provider', 'config'), 'idp-certificate-authority');
  const provided = await askAuthProvider(user['auth-provider'], context, {
    now: clock.now(),
    env,
    ...(ca === undefined ? {} : { ca }),
    ...(signal === undefined ? {} : { signal }),
  });
  return { ...(provided === undefined ? {} : { token: provided }), expiresAt: clock.now() + fileLifetimeMs };
}

function basicAuth(user: JsonObject): string | undefined {
  const name = stringAt(user, 'username');
  if (name === undefined) return undefined;
  return `Basic ${Buffer.from(`${name}:${stringAt(user, 'password') ?? ''}`).toString('base64')}`;
}

/** A PEM that stands in the kubeconfig or in a file that it names; of both the former counts, as in client-go. */
function pem(context: string, entry: JsonObject, key: string): string | undefined {
  const data = stringAt(entry, `${key}-data`);
  if (data !== undefined) return Buffer.from(data, 'base64').toString();
  const path = stringAt(entry, key);
  return path === undefined ? undefined : readNamed(context, key, path);
}

function readNamed(context: string, field: string, path: string): string {
  try {
    return readBoundedFile(path, 'it', limits.credentialsFile).toString();
  } catch (error) {
    if (!isPath(path)) {
      throw new InvalidInput(`context "${context}" has a value in its field "${field}" that is not a file path`, {
        hint:
          field === 'tokenFile'
            ? 'Put the token itself into "token".'
            : `Put the key or certificate itself into "${field}-data", in base64.`,
      });
    }
    throw new InvalidInput(`context "${context}" names the file "${path}", which cannot be read: ${causeOf(error)}`, {
      cause: error,
      hint: 'Check that this context works with kubectl on this runner, and fix the kubeconfig.',
    });
  }
}

/** `as`, `as-groups`, `as-uid` and `as-user-extra`, as kubectl sends them. */
function impersonation(user: JsonObject): Credentials['headers'] {
  const name = stringAt(user, 'as');
  const uid = stringAt(user, 'as-uid');
  const groups = strings(user, 'as-groups');
  const extra = Object.keys(objectAt(user, 'as-user-extra')).map((key): [string, string[]] => [
    `Impersonate-Extra-${encodeURIComponent(key)}`,
    strings(objectAt(user, 'as-user-extra'), key),
  ]);
  return {
    ...(name === undefined ? {} : { 'Impersonate-User': name }),
    ...(uid === undefined ? {} : { 'Impersonate-Uid': uid }),
    ...(groups.length === 0 ? {} : { 'Impersonate-Group': groups }),
    ...Object.fromEntries(extra),
  };
}

function strings(object: JsonObject, key: string): string[] {
  return listAt(object, key).filter((value) => typeof value === 'string');
}

function secretsOf({ headers, key }: Credentials): string[] {
  const authorization = headers['Authorization'];
  const token = typeof authorization === 'string' ? authorization.replace(/^\w+ /, '') : undefined;
  return [token, key].filter((secret) => secret !== undefined);
}

function partsOf(
  config: Kubeconfig,
  context: string,
  entry: JsonObject | undefined,
): { cluster: JsonObject; user: JsonObject } {
  const find = (list: JsonObject[], key: 'cluster' | 'user') => {
    const name = stringAt(entry, 'context', key) ?? '';
    const found = list.find((candidate) => candidate['name'] === name);
    if (found === undefined) {
      throw new InvalidInput(`context "${context}" names the ${key} "${name}", which the kubeconfig does not have`, {
        hint: 'Fix the kubeconfig, or set the input "context" to another one.',
      });
    }
    return objectAt(found, key);
  };
  const user = find(config.users, 'user');
  const provider = stringAt(user, 'auth-provider', 'name') ?? '';
  const plugin = successors.get(provider);
  if (plugin !== undefined) {
    throw new InvalidInput(
      `context "${context}" signs in with the auth-provider "${provider}", which Kubernetes has removed`,
      { hint: `Create a kubeconfig that uses ${plugin}, or one with a token.` },
    );
  }
  return { cluster: find(config.clusters, 'cluster'), user };
}

function defaultKubeconfig(env: ConnectOptions['env']): string {
  const named = env['KUBECONFIG'] ?? '';
  return named === '' ? join(env['HOME'] ?? homedir(), '.kube/config') : named;
}
