import { Agent, request as openRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { closed, noAnswer, type Carrier, type HttpRequest, type HttpResponse } from './http.ts';
import { openSocket, type Route } from './socket.ts';
import { Turns } from './turns.ts';

/** Idle connections are kept while a rollout is awaited, so that the next request need not shake hands again. */
const idleMs = 30_000;

/** Connections to one server that carry one request at a time: HTTP/1.1. */
export class Http1Carrier implements Carrier {
  readonly #origin: URL;
  readonly #agent: Sockets;
  readonly #underWay = new Set<ClientRequest>();
  /** An agent counts the connections that stand, and not those that are being made. */
  readonly #turns: Turns;
  #isClosed = false;
  #isDestroyed = false;

  /** @param first a connection that stands already */
  constructor(route: Route, maxConnections: number, first?: Socket) {
    this.#origin = route.origin;
    this.#turns = new Turns(maxConnections);
    this.#agent = new Sockets(route, first);
  }

  get isOpen(): boolean {
    return !this.#isClosed;
  }

  get isEnded(): boolean {
    return this.#isClosed && this.#underWay.size === 0;
  }

  async request(path: string, request: HttpRequest): Promise<HttpResponse> {
    await this.#turns.take(request.signal);
    let sent: ClientRequest;
    try {
      request.signal?.throwIfAborted();
      if (this.#isDestroyed) throw closed();
      sent = this.#open(path, request);
    } catch (error) {
      this.#turns.give();
      throw error;
    }
    this.#underWay.add(sent);
    sent.once('close', () => {
      this.#underWay.delete(sent);
      this.#turns.give();
      if (this.isEnded) this.#agent.destroy();
    });
    return await answerTo(sent, request);
  }

  close(): void {
    this.#isClosed = true;
    if (this.isEnded) this.#agent.destroy();
  }

  destroy(): void {
    this.#isClosed = true;
    this.#isDestroyed = true;
    for (const sent of this.#underWay) sent.destroy(closed());
    this.#agent.destroy();
  }

  #open(path: string, { method, headers, body }: HttpRequest): ClientRequest {
    const own = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'host');
    return openRequest({
      agent: this.#agent,
      host: this.#origin.hostname,
      method,
      path,
      headers: {
        ...(Object.fromEntries(own) as Record<string, string | string[]>),
        Host: this.#origin.host,
        ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
      },
    });
  }
}

function answerTo(sent: ClientRequest, { body, signal, headersTimeoutMs = 0 }: HttpRequest): Promise<HttpResponse> {
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    // Without a connection, a request says that it has ended only once there is one.
    const end = (reason: Error) => {
      answer?.destroy(reason);
      sent.destroy(reason);
      reject(reason);
    };
    const giveUp = () => {
      end(signal?.reason as Error);
    };
    const late = () => {
      end(noAnswer());
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    const timer = headersTimeoutMs > 0 ? setTimeout(late, headersTimeoutMs) : undefined;
    sent.once('response', (response) => {
      clearTimeout(timer);
      answer = response;
      // Whoever reads the body hears of it.
      response.on('error', () => undefined);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
    });
    sent.on('error', reject);
    sent.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    });
    sent.end(body);
  });
}

/** Keeps what was connected by our own way, with or without TLS. */
class Sockets extends Agent {
  readonly #route: Route;
  #first: Socket | undefined;

  constructor(route: Route, first: Socket | undefined) {
    super({ keepAlive: true, timeout: idleMs, scheduling: 'lifo' });
    this.#route = route;
    this.#first = first?.unref();
  }

  override destroy(): void {
    this.#first?.destroy();
    super.destroy();
  }

  override createConnection(_: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    // Node calls it with an error alone, too.
    const done = callback as ((error: Error | null, socket?: Socket) => void) | undefined;
    const first = this.#first;
    this.#first = undefined;
    if (first?.destroyed === false) {
      done?.(null, first.ref());
      return;
    }
    openSocket(this.#route, ['http/1.1']).then(
      (socket) => done?.(null, socket),
      (error: unknown) => done?.(error as Error),
    );
  }
}
