import type { Clock } from '../../../src/base/clock.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { open, type Connection, type Credentials } from '../../../src/kubernetes/connect/endpoint.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { TransportOptions } from '../../../src/kubernetes/transport.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import {
  discoveryOf,
  scriptedServer,
  type Received,
  type Reply,
  type ScriptedServer,
} from '../../support/scripted-server.ts';

export interface Fixture extends AsyncDisposable {
  server: ScriptedServer;
  client: KubernetesClient;
  clock: HastyClock;
  startedAt: number;
  /** What was asked apart from discovery. */
  received(): Received[];
}

/** A client of a server that answers discovery by itself and everything else as `script` says. */
export async function clientOf(
  script: (request: Received, count: number) => Reply,
  options: Partial<TransportOptions> & { credentials?: () => Promise<Credentials> } = {},
): Promise<Fixture> {
  let count = 0;
  const server = await scriptedServer((request) => discoveryOf(request.path) ?? script(request, (count += 1)));
  const clock = new HastyClock();
  const connection = await connectionTo(server.url, clock, options.credentials);
  const client = createClient(connection, { clock, userAgent: 'gke-rollout/1.2.3', random: () => 0.5, ...options });
  return {
    server,
    client,
    clock,
    startedAt: clock.now(),
    received: () => server.received.filter(({ path }) => path !== '/api' && path !== '/apis'),
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

export async function connectionTo(
  url: string,
  clock: Clock,
  credentials: () => Promise<Credentials> = () => Promise.resolve({ headers: { Authorization: 'Bearer first' } }),
): Promise<Connection> {
  return await open({ server: url, context: 'test', namespace: 'default', credentials }, { clock, env: {} });
}

export function configMap(name: string, more: Partial<KubernetesObject> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'shop' }, data: { a: '1' }, ...more };
}
