import { proxyRefusal } from './network-error.ts';

/** What a connection that failed says about the request that it was to carry. */
type Fault =
  /** It may be gone soon, and nothing has left: whatever the request was, another attempt does no harm. */
  | 'never sent'
  /** It may be gone soon; whether the request was carried out is not known. */
  | 'cut off'
  /** Another attempt would end in the same way. */
  | 'lasting';

/** A server starts again, its name or the way to it is unknown for a moment, or the runner has too much open. */
const neverSent = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'CONNECT_TIMEOUT',
  'NOT_BEGUN',
]);

/** A connection was there and broke, or stayed silent. */
const cutOff = new Set([
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'CONNECTION_LOST',
  'HEADERS_TIMEOUT',
  'BODY_TIMEOUT',
  'CUT_OFF',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_STREAM_PREMATURE_CLOSE',
]);

/** These come on an open connection, too: once it is known for good that the other end no longer answers (Linux tcp(7)). */
const alsoLate = new Set(['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN']);

/**
 * The one list of what passes, for all servers that are asked. Names that nobody knows (ENOTFOUND), certificates and what speaks no HTTP
 * stay what they are, as far as one can tell without knowing the server.
 */
export function faultOf(error: unknown): Fault {
  const proxy = proxyRefusal(error);
  if (proxy !== undefined) return isPassingStatus(proxy) ? 'never sent' : 'lasting';
  const faults = attemptsOf(error).map(faultOfOne);
  // Of several addresses of one name, some may be out of reach for good: those of IPv6 in a network without it.
  return faults.find((fault) => fault === 'cut off') ?? faults.find((fault) => fault === 'never sent') ?? 'lasting';
}

/** Whether a refusal with this status may be none soon: an overload, a server that starts, a moment without anybody behind it. */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

interface Coded {
  code: string;
  /** Of the system: `connect`, `read`, `write`. */
  syscall: unknown;
}

function faultOfOne({ code, syscall }: Coded): Fault {
  if (!neverSent.has(code) && !cutOff.has(code)) return 'lasting';
  if (syscall === 'connect') return 'never sent';
  return neverSent.has(code) && !alsoLate.has(code) ? 'never sent' : 'cut off';
}

/** The errors with a code at the root of this one: several when a name has several addresses. */
function attemptsOf(error: unknown): Coded[] {
  if (typeof error !== 'object' || error === null) return [];
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.flatMap(attemptsOf);
  if ('code' in error && typeof error.code === 'string')
    return [{ code: error.code, syscall: 'syscall' in error ? error.syscall : undefined }];
  return 'cause' in error ? attemptsOf(error.cause) : [];
}
