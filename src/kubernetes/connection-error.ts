import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { meaningOf, proxyRefusal } from '../http/network-error.ts';

/** The API server could not be reached at all. */
export class ConnectionError extends Failure {}

/** Somebody in between has answered, and not the API server: whether it has done what it was asked is not known. */
export class ForeignAnswer extends ConnectionError {}

/** An answer had begun when it broke off: whoever made it has been reached. */
export class AnswerBrokeOff extends ConnectionError {}

const giveAuthority = 'Put the certificate authority of the cluster into the kubeconfig.';
const seeAddress = 'See whether the address and port of the kubeconfig are right.';
const seeRoute = 'See whether this runner has a route to it: a private endpoint needs a runner inside the network.';
const seeCut = 'Run it again; if it stays so, see whether a proxy or firewall cuts the connection.';

/** What to do about the codes of Node, OpenSSL and undici. */
const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'See whether the address of the kubeconfig is right and the cluster is running.',
  ENOTFOUND: 'See whether the server name of the kubeconfig is right.',
  EAI_AGAIN: 'See whether this runner has a working DNS.',
  ETIMEDOUT: seeRoute,
  UND_ERR_CONNECT_TIMEOUT: seeRoute,
  EHOSTUNREACH: seeRoute,
  ENETUNREACH: seeRoute,
  EHOSTDOWN: seeRoute,
  ENETDOWN: seeRoute,
  UND_ERR_HEADERS_TIMEOUT: 'See whether the API server is overloaded.',
  ECONNRESET: seeCut,
  UND_ERR_SOCKET: seeCut,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: seeCut,
  DEPTH_ZERO_SELF_SIGNED_CERT: giveAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: giveAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: giveAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: giveAuthority,
  CERT_HAS_EXPIRED: 'Renew the certificate of the API server.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use the name that the certificate has, or set tls-server-name in the kubeconfig.',
  EPROTO: seeAddress,
  ERR_SSL_WRONG_VERSION_NUMBER: seeAddress,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'Put a client certificate or a token into the kubeconfig.',
};

/** With a proxy, these are about the connection to it. */
const proxyIsDown = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * Turns what the HTTP client threw into a sentence about the server, and the proxy in between where there is one.
 * @param advice what to do, from whoever knows the server better than a kubeconfig does
 */
export function connectionError(error: unknown, server: string, proxy?: string, advice?: string): ConnectionError {
  const code = errorCode(error);
  const host = new URL(server).host + (proxy === undefined ? '' : ` through the proxy ${proxy}`);
  const refused = proxyRefusal(error);
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
    return new ConnectionError(`cannot reach the API server at ${host}: ${meaningOf(code) ?? code}`, {
      cause: error,
      hint: 'See whether this proxy is running, or name the server in NO_PROXY.',
    });
  }
  return new ConnectionError(`cannot reach the API server at ${host}: ${meaningOf(code) ?? messageOf(error)}`, {
    cause: error,
    hint: advice ?? hints[code] ?? 'See whether this runner can reach the cluster.',
  });
}
