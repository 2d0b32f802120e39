import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { meaningOf, proxyRefusal } from '../http/network-error.ts';

/** The API server could not be reached at all. */
export class ConnectionError extends Failure {}

/** Somebody in between has answered, and not the API server: whether it has done what it was asked is not known. */
export class ForeignAnswer extends ConnectionError {}

/** An answer had begun when it broke off: whoever made it has been reached. */
export class AnswerBrokeOff extends ConnectionError {}

const giveAuthority = 'Put the certificate authority of the cluster into the kubeconfig.';
const seeAddress = 'Check the address and port in the kubeconfig.';
const seeRoute = 'Check that this runner has a route to it: a private endpoint needs a runner inside the network.';
const seeCut = 'Run it again; if it keeps failing, check whether a proxy or firewall cuts the connection.';

/** What to do about the codes of Node, OpenSSL and `HttpFault`. */
const hints: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Check the address in the kubeconfig, and that the cluster is running.',
  ENOTFOUND: 'Check the server name in the kubeconfig.',
  EAI_AGAIN: 'Check that DNS works on this runner.',
  ETIMEDOUT: seeRoute,
  CONNECT_TIMEOUT: seeRoute,
  EHOSTUNREACH: seeRoute,
  ENETUNREACH: seeRoute,
  EHOSTDOWN: seeRoute,
  ENETDOWN: seeRoute,
  HEADERS_TIMEOUT: 'Check whether the API server is overloaded.',
  ECONNRESET: seeCut,
  CONNECTION_LOST: seeCut,
  CUT_OFF: seeCut,
  ERR_HTTP2_STREAM_ERROR: seeCut,
  ERR_HTTP2_SESSION_ERROR: seeCut,
  ERR_STREAM_PREMATURE_CLOSE: seeCut,
  DEPTH_ZERO_SELF_SIGNED_CERT: giveAuthority,
  SELF_SIGNED_CERT_IN_CHAIN: giveAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: giveAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: giveAuthority,
  CERT_HAS_EXPIRED: 'Renew the certificate of the API server.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use the name in the certificate, or set tls-server-name in the kubeconfig.',
  EPROTO: seeAddress,
  ERR_SSL_WRONG_VERSION_NUMBER: seeAddress,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'Put a client certificate or a token into the kubeconfig.',
};

/** With a proxy, these are about the connection to it. */
const proxyIsDown = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'CONNECT_TIMEOUT']);

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
        refused === 407
          ? 'Put the name and password of the proxy into its URL.'
          : 'Allow this address in the proxy, or add it to NO_PROXY.',
    });
  }
  if (proxy !== undefined && proxyIsDown.has(code)) {
    return new ConnectionError(`cannot reach the API server at ${host}: ${meaningOf(code) ?? code}`, {
      cause: error,
      hint: 'Check that this proxy is running, or add the server to NO_PROXY.',
    });
  }
  return new ConnectionError(`cannot reach the API server at ${host}: ${meaningOf(code) ?? messageOf(error)}`, {
    cause: error,
    hint: advice ?? hints[code] ?? 'Check that this runner can reach the cluster.',
  });
}
