/** What the codes of Node, OpenSSL and undici mean, as a part of a sentence. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve right now',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  EHOSTDOWN: 'there is no route to it',
  ENETDOWN: 'there is no route to it',
  UND_ERR_HEADERS_TIMEOUT: 'connected, but no response',
  UND_ERR_BODY_TIMEOUT: 'the response was cut off',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the response was cut off',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was lost',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate authority is unknown',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate authority is unknown',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is unknown',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for a different name',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it requires a client certificate',
};

/** Why nothing came back, in words; undefined for a code that says nothing to us. */
export function meaningOf(code: string): string | undefined {
  return meanings[code];
}

/** The status with which a proxy refused to let a connection through, such as 407; undefined for any other error. */
export function proxyRefusal(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : '';
  const found = /Proxy response \((?<status>\d+)\)/.exec(message)?.groups?.['status'];
  if (found !== undefined) return found;
  return error instanceof Error && error.cause !== undefined ? proxyRefusal(error.cause) : undefined;
}
