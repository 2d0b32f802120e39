import { validateHeaderValue } from 'node:http';
import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';

import { errorCode } from '../base/errors.ts';
import { closed, httpError, isSilence, noAnswer, type Carrier, type HttpRequest, type HttpResponse } from './http.ts';

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
  readonly #socket: Socket;
  /** As in a URL: Node's own leaves out the brackets of an address of IPv6. */
  readonly #authority: string;
  readonly #streams = new Set<ClientHttp2Stream>();
  readonly #notBegun = new WeakSet<ClientHttp2Stream>();
  readonly #pings: NodeJS.Timeout;
  #isClosed = false;
  #isAwaitingPing = false;
  #bytesRead = 0;
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
    this.#socket = socket;
    this.#authority = origin.host;
    session.unref();
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
    if (!this.isOpen) throw notBegun();
    const pseudo = { ':authority': this.#authority, ':method': method, ':path': path };
    const stream = this.#open({ ...ownHeaders(headers), ...pseudo }, body);
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
    if (signal?.aborted === true) giveUp();
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
    // Of one that was told to end, Node waits for the other side.
    setImmediate(() => this.#socket.destroy());
  }

  #open(headers: Record<string, string | string[]>, body: string | undefined): ClientHttp2Stream {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const stream = this.#session.request({ ...headers, ...length }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    return stream;
  }

  #answerTo(stream: ClientHttp2Stream, signal: AbortSignal | undefined, timeoutMs: number): Promise<HttpResponse> {
    const body = this.#bodyOf(stream);
    return new Promise((resolve, reject) => {
      const late = () => {
        // A connection that is only half open would take the next request, too.
        this.close();
        stream.close(constants.NGHTTP2_CANCEL);
        stream.destroy(noAnswer());
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
    const body = stream.pipe(new PassThrough(), { end: false });
    // A connection that is reset after it was told to end lets its streams end as if they were whole.
    stream.once('end', () => {
      if (!stream.destroyed) body.end();
    });
    body.on('error', () => undefined);
    body.once('close', () => {
      if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.once('close', () => {
      if (body.writableEnded && stream.rstCode === constants.NGHTTP2_NO_ERROR) return;
      body.destroy(stream.errored ?? httpError('CUT_OFF', 'the answer was cut off', { cause: this.#fault }));
    });
    return body;
  }

  #whyUnanswered(stream: ClientHttp2Stream, fault: Error | undefined): Error {
    const isRefused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM || unsent.has(errorCode(fault));
    if (this.#notBegun.has(stream) || isRefused) return notBegun(fault);
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
    const { bytesRead } = this.#socket;
    const isSilent = bytesRead === this.#bytesRead;
    this.#bytesRead = bytesRead;
    if (this.#isAwaitingPing) {
      // The answer may be behind others on a slow line; and after a pause of the whole process it may lie there already.
      if (!isSilent) return;
      setImmediate(() => {
        if (!this.#isAwaitingPing || this.#socket.bytesRead !== bytesRead) return;
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

/** By names in lower case, the last one of each; checked, since Node checks those of HTTP/1.1 alone. */
function ownHeaders(headers: HttpRequest['headers']): Record<string, string | string[]> {
  const own: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (perConnection.has(key)) continue;
    for (const one of [value].flat()) validateHeaderValue(name, one);
    own[key] = typeof value === 'string' ? value : [...value];
  }
  return own;
}

/** Codes of Node for streams of a connection that has ended before they began. */
const unsent = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION']);

function notBegun(cause?: unknown): Error {
  return httpError('NOT_BEGUN', 'the server has not started on the request', { cause });
}
