import { readFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { KubeConfig } from '@kubernetes/client-node';
import { Agent, EnvHttpProxyAgent, ProxyAgent, type buildConnector, type Dispatcher } from 'undici';

import { InvalidInput, messageOf } from '../base/errors.ts';
import { isObject, objectAt, objectsAt, stringAt, type JsonObject } from '../base/json.ts';
import { chooseContext, readKubeconfig, type Kubeconfig } from './kubeconfig.ts';

export interface ConnectOptions {
  /** A path, several paths, or the text of a kubeconfig; by default what `KUBECONFIG` says, then `~/.kube/config`. */
  kubeconfig?: string;
  context?: string;
  /** What relative paths are relative to. */
  cwd: string;
  /** `KUBECONFIG`, `HTTPS_PROXY`, `NO_PROXY` and the like. */
  env: Readonly<Record<string, string | undefined>>;
}

/** How to reach one API server, and as whom. */
export interface Connection {
  server: string;
  context: string;
  namespace: string;
  /** For requests that end, and for watches, which stay: apart, so that neither waits for the other. */
  requests: Dispatcher;
  watches: Dispatcher;
  /** Headers that authenticate a request. */
  authorize(): Promise<Record<string, string>>;
  /** Asks for credentials anew, after a 401. Calls at the same time share one attempt. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/** client-node asks exec plugins again by itself when their token expires; asking it costs some milliseconds. */
const credentialsLifetimeMs = 30_000;

/** Connections for requests: enough for a deploy of many objects, few enough for any API server. */
const maxConnections = 16;

/** @throws InvalidInput when the kubeconfig cannot be used; credentials are asked for here, the server is not. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const config = readKubeconfig(options.kubeconfig ?? defaultKubeconfig(options.env), options.cwd);
  const context = chooseContext(config, options.context);
  const entry = objectsAt(config.contexts).find((candidate) => candidate['name'] === context);
  const { cluster, user } = partsOf(config, context, entry);
  const server = (stringAt(cluster, 'server') ?? '').replace(/\/$/, '');
  if (!/^https?:\/\//.test(server)) {
    throw new InvalidInput(`the server "${server}" of context "${context}" is not a URL`, {
      hint: 'It must begin with https:// in the kubeconfig.',
    });
  }

  let credentials = await askCredentials(context, cluster, user);
  let askedAt = Date.now();
  let refreshing: Promise<void> | undefined;
  const refresh = () => {
    refreshing ??= askCredentials(context, cluster, user)
      .then((fresh) => {
        credentials = fresh;
        askedAt = Date.now();
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };

  const tls = tlsOptions(credentials.options);
  const proxy = stringAt(cluster, 'proxy-url');
  const requests = dispatcher(tls, proxy, options.env, { connections: maxConnections });
  const watches = dispatcher(tls, proxy, options.env, { bodyTimeout: 0 });
  return {
    server,
    context,
    namespace: stringAt(entry, 'context', 'namespace') ?? 'default',
    requests,
    watches,
    authorize: async () => {
      if (credentials.mayExpire && Date.now() - askedAt > credentialsLifetimeMs) await refresh();
      return credentials.headers;
    },
    refresh,
    close: async () => {
      await Promise.all([requests.destroy(), watches.destroy()]);
    },
  };
}

interface Credentials {
  options: RequestOptions;
  headers: Record<string, string>;
  mayExpire: boolean;
}

/** A new KubeConfig each time: one that is reused never asks an exec plugin again before its token's own expiry. */
async function askCredentials(context: string, cluster: JsonObject, user: JsonObject): Promise<Credentials> {
  const kubeConfig = new KubeConfig();
  const tokenFile = stringAt(user, 'tokenFile');
  const readUser = tokenFile === undefined ? user : { ...user, token: readFileSync(tokenFile, 'utf8').trim() };
  // client-node refuses http:// servers (kubectl proxy) unless TLS verification is off; there is no TLS to verify.
  const plain = stringAt(cluster, 'server')?.startsWith('http:') === true;
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
  try {
    await kubeConfig.applyToHTTPSOptions(options);
  } catch (error) {
    throw new InvalidInput(`cannot get credentials for context "${context}": ${messageOf(error)}`, {
      cause: error,
      hint: 'See whether the user of this context works with kubectl on this runner; a plugin that it names must be installed.',
    });
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value);
  if (typeof options.auth === 'string') {
    headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  }
  const impersonate = stringAt(user, 'as');
  if (impersonate !== undefined) headers['Impersonate-User'] = impersonate;
  const mayExpire = isObject(user['exec']) || isObject(user['auth-provider']) || tokenFile !== undefined;
  return { options, headers, mayExpire };
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

function tlsOptions({ ca, cert, key, rejectUnauthorized, servername }: RequestOptions): buildConnector.BuildOptions {
  return {
    keepAlive: true,
    // Below the 60 s after which common load balancers drop a silent connection.
    keepAliveInitialDelay: 30_000,
    // Over one HTTP/2 connection a GOAWAY can stall every request behind an open watch.
    allowH2: false,
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function dispatcher(
  connect: buildConnector.BuildOptions,
  proxyUrl: string | undefined,
  env: ConnectOptions['env'],
  options: Agent.Options,
): Dispatcher {
  const common = { ...options, allowH2: false, connect };
  if (proxyUrl !== undefined) return new ProxyAgent({ ...common, uri: proxyUrl, requestTls: connect });
  const httpsProxy = env['https_proxy'] ?? env['HTTPS_PROXY'];
  const httpProxy = env['http_proxy'] ?? env['HTTP_PROXY'];
  if ((httpsProxy ?? '') === '' && (httpProxy ?? '') === '') return new Agent(common);
  return new EnvHttpProxyAgent({
    ...common,
    requestTls: connect,
    httpsProxy: httpsProxy ?? '',
    httpProxy: httpProxy ?? '',
    noProxy: env['no_proxy'] ?? env['NO_PROXY'] ?? '',
  });
}

function defaultKubeconfig(env: ConnectOptions['env']): string {
  const named = env['KUBECONFIG'] ?? '';
  return named === '' ? join(env['HOME'] ?? homedir(), '.kube/config') : named;
}
