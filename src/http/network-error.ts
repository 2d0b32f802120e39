import { errorCode } from '../base/errors.ts';

/** What the codes of Node, OpenSSL and `HttpFault` mean, as a part of a sentence. */
const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve right now',
  ETIMEDOUT: 'no answer',
  CONNECT_TIMEOUT: 'no answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  EHOSTDOWN: 'there is no route to it',
  ENETDOWN: 'there is no route to it',
  HEADERS_TIMEOUT: 'connected, but no response',
  BODY_TIMEOUT: 'the response was cut off',
  CUT_OFF: 'the response was cut off',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  CONNECTION_LOST: 'the connection was lost',
  NOT_BEGUN: 'the server takes no requests right now',
  ERR_HTTP2_STREAM_ERROR: 'the connection was lost',
  ERR_HTTP2_SESSION_ERROR: 'the connection was lost',
  ERR_STREAM_PREMATURE_CLOSE: 'the response was cut off',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate authority is unknown',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate authority is unknown',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate authority is unknown',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for a different name',
  ERR_OSSL_PEM_NO_START_LINE: 'a certificate or key of the kubeconfig is not PEM',
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: 'the client certificate and its key do not belong together',
  EPROTO: 'it does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it requires a client certificate',
};

/** Why nothing came back, in words; undefined for a code that says nothing to us. */
export function meaningOf(code: string): string | undefined {
  return meanings[code];
}

/** The status with which a proxy refused to let a connection through, such as 407; undefined for any other error. */
export function proxyRefusal(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  if (errorCode(error) === 'PROXY_REFUSED' && 'status' in error) return Number(error.status);
  return proxyRefusal(error.cause);
}
