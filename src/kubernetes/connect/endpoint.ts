import { createSecureContext, type SecureContext } from 'node:tls';

import type { Clock } from '../../base/clock.ts';
import { createHttp } from '../../http/create-http.ts';
import type { Http } from '../../http/http.ts';
import { proxyFor } from '../../http/proxy.ts';
import { Renewing } from '../../http/renewing.ts';

/** How to reach one API server, and as whom. */
export interface Connection {
  server: string;
  context: string;
  namespace: string;
  /** Any certificate is accepted. */
  insecure: boolean;
  /** Host and port of the proxy in between. */
  proxy: string | undefined;
  /** For requests that end, and for watches, which stay: apart, so that neither waits for the other. */
  readonly requests: Http;
  readonly watches: Http;
  /** Headers that authenticate a request. */
  authorize(): Promise<Headers>;
  /** See `Endpoint.advise`. */
  advise(problem: Problem): string | undefined;
  /** Asks for credentials anew, after a 401 for `refused`, unless that has happened since. Concurrent calls share it. */
  refresh(refused: Headers): Promise<void>;
  /** Ends all connections at once, also those of requests under way. */
  close(): void;
}

export type Headers = Record<string, string | string[]>;

/** What authenticates requests, until it expires or the server no longer accepts it. */
export interface Credentials {
  headers: Headers;
  /** A client certificate and its key, as PEM. */
  cert?: string;
  key?: string;
  /** Milliseconds since the epoch. */
  expiresAt?: number;
}

/** An API server and a way to get credentials for it. */
interface Endpoint {
  /** `https://203.0.113.7:6443`, perhaps with a path. */
  server: string;
  /** How messages name it. */
  context: string;
  /** Where objects go that name no namespace. */
  namespace: string;
  /** Certificate authorities as PEM; absent: those that the runner trusts. */
  ca?: string;
  /** The name that the server's certificate must have, when it is not the host. */
  serverName?: string;
  /** Accept any certificate. */
  insecure?: boolean;
  /** Counts before the proxy of the environment. */
  proxyUrl?: string;
  /** Called once at first, before the credentials expire, and after a 401. */
  credentials(): Promise<Credentials>;
  /** What to do about a problem, where more is known than a kubeconfig says; undefined: the general hint is right. */
  advise?(problem: Problem): string | undefined;
}

/** What can go wrong between the runner and the API of a cluster, whatever is asked of it. */
export type Problem =
  | 'unreachable'
  /** 401, also with fresh credentials. */
  | 'not-authenticated'
  /** 403 from something that stands before the API server: its answer is not one of Kubernetes. */
  | 'refused-on-the-way';

interface Surroundings {
  clock: Clock;
  /** `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`. */
  env: Readonly<Record<string, string | undefined>>;
}

/** @throws what the credentials throw; the server itself is not asked yet */
export async function open(endpoint: Endpoint, { clock, env }: Surroundings): Promise<Connection> {
  const server = new URL(endpoint.server);
  const proxy = endpoint.proxyUrl === undefined ? proxyFor(server, env) : new URL(endpoint.proxyUrl);
  let ways: Ways | undefined;
  const all = new Set<Ways>();
  let last: Credentials | undefined;

  const made = (credentials: Credentials): Ways => {
    const way = waysTo(endpoint, credentials, proxy);
    all.add(way);
    return way;
  };

  const renewing = new Renewing(async () => {
    const fresh = await endpoint.credentials();
    const isSameCertificate = fresh.cert === last?.cert && fresh.key === last?.key;
    last = fresh;
    if (ways === undefined || !isSameCertificate) {
      // Requests under way may end; watches go on until they do by themselves.
      ways?.requests.close();
      ways?.watches.close();
      ways = made(fresh);
    }
    return fresh;
  }, clock);
  const first = await renewing.get();
  const current = () => (ways ??= made(first));
  return {
    server: endpoint.server,
    context: endpoint.context,
    namespace: endpoint.namespace,
    insecure: endpoint.insecure === true,
    proxy: proxy?.host,
    get requests() {
      return current().requests;
    },
    get watches() {
      return current().watches;
    },
    authorize: async () => (await renewing.get()).headers,
    refresh: async (refused) => {
      if (last?.headers === refused) await renewing.replace(last);
    },
    advise: (problem) => endpoint.advise?.(problem),
    close: () => {
      for (const { requests, watches } of all) {
        requests.destroy();
        watches.destroy();
      }
    },
  };
}

/** Enough for a deploy of many objects, few enough for any API server. */
const maxConnections = 16;

type Ways = Pick<Connection, 'requests' | 'watches'>;

function waysTo(
  { ca, insecure = false, serverName }: Endpoint,
  { cert, key }: Credentials,
  proxy: URL | undefined,
): Ways {
  const pem = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, value]) => value !== undefined));
  let made: SecureContext | undefined;
  const context = () => (made ??= createSecureContext(pem));
  const tls = {
    insecure,
    ...(Object.keys(pem).length === 0 ? {} : { context }),
    ...(serverName === undefined ? {} : { serverName }),
  };
  const options = { tls, http2: true, proxyTo: () => proxy };
  return { requests: createHttp({ ...options, maxConnections }), watches: createHttp(options) };
}
