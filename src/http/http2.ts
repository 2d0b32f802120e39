import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';

import { closed, httpError, isSilence, type Carrier, type HttpRequest, type HttpResponse } from './http.ts';

/** How much of one answer, and of all answers together, may be on its way before we have read it: lists are long. */
const streamWindow = 4 * 1024 * 1024;
const sessionWindow = 16 * 1024 * 1024;

/** How often the server is asked whether it is still there; without an answer until the next time, it is not. */
const pingMs = 15_000;

/** They belong to a connection (RFC 9113, section 8.2.2). */
const perConnection = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);

/** One connection to one server that carries many requests at a time: HTTP/2. */
export class Http2Carrier implements Carrier {
  readonly #session: ClientHttp2Session;
  readonly #streams = new Set<ClientHttp2Stream>();
  readonly #notBegun = new WeakSet<ClientHttp2Stream>();
  readonly #pings: NodeJS.Timeout;
  #isClosed = false;
  #isAwaitingPing = false;
  /** What ended the connection. */
  #fault: Error | undefined;

  /** @param socket connected, with `h2` agreed on */
  constructor(origin: URL, socket: Socket, pingEveryMs = pingMs) {
    const session = connect(origin, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: streamWindow },
      maxSessionMemory: 256,
    });
    this.#session = session;
    session.once('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(sessionWindow);
    });
    session.on('error', (error: Error) => {
      this.#fault ??= error;
    });
    session.on('goaway', (code: number, last: number) => {
      this.#leave(code, last);
    });
    session.once('close', () => {
      this.#isClosed = true;
      clearInterval(this.#pings);
    });
    this.#pings = setInterval(() => {
      this.#ping();
    }, pingEveryMs);
    this.#pings.unref();
  }

  get isOpen(): boolean {
    return !this.#isClosed && !this.#session.closed && !this.#session.destroyed;
  }

  get isEnded(): boolean {
    return this.#session.destroyed;
  }

  async request(
    path: string,
    { method, headers, body, signal, headersTimeoutMs = 0 }: HttpRequest,
  ): Promise<HttpResponse> {
    const stream = this.#open({ ...withoutConnection(headers), ':method': method, ':path': path }, body);
    this.#streams.add(stream);
    // A process may end while nothing is asked.
    this.#session.ref();
    const giveUp = () => {
      const reason = signal?.reason as Error;
      if (isSilence(reason)) this.close();
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy(reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    // What goes wrong once an answer has begun is told to whoever reads it.
    stream.on('error', () => undefined);
    stream.once('close', () => {
      signal?.removeEventListener('abort', giveUp);
      this.#streams.delete(stream);
      if (this.#streams.size === 0 && !this.#session.destroyed) this.#session.unref();
    });
    return await this.#answerTo(stream, signal, headersTimeoutMs);
  }

  close(): void {
    this.#isClosed = true;
    if (!this.#session.destroyed) this.#session.close();
  }

  destroy(): void {
    this.#isClosed = true;
    this.#fault ??= closed();
    this.#session.destroy();
  }

  #open(headers: Record<string, string | string[]>, body: string | undefined): ClientHttp2Stream {
    try {
      const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const stream = this.#session.request({ ...headers, ...length }, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      return stream;
    } catch (cause) {
      if (this.isOpen) throw cause;
      throw httpError('NOT_BEGUN', 'the connection is about to end', { cause });
    }
  }

  #answerTo(stream: ClientHttp2Stream, signal: AbortSignal | undefined, timeoutMs: number): Promise<HttpResponse> {
    const body = this.#bodyOf(stream);
    return new Promise((resolve, reject) => {
      const late = () => {
        // A connection that is only half open would take the next request, too.
        this.close();
        stream.close(constants.NGHTTP2_CANCEL);
        stream.destroy(httpError('HEADERS_TIMEOUT', 'no answer'));
      };
      const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs) : undefined;
      let fault: Error | undefined;
      stream.on('error', (error: Error) => {
        fault = error;
      });
      stream.once('response', (headers) => {
        clearTimeout(timer);
        resolve({ status: headers[':status'] ?? 0, headers: plain(headers), body });
      });
      stream.once('close', () => {
        clearTimeout(timer);
        reject(signal?.aborted === true ? (signal.reason as Error) : this.#whyUnanswered(stream, fault));
      });
    });
  }

  /**
   * The body of an answer. To read the stream itself would be wrong at both ends: of one that has been closed whole before anybody
   * reads it, Node says that it was cut off, and of one whose connection was closed in the middle, that it has ended.
   */
  #bodyOf(stream: ClientHttp2Stream): PassThrough {
    const body = stream.pipe(new PassThrough());
    body.on('error', () => undefined);
    body.once('close', () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.once('close', () => {
      if (stream.readableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
      body.destroy(stream.errored ?? httpError('CUT_OFF', 'the answer was cut off', { cause: this.#fault }));
    });
    return body;
  }

  #whyUnanswered(stream: ClientHttp2Stream, fault: Error | undefined): Error {
    if (this.#notBegun.has(stream) || stream.rstCode === constants.NGHTTP2_REFUSED_STREAM)
      return httpError('NOT_BEGUN', 'the server has not begun with the request', { cause: fault });
    return this.#fault ?? fault ?? httpError('CONNECTION_LOST', 'the connection was closed');
  }

  /** The server takes no more requests, and says up to which one it has begun (RFC 9113, section 6.8). */
  #leave(code: number, last: number): void {
    this.#isClosed = true;
    if (code !== constants.NGHTTP2_NO_ERROR) this.#fault ??= httpError('CONNECTION_LOST', `GOAWAY with code ${code}`);
    for (const stream of [...this.#streams].filter(({ id = 0 }) => id > last)) {
      this.#notBegun.add(stream);
      stream.close(constants.NGHTTP2_CANCEL);
      stream.destroy();
    }
  }

  #ping(): void {
    if (this.#session.destroyed || this.#session.connecting) return;
    if (this.#isAwaitingPing) {
      // After a pause of the whole process the answer may lie there already.
      setImmediate(() => {
        if (!this.#isAwaitingPing) return;
        this.#fault ??= Object.assign(new Error('no answer to a ping'), { code: 'ETIMEDOUT', syscall: 'read' });
        this.#session.destroy(this.#fault);
      });
      return;
    }
    this.#isAwaitingPing = this.#session.ping(() => {
      this.#isAwaitingPing = false;
    });
  }
}

function plain(headers: IncomingHttpHeaders): HttpResponse['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(':')));
}

function withoutConnection(headers: HttpRequest['headers']): Record<string, string | string[]> {
  const entries = Object.entries(headers).filter(([name]) => !perConnection.has(name.toLowerCase()));
  return Object.fromEntries(entries) as Record<string, string | string[]>;
}
