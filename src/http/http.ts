import { errorCode } from '../base/errors.ts';

/** Names to values; a name may come several times. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[]>>;

export interface HttpRequest {
  method: string;
  headers: RequestHeaders;
  body?: string;
  /** Gives it up: until the answer begins by a rejection, later by an error of the body, each with the reason. */
  signal?: AbortSignal;
  /** How long its answer may take to begin. */
  headersTimeoutMs?: number;
}

export interface HttpResponse {
  status: number;
  /** By names in lower case. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Ends with an error unless it was whole. Whoever leaves it before its end gives the request up. */
  body: AsyncIterable<Buffer>;
}

/** Sends requests to servers, on connections that it keeps. */
export interface Http {
  /**
   * Sends a request; redirects are not followed.
   * @throws errors with a `code`, of Node or of `httpError`; the reason of the signal
   */
  request(url: string | URL, request: HttpRequest): Promise<HttpResponse>;
  /** Takes no more requests; those under way may end. */
  close(): void;
  /** Ends all connections at once, also those of requests under way. */
  destroy(): void;
}

/** A way to one server that stands: one connection with many streams, or several with a request each. */
export interface Carrier {
  /** Whether it takes requests. */
  readonly isOpen: boolean;
  /** Whether it carries nothing any more, and will not. */
  readonly isEnded: boolean;
  request(path: string, request: HttpRequest): Promise<HttpResponse>;
  close(): void;
  destroy(): void;
}

/** What went wrong apart from what the system and TLS report. */
export type HttpFault =
  /** No connection came about in time. */
  | 'CONNECT_TIMEOUT'
  /** Connected and asked, but no answer began in time. */
  | 'HEADERS_TIMEOUT'
  /** An answer began, and stays silent. */
  | 'BODY_TIMEOUT'
  /** The connection ended before an answer began. */
  | 'CONNECTION_LOST'
  /** An answer ended before its end. */
  | 'CUT_OFF'
  /** The server has said that it has not begun with the request. */
  | 'NOT_BEGUN'
  /** The proxy in between let nobody through; with its `status`. */
  | 'PROXY_REFUSED';

/** An error as those of the system look. */
export function httpError(code: HttpFault, message: string, more: { cause?: unknown; status?: number } = {}): Error {
  const { cause, ...rest } = more;
  return Object.assign(new Error(message, cause === undefined ? {} : { cause }), { code, ...rest });
}

/** What was asked in vain. */
export function noAnswer(cause?: unknown): Error {
  return httpError('HEADERS_TIMEOUT', 'no answer', cause === undefined ? {} : { cause });
}

/** What is under way when a client ends. */
export function closed(): Error {
  return httpError('CONNECTION_LOST', 'the client was closed');
}

/** Whether a request was given up because its server stayed silent: what carried it may be a connection of which only half is left. */
export function isSilence(reason: unknown): boolean {
  return errorCode(reason) === 'BODY_TIMEOUT' || (reason as Partial<Error> | undefined)?.name === 'TimeoutError';
}
