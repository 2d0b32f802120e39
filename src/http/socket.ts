import { request as plainRequest } from 'node:http';
import { request as secureRequest, type RequestOptions } from 'node:https';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectSecure, type SecureContext } from 'node:tls';

import { decodedUrl, hostOf, portOf } from './address.ts';
import { httpError } from './http.ts';

/** How a server proves who it is, and we do. */
export interface Tls {
  /** Certificate authorities, a client certificate and its key; made when it is needed. @throws errors of OpenSSL */
  context?: () => SecureContext;
  /** The name that the server's certificate must have, when it is not the host. */
  serverName?: string;
  /** Accept any certificate. */
  insecure?: boolean;
}

/** The way to a server. */
export interface Route {
  origin: URL;
  /** Asked to connect to the server: `http://user:password@proxy.example.com:3128`, or with https. */
  proxy?: URL;
  tls: Tls;
}

/** For the proxy, TCP and TLS together; less than others wait for an answer, so that it is told that there was no connection. */
const connectMs = 8_000;
/** Below the 60 s after which common load balancers drop a silent connection. */
const keepAliveMs = 30_000;

/**
 * Connects to a server: through a proxy by CONNECT (RFC 9110, section 9.3.6), and with TLS unless it is one of plain HTTP.
 * @param protocols what to offer (RFC 7301), the best one first; `alpnProtocol` of the socket says what was chosen
 */
export async function openSocket({ origin, proxy, tls }: Route, protocols: readonly string[]): Promise<Socket> {
  const until = performance.now() + connectMs;
  const raw = proxy === undefined ? undefined : await tunnel(proxy, origin);
  const target = { host: hostOf(origin), port: portOf(origin) };
  if (origin.protocol === 'http:') return raw ?? (await connected(connectPlain(target), 'connect', until));
  const name = tls.serverName ?? target.host;
  const socket = connectSecure({
    ...target,
    ...(raw === undefined ? {} : { socket: raw }),
    ...(tls.context === undefined ? {} : { secureContext: tls.context() }),
    // The name of an address is none (RFC 6066, section 3).
    ...(isIP(name) === 0 ? { servername: name } : {}),
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    rejectUnauthorized: tls.insecure !== true,
    ALPNProtocols: [...protocols],
  });
  return await connected(socket, 'secureConnect', until);
}

/** A connection through a proxy, on which nothing was said yet. */
async function tunnel(proxy: URL, origin: URL): Promise<Socket> {
  const target = `${origin.hostname}:${portOf(origin)}`;
  const asked = (proxy.protocol === 'https:' ? secureRequest : plainRequest)({
    host: hostOf(proxy),
    port: portOf(proxy),
    method: 'CONNECT',
    path: target,
    headers: { Host: target, ...authorizationOf(proxy) },
    agent: false,
    // Otherwise its certificate would have to name the target.
    servername: isIP(hostOf(proxy)) === 0 ? hostOf(proxy) : '',
  } as RequestOptions);
  return await new Promise<Socket>((resolve, reject) => {
    const timer = setTimeout(() => {
      asked.destroy(noConnection());
    }, connectMs);
    asked.once('connect', ({ statusCode: status = 0 }, socket: Socket, head) => {
      clearTimeout(timer);
      if (status < 200 || status >= 300) {
        socket.destroy();
        reject(httpError('PROXY_REFUSED', `the proxy answered ${status}`, { status }));
        return;
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket.on('error', () => undefined));
    });
    asked.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    asked.end();
  });
}

function connected(socket: Socket, event: 'connect' | 'secureConnect', until: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(noConnection()), Math.max(1, until - performance.now()));
    const fail = (error: Error) => {
      clearTimeout(timer);
      reject(error);
    };
    const ended = () => {
      fail(httpError('CONNECTION_LOST', 'the connection was closed'));
    };
    // It may report more after it has failed, and while nobody uses it.
    socket.on('error', () => undefined);
    socket.once('error', fail).once('close', ended);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', fail).off('close', ended);
      socket.setNoDelay(true).setKeepAlive(true, keepAliveMs);
      resolve(socket);
    });
  });
}

function noConnection(): Error {
  return httpError('CONNECT_TIMEOUT', `no connection within ${connectMs / 1000} s`);
}

function authorizationOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decodedUrl(username)}:${decodedUrl(password)}`;
  return { 'Proxy-Authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
