import { isHeaderName } from './field-values.ts';

/** What a connection says for itself (RFC 9110 7.6.1, RFC 9112 6); said by a check as well, requests would break. */
const ofTheConnection: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export interface HeaderUse {
  /** The check sends it; otherwise it is expected of an answer. */
  isSent: boolean;
  /** It would go through the API server, whatever else is reachable. */
  throughApiServer: boolean;
}

/** A problem with one of the headers of a check. Values are not repeated: they may be secret. */
interface HeaderProblem {
  message: string;
  hint: string;
}

/** What is wrong with a header of a check, so that it could never be sent or be found. */
export function headerProblem(name: string, value: string, use: HeaderUse): HeaderProblem | undefined {
  const key = name.toLowerCase();
  if (!isHeaderName(name)) return { message: `"${name}" is not a valid header name`, hint: 'Fix it.' };
  if (/[\r\n]/.test(value)) {
    return { message: `the value of the header "${name}" has a line break`, hint: 'Write it on one line.' };
  }
  // As Node has it (lib/_http_common.js, checkInvalidHeaderChar).
  if (/[^\t\x20-\x7e\x80-\xff]/.test(value)) {
    return {
      message: `the value of the header "${name}" has a character that is not allowed in a header`,
      hint: 'Use printable ASCII characters only.',
    };
  }
  if (!use.isSent) return undefined;
  if (ofTheConnection.has(key)) {
    return { message: `the header "${name}" belongs to the connection and cannot be set`, hint: 'Remove it.' };
  }
  if (use.throughApiServer && isForApiServer(name)) {
    return {
      message: `the header "${name}" cannot be sent through the API server, which uses it itself`,
      hint: 'Use "url", "via: address" or "via: cluster".',
    };
  }
  return undefined;
}

/** Whether the API server takes a header for itself and does not pass it on. */
export function isForApiServer(name: string): boolean {
  return /^(?:authorization$|impersonate-)/i.test(name);
}
