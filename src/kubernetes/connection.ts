import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { KubeConfig } from '@kubernetes/client-node';

import { systemClock, type Clock } from '../base/clock.ts';
import { Failure, InvalidInput, messageOf } from '../base/errors.ts';
import { isObject, listAt, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import { open, type Connection, type Credentials } from './endpoint.ts';
import { askExecPlugin } from './exec-plugin.ts';
import { chooseContext, readKubeconfig, type Kubeconfig } from './kubeconfig.ts';

export type { Connection } from './endpoint.ts';

export interface ConnectOptions {
  /** A path, several paths, or the text of a kubeconfig; by default what `KUBECONFIG` says, then `~/.kube/config`. */
  kubeconfig?: string;
  context?: string;
  /** What relative paths are relative to. */
  cwd: string;
  /** `KUBECONFIG`, `HTTPS_PROXY`, `NO_PROXY` and the like; credential plugins get all of it. */
  env: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
  /** Called with each token and password before it is used, so that it can be masked. */
  onSecret?: (secret: string) => void;
}

/** Token files and auth providers are looked at again after this long, as client-go does. */
const fileLifetimeMs = 60_000;

/** @throws InvalidInput when the kubeconfig cannot be used; credentials are asked for here, the server is not. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const clock = options.clock ?? systemClock;
  const config = readKubeconfig(options.kubeconfig ?? defaultKubeconfig(options.env), options.cwd);
  const context = chooseContext(config, options.context);
  const entry = objectsAt(config.contexts).find((candidate) => candidate['name'] === context);
  const { cluster, user } = partsOf(config, context, entry);
  const server = (stringAt(cluster, 'server') ?? '').replace(/\/$/, '');
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new InvalidInput(`the server "${server}" of context "${context}" is not a URL`, {
      hint: 'It must begin with https:// in the kubeconfig.',
    });
  }
  const proxyUrl = stringAt(cluster, 'proxy-url');
  if (proxyUrl !== undefined && !URL.canParse(proxyUrl)) {
    throw new InvalidInput(`the proxy-url of context "${context}" is not a URL`, {
      hint: 'Expected something like http://proxy.example.com:3128 in the kubeconfig.',
    });
  }
  const { ca, rejectUnauthorized, servername } = await readOptions(context, cluster, {});
  return await open(
    {
      server,
      context,
      namespace: stringAt(entry, 'context', 'namespace') ?? 'default',
      ...(ca === undefined ? {} : { ca: String(ca) }),
      ...(rejectUnauthorized === false ? { insecure: true } : {}),
      ...(servername === undefined ? {} : { serverName: servername }),
      ...(proxyUrl === undefined ? {} : { proxyUrl }),
      credentials: async () => {
        const credentials = await credentialsOf(context, cluster, user, options.env, clock);
        if (options.onSecret !== undefined) secretsOf(credentials).forEach(options.onSecret);
        return credentials;
      },
    },
    { clock, env: options.env },
  );
}

async function credentialsOf(
  context: string,
  cluster: JsonObject,
  user: JsonObject,
  env: ConnectOptions['env'],
  clock: Clock,
): Promise<Credentials> {
  const { exec, ...rest } = user;
  const tokenFile = stringAt(user, 'tokenFile');
  // As in client-go: a token counts before its file, and that before a plugin.
  const needsPlugin = isObject(exec) && stringAt(user, 'token') === undefined && tokenFile === undefined;
  const { token, expiresAt, ...certificate } = needsPlugin ? await askExecPlugin(exec, cluster, env) : {};
  const options = await readOptions(context, cluster, token === undefined ? rest : { ...rest, token });
  const headers: Credentials['headers'] = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const mayChange = tokenFile !== undefined || isObject(user['auth-provider']);
  return {
    headers: { ...headers, ...impersonation(user) },
    ...(options.cert === undefined ? {} : { cert: String(options.cert) }),
    ...(options.key === undefined ? {} : { key: keyOf(options.key) }),
    ...certificate,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(mayChange ? { expiresAt: clock.now() + fileLifetimeMs } : {}),
  };
}

/**
 * Certificates, tokens and passwords by client-node's KubeConfig; a new one each time, as it keeps what it has got. What it
 * does not know is put in its words: `tokenFile`, and servers without TLS (kubectl proxy).
 */
async function readOptions(context: string, cluster: JsonObject, user: JsonObject): Promise<RequestOptions> {
  try {
    const tokenFile = stringAt(user, 'tokenFile');
    const isFromFile = tokenFile !== undefined && stringAt(user, 'token') === undefined;
    const readUser = isFromFile ? { ...user, token: readFileSync(tokenFile, 'utf8').trim() } : user;
    const plain = stringAt(cluster, 'server')?.startsWith('http:') === true;
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'cluster', cluster: plain ? { ...cluster, 'insecure-skip-tls-verify': true } : cluster }],
        users: [{ name: 'user', user: readUser }],
        contexts: [{ name: 'context', context: { cluster: 'cluster', user: 'user' } }],
        'current-context': 'context',
      }),
    );
    const options: RequestOptions = {};
    await kubeConfig.applyToHTTPSOptions(options);
    return options;
  } catch (error) {
    if (error instanceof Failure) throw error;
    const path = isObject(error) ? error['path'] : undefined;
    throw new InvalidInput(
      typeof path === 'string'
        ? `context "${context}" names the file "${path}", which cannot be read: ${messageOf(error)}`
        : `cannot get credentials for context "${context}": ${messageOf(error)}`,
      { cause: error, hint: 'See whether this context works with kubectl on this runner, and correct the kubeconfig.' },
    );
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

function keyOf(key: NonNullable<RequestOptions['key']>): string {
  return typeof key === 'string' || Buffer.isBuffer(key) ? key.toString() : '';
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
        hint: 'Correct the kubeconfig, or set the input "context" to another one.',
      });
    }
    return objectAt(found, key);
  };
  const user = find(config.users, 'user');
  if (stringAt(user, 'auth-provider', 'name') === 'gcp') {
    throw new InvalidInput(`context "${context}" signs in by the auth-provider "gcp", which Kubernetes has removed`, {
      hint: 'Make a kubeconfig that uses gke-gcloud-auth-plugin, or one with a token.',
    });
  }
  return { cluster: find(config.clusters, 'cluster'), user };
}

function defaultKubeconfig(env: ConnectOptions['env']): string {
  const named = env['KUBECONFIG'] ?? '';
  return named === '' ? join(env['HOME'] ?? homedir(), '.kube/config') : named;
}
