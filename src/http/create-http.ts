import { TLSSocket } from 'node:tls';

import { errorCode } from '../base/errors.ts';
import { Http1Carrier } from './http1.ts';
import { Http2Carrier } from './http2.ts';
import { httpError, type Carrier, type Http, type HttpRequest, type HttpResponse } from './http.ts';
import { openSocket, type Route, type Tls } from './socket.ts';

interface HttpOptions {
  tls?: Tls;
  /** The proxy on the way to a server. */
  proxyTo?: (server: URL) => URL | undefined;
  /** Whether to use HTTP/2 with servers that offer it. */
  http2?: boolean;
  /** How many connections of HTTP/1.1 there may be to a server; by default as many as there are requests at a time. */
  maxConnections?: number;
}

/** A server that leaves may do so once more at once, where several stand behind one address. */
const maxLeavings = 5;

/** Speaks HTTP/2 or HTTP/1.1 with servers, as each of them offers. */
export function createHttp(options: HttpOptions = {}): Http {
  const origins = new Map<string, Origin>();
  const originOf = ({ origin }: URL): Origin => {
    const known = origins.get(origin);
    if (known !== undefined) return known;
    const made = new Origin(new URL(origin), options);
    origins.set(origin, made);
    return made;
  };
  return {
    request: async (url, request) => {
      const target = new URL(url);
      return await originOf(target).request(`${target.pathname}${target.search}`, request);
    },
    close: () => {
      for (const origin of origins.values()) origin.close();
    },
    destroy: () => {
      for (const origin of origins.values()) origin.destroy();
    },
  };
}

/** One server, and what carries requests to it. */
class Origin {
  readonly #route: Route;
  readonly #offersHttp2: boolean;
  readonly #maxConnections: number;
  /** Those that carry requests, or still carry some. */
  readonly #carriers = new Set<Carrier>();
  #current: Promise<Carrier> | undefined;
  #end: 'closed' | 'destroyed' | undefined;

  constructor(origin: URL, { tls = {}, proxyTo, http2 = false, maxConnections = Infinity }: HttpOptions) {
    const proxy = proxyTo?.(origin);
    this.#route = { origin, tls, ...(proxy === undefined ? {} : { proxy }) };
    this.#maxConnections = maxConnections;
    this.#offersHttp2 = http2 && origin.protocol === 'https:';
  }

  async request(path: string, request: HttpRequest): Promise<HttpResponse> {
    for (let leavings = 1; ; leavings += 1) {
      request.signal?.throwIfAborted();
      const carrier = await unlessAborted(this.#carrier(), request.signal);
      try {
        return await carrier.request(path, request);
      } catch (error) {
        // What the server has not begun with goes to its successor; one that stays has only too much to do.
        const isLeft = errorCode(error) === 'NOT_BEGUN' && !carrier.isOpen;
        if (!isLeft || leavings === maxLeavings || this.#end !== undefined) throw error;
      }
    }
  }

  close(): void {
    this.#end ??= 'closed';
    for (const carrier of this.#carriers) carrier.close();
  }

  destroy(): void {
    this.#end = 'destroyed';
    for (const carrier of this.#carriers) carrier.destroy();
  }

  async #carrier(): Promise<Carrier> {
    const current = this.#current;
    if (current !== undefined) {
      const carrier = await current;
      if (carrier.isOpen) return carrier;
      if (this.#current === current) this.#current = undefined;
    }
    if (this.#end !== undefined) throw httpError('NOT_BEGUN', 'the client was closed');
    this.#current ??= this.#open();
    return await this.#current;
  }

  async #open(): Promise<Carrier> {
    try {
      const carrier = await this.#connect();
      for (const old of this.#carriers) if (old.isEnded) this.#carriers.delete(old);
      this.#carriers.add(carrier);
      if (this.#end === 'destroyed') carrier.destroy();
      if (this.#end === 'closed') carrier.close();
      return carrier;
    } catch (error) {
      this.#current = undefined;
      throw error;
    }
  }

  async #connect(): Promise<Carrier> {
    if (!this.#offersHttp2) return new Http1Carrier(this.#route, this.#maxConnections);
    const socket = await openSocket(this.#route, ['h2', 'http/1.1']);
    const isHttp2 = socket instanceof TLSSocket && socket.alpnProtocol === 'h2';
    return isHttp2
      ? new Http2Carrier(this.#route.origin, socket)
      : new Http1Carrier(this.#route, this.#maxConnections, socket);
  }
}

/** What others wait for, too, is not given up with one of them. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  return await new Promise<T>((resolve, reject) => {
    const giveUp = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    void promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  });
}
