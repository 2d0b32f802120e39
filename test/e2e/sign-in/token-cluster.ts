import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createSecureServer, request as secureRequest } from 'node:https';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { objectsAt, stringAt, type Json, type JsonObject } from '../../../src/base/json.ts';
import { up, type Cluster } from '../../cluster/cluster.ts';
import { networkOf } from '../../cluster/network.ts';

/** Fixed: the API server has to know it before anybody can listen there, and each cluster has an address of its own. */
const webhookPort = 8444;

export const clusterName = 'projects/acme-shop/locations/us-central1/clusters/bootcamp';

/** A real cluster whose API server asks the test about every bearer token. */
export class TokenCluster implements AsyncDisposable {
  readonly cluster: Cluster;
  /** PEM. */
  readonly ca: string;
  /** Says who a token is; undefined: nobody. */
  userOf: (token: string) => string | undefined = () => undefined;
  /** Who the API server has accepted. */
  readonly accepted = new Set<string>();
  refused = 0;
  readonly #folder: string;
  readonly #webhook: Server;

  private constructor(cluster: Cluster, folder: string) {
    this.cluster = cluster;
    this.#folder = folder;
    const config = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as Json;
    const data = stringAt(objectsAt(config, 'clusters')[0], 'cluster', 'certificate-authority-data') ?? '';
    this.ca = Buffer.from(data, 'base64').toString('utf8');
    this.#webhook = createServer((incoming, response) => {
      let body = '';
      incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
      incoming.on('end', () => {
        const token = stringAt(JSON.parse(body) as Json, 'spec', 'token') ?? '';
        const username = this.userOf(token);
        if (username === undefined) this.refused += 1;
        else this.accepted.add(username);
        const status =
          username === undefined ? { authenticated: false } : { authenticated: true, user: { username, groups: [] } };
        response.setHeader('Content-Type', 'application/json');
        response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }));
      });
    });
  }

  /** @param admins users that may do everything in it */
  static async start(name: string, admins: readonly string[]): Promise<TokenCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-webhook-'));
    const cluster = await up(name, {
      extraApiServerFlags: (machine) => [
        `--authentication-token-webhook-config-file=${writeConfig(folder, machine)}`,
        '--authentication-token-webhook-version=v1',
        // The API server remembers an accepted token for ten seconds in any case (TokenSuccessCacheTTL).
        '--authentication-token-webhook-cache-ttl=1s',
      ],
    });
    const started = new TokenCluster(cluster, folder);
    await new Promise<void>((resolve) => started.#webhook.listen(webhookPort, cluster.machine, resolve));
    await cluster.kubectl(
      ['apply', '--filename', '-'],
      JSON.stringify({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'deployers' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: admins.map((admin) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: admin })),
      }),
    );
    return started;
  }

  /** The address that the API server's certificate is for and that listens on port 443, as GKE's do. */
  get address(): string {
    return networkOf(this.cluster.index).apiService;
  }

  /** An address in the cluster's network that nobody has. */
  get nowhere(): string {
    return networkOf(this.cluster.index).pods.replace('0/24', '250');
  }

  /** What container.clusters.get answers about it. */
  describe(more: JsonObject = {}): JsonObject {
    return {
      name: 'bootcamp',
      location: 'us-central1',
      zone: 'us-central1',
      selfLink: `https://container.googleapis.com/v1/${clusterName}`,
      endpoint: this.address,
      status: 'RUNNING',
      masterAuth: { clusterCaCertificate: Buffer.from(this.ca).toString('base64') },
      ...more,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#webhook.closeAllConnections();
    await new Promise((resolve) => this.#webhook.close(resolve));
    await this.cluster.down();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function writeConfig(folder: string, machine: string): string {
  const path = join(folder, 'webhook.json');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: `http://${machine}:${webhookPort}/review` } }],
    users: [{ name: 'api-server', user: {} }],
    contexts: [{ name: 'webhook', context: { cluster: 'test', user: 'api-server' } }],
    'current-context': 'webhook',
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

export interface Listening extends AsyncDisposable {
  host: string;
  /** Of each request, as it came. */
  paths: string[];
  connections: number;
}

/**
 * A server in front of the API server, as the Connect Gateway and the DNS endpoint are: it takes requests below `prefix`
 * and hands them on with their token.
 */
export async function front(
  cluster: Pick<TokenCluster, 'ca' | 'address'>,
  prefix: string,
  tls?: { cert: string; key: string },
  /** Told of the token of each request when it comes. */
  onToken: (token: string) => void = () => undefined,
): Promise<Listening> {
  const paths: string[] = [];
  const sockets = new Set<Duplex>();
  const make =
    tls === undefined
      ? createServer
      : (handler: Parameters<typeof createServer>[1]) => createSecureServer(tls, handler);
  const server = make((incoming, outgoing) => {
    const url = incoming.url ?? '';
    paths.push(url);
    onToken((incoming.headers.authorization ?? '').replace('Bearer ', ''));
    if (!url.startsWith(prefix)) {
      outgoing.writeHead(404, { 'Content-Type': 'text/html' }).end('<title>Error 404 (Not Found)</title>');
      return;
    }
    const upstream = secureRequest(
      {
        host: cluster.address,
        ca: cluster.ca,
        path: url.slice(prefix.length),
        method: incoming.method,
        headers: { ...incoming.headers, host: cluster.address },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        outgoing.flushHeaders();
        answer.pipe(outgoing);
      },
    );
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  server.on('connection', (socket: Duplex) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    get connections() {
      return sockets.size;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Counts the connections to an API server that go through it. */
export async function counter(host: string, port: number): Promise<Listening> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections += 1;
    const upstream = connect(port, host);
    for (const end of [socket, upstream]) {
      sockets.add(end);
      end.on('error', () => undefined);
    }
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths: [],
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
