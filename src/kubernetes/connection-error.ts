import { Failure, messageOf } from '../base/errors.ts';

/** The API server could not be reached at all. */
export class ConnectionError extends Failure {}

const giveAuthority = 'Put the certificate authority of the cluster into the kubeconfig.';
const seeAddress = 'See whether the address and port of the kubeconfig are right.';
const seeRoute = 'See whether this runner has a route to it: a private endpoint needs a runner inside the network.';
const seeCut = 'Run it again; if it stays so, see whether a proxy or firewall cuts the connection.';

/** What the codes of Node, OpenSSL and undici mean, and what to do. */
const known: Readonly<Record<string, readonly [why: string, hint: string]>> = {
  ECONNREFUSED: [
    'nothing listens there',
    'See whether the address of the kubeconfig is right and the cluster is running.',
  ],
  ENOTFOUND: ['the name does not resolve', 'See whether the server name of the kubeconfig is right.'],
  EAI_AGAIN: ['the name does not resolve just now', 'See whether this runner has a working DNS.'],
  ETIMEDOUT: ['no answer', seeRoute],
  UND_ERR_CONNECT_TIMEOUT: ['no answer', seeRoute],
  EHOSTUNREACH: ['there is no route to it', seeRoute],
  ENETUNREACH: ['there is no route to it', seeRoute],
  UND_ERR_HEADERS_TIMEOUT: ['the connection stands, but no answer came', 'See whether the API server is overloaded.'],
  ECONNRESET: ['the connection was reset', seeCut],
  UND_ERR_SOCKET: ['the connection broke', seeCut],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['its certificate is self-signed', giveAuthority],
  SELF_SIGNED_CERT_IN_CHAIN: ['its certificate authority is not known', giveAuthority],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['its certificate authority is not known', giveAuthority],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['its certificate authority is not known', giveAuthority],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'Renew the certificate of the API server.'],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another name',
    'Use the name that the certificate has, or set tls-server-name in the kubeconfig.',
  ],
  EPROTO: ['it does not speak TLS', seeAddress],
  ERR_SSL_WRONG_VERSION_NUMBER: ['it does not speak TLS', seeAddress],
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: [
    'it asks for a client certificate',
    'Put a client certificate or a token into the kubeconfig.',
  ],
};

/** With a proxy, these are about the connection to it. */
const proxyIsDown = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);

/** Turns what the HTTP client threw into a sentence about the server, and the proxy in between where there is one. */
export function connectionError(error: unknown, server: string, proxy?: string): ConnectionError {
  const code = errorCode(error);
  const host = new URL(server).host + (proxy === undefined ? '' : ` through the proxy ${proxy}`);
  const refused = /Proxy response \((?<status>\d+)\)/.exec(messageOf(error))?.groups?.['status'];
  if (refused !== undefined) {
    return new ConnectionError(`cannot reach the API server at ${host}: the proxy answered ${refused}`, {
      cause: error,
      hint:
        refused === '407'
          ? 'Put the name and password of the proxy into its URL.'
          : 'Have the proxy let this address through, or name it in NO_PROXY.',
    });
  }
  if (proxy !== undefined && proxyIsDown.has(code)) {
    return new ConnectionError(`cannot reach the API server at ${host}: ${known[code]?.[0] ?? code}`, {
      cause: error,
      hint: 'See whether this proxy is running, or name the server in NO_PROXY.',
    });
  }
  const [why, hint] = known[code] ?? [messageOf(error), 'See whether this runner can reach the cluster.'];
  return new ConnectionError(`cannot reach the API server at ${host}: ${why}`, { cause: error, hint });
}

/** The code of an error or of the errors below it. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0]);
  return 'cause' in error ? errorCode(error.cause) : '';
}
