import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { createSecureContext, type TLSSocket } from 'node:tls';

import type { Tls } from '../../src/http/socket.ts';
import { certificateFor } from './certificate.ts';

export interface TlsServer extends AsyncDisposable {
  url: string;
  port: number;
  /** How a client trusts it. */
  tls: Tls;
  /** The connections that it has taken. */
  sockets: Socket[];
  /** The sessions of HTTP/2, in the order in which they came. */
  sessions: ServerHttp2Session[];
}

type Answer = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

/** A server on loopback that speaks HTTP/2, or HTTP/1.1 only. */
export async function tlsServer(
  answer: Answer,
  { http2 = true, onStream }: { http2?: boolean; onStream?: (stream: ServerHttp2Stream, count: number) => void } = {},
): Promise<TlsServer> {
  using certificate = await certificateFor(['IP:127.0.0.1', 'DNS:server.example.com']);
  const { cert, key } = certificate;
  const listener = onStream === undefined ? answer : undefined;
  const server = http2
    ? createSecureServer({ cert, key, maxSessionMemory: 256 }, listener)
    : createHttpsServer({ cert, key }, answer as never);
  const sockets: Socket[] = [];
  const sessions: ServerHttp2Session[] = [];
  let count = 0;
  server
    .on('connection', (socket: Socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
    })
    .on('session', (session: ServerHttp2Session) => {
      sessions.push(session);
      session.on('error', () => undefined);
    })
    .on('sessionError', () => undefined)
    .on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      onStream?.(stream, (count += 1));
    })
    .on('tlsClientError', (_error: Error, socket: TLSSocket) => {
      socket.destroy();
    });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    tls: { context: () => createSecureContext({ ca: cert }) },
    sockets,
    sessions,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A wire between a client and a server, that can be made to carry nothing more in either direction. */
export async function wireTo(port: number) {
  const pairs: [Socket, Socket][] = [];
  const wire: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    pairs.push([near, far]);
  });
  await new Promise<void>((resolve) => wire.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(wire.address() as AddressInfo).port}`,
    /** How many connections came through it. */
    count: () => pairs.length,
    freeze: () => {
      for (const [near, far] of pairs) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of pairs.flat()) socket.destroy();
      await new Promise((resolve) => wire.close(resolve));
    },
  };
}
