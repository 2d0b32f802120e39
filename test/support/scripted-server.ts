import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Json } from '../../src/base/json.ts';

export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Reply =
  | { status?: number; headers?: Record<string, string | string[]>; json: Json }
  | { status?: number; headers?: Record<string, string>; text: string }
  /** The connection is cut before an answer comes. */
  | 'reset'
  /** Nothing ever comes. */
  | 'silence'
  /** The test writes the answer itself. */
  | ((response: ServerResponse) => void);

export interface ScriptedServer extends AsyncDisposable {
  url: string;
  received: Received[];
}

/** An HTTP server on loopback that answers as `script` says and keeps what it was asked. */
export async function scriptedServer(script: (request: Received, count: number) => Reply): Promise<ScriptedServer> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const url = new URL(request.url ?? '', 'http://server');
      const { method = '', headers } = request;
      const entry = { method, path: url.pathname, query: url.searchParams, headers, body };
      received.push(entry);
      answer(script(entry, received.length), response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(reply: Reply, response: ServerResponse): void {
  if (reply === 'silence') return;
  if (reply === 'reset') {
    response.socket?.resetAndDestroy();
  } else if (typeof reply === 'function') {
    reply(response);
  } else {
    const isJson = 'json' in reply;
    response.writeHead(reply.status ?? 200, {
      'Content-Type': isJson ? 'application/json' : 'text/plain',
      ...reply.headers,
    });
    response.end(isJson ? JSON.stringify(reply.json) : reply.text);
  }
}

/** The Status that an API server sends with a refusal. */
export function status(code: number, reason: string, message = reason): Reply {
  return { status: code, json: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason, message, code } };
}

/** Aggregated discovery of a few kinds: `ConfigMap` and `Pod` of the core, `Deployment` of `apps/v1`. */
export function discoveryOf(path: string): Reply | undefined {
  const resource = (name: string, kind: string, scope = 'Namespaced') => ({
    resource: name,
    responseKind: { group: '', version: '', kind },
    scope,
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  });
  const group = (name: string, version: string, resources: Json[], freshness = 'Current') => ({
    metadata: { name },
    versions: [{ version, resources, freshness }],
  });
  const items =
    path === '/api'
      ? [{ ...group('', 'v1', [resource('configmaps', 'ConfigMap'), resource('pods', 'Pod')]), metadata: {} }]
      : path === '/apis'
        ? [
            group('apps', 'v1', [resource('deployments', 'Deployment')]),
            group('rbac.authorization.k8s.io', 'v1', [resource('clusterroles', 'ClusterRole', 'Cluster')]),
            group('metrics.k8s.io', 'v1beta1', [], 'Stale'),
          ]
        : undefined;
  if (items === undefined) return undefined;
  return { json: { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', items } };
}
