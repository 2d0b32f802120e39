import type { IncomingMessage, ServerResponse } from 'node:http';

/** What may come in the place of GitHub's answer. */
export type Fault =
  | { status: number; message?: string; headers?: Record<string, string> }
  /** A page for people, as a proxy or a login has it: with 200, or as an error. */
  | { html: number }
  /** 200 without a body. */
  | 'empty'
  /** 200 with a list without entries. */
  | 'empty page'
  /** The connection breaks before anything was done. */
  | 'reset'
  /** Nothing is done, and nothing ever comes. */
  | 'silence'
  /** It is done, but the connection breaks before the answer. */
  | 'lost answer'
  /** It is done, and a gateway answers 502. */
  | 'lost to a gateway';

/** "You have exceeded a secondary rate limit": with or without the seconds to wait (docs.github.com/rest/using-the-rest-api). */
export function secondaryLimit(options: { status?: 403 | 429; retryAfter?: number } = {}): Fault {
  const { status = 403, retryAfter } = options;
  return {
    status,
    message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
    headers: retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) },
  };
}

/** Whether the operation is carried out all the same. */
export function isDone(fault: Fault): boolean {
  return fault === 'lost answer' || fault === 'lost to a gateway';
}

export function answerWith(fault: Fault, request: IncomingMessage, response: ServerResponse): void {
  const page = '<!DOCTYPE html>\n<html><body><h1>Sign in</h1></body></html>';
  switch (fault) {
    case 'silence':
      return;
    case 'reset':
    case 'lost answer':
      request.socket.resetAndDestroy();
      return;
    case 'empty':
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end();
      return;
    case 'empty page':
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end('[]');
      return;
    case 'lost to a gateway':
      response.writeHead(502, { 'content-type': 'text/html' }).end(page);
      return;
    default:
      if ('html' in fault) {
        response.writeHead(fault.html, { 'content-type': 'text/html; charset=utf-8' }).end(page);
      } else {
        const headers = { 'content-type': 'application/json; charset=utf-8', ...fault.headers };
        response.writeHead(fault.status, headers).end(JSON.stringify({ message: fault.message ?? 'Server Error' }));
      }
  }
}
