import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';

import type { ApiServer } from './api-server.ts';

/** A request that a proxy has read whole. */
export interface Asked {
  method: string;
  url: string;
  body: Buffer;
}

/** A request of HTTP/1.1 or HTTP/2. */
export type Incoming = IncomingMessage | Http2ServerRequest;

/** Headers that belong to one connection and are not passed on. */
const perConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'host', 'authorization']);

export function endToEnd(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).filter(
      (entry): entry is [string, string | string[]] =>
        entry[1] !== undefined && !perConnection.has(entry[0]) && !entry[0].startsWith(':'),
    ),
  );
}

/** Sends a request on to the API server. A client that goes away ends its watches; a write that has begun goes on. */
export async function forward(
  api: ApiServer,
  { method, url, body }: Asked,
  { headers }: Incoming,
  answer: ServerResponse,
): Promise<IncomingMessage> {
  const gone = new AbortController();
  if (method === 'GET')
    answer.on('close', () => {
      gone.abort();
    });
  return await api.send(method, url, { headers: endToEnd(headers), body, abort: gone.signal });
}

/** Whether what is asked is answered bit by bit, for as long as somebody listens. */
export function isStream(url: string): boolean {
  return /[?&](watch|follow)=/.test(url);
}

/** Hands a stream on while it comes. */
export function pipe(response: IncomingMessage, answer: ServerResponse): void {
  answer.flushHeaders();
  response.on('error', () => answer.destroy());
  response.pipe(answer);
}

/** Changes something in the cluster: neither a dry run nor a question that is asked by POST. */
export function isWrite({ method, url }: Asked): boolean {
  const { pathname, searchParams } = new URL(url, 'http://server');
  if (!['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) || searchParams.has('dryRun')) return false;
  return !/^\/apis\/auth(entication|orization)\.k8s\.io\//.test(pathname);
}
