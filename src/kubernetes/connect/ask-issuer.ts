import { createSecureContext } from 'node:tls';

import { boundedText } from '../../base/bounded-text.ts';
import { limits } from '../../base/limits.ts';
import { createHttp } from '../../http/create-http.ts';
import { proxyFor } from '../../http/proxy.ts';

interface Question {
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
}

interface IssuerAnswer {
  status: number;
  text: string;
}

export interface Way {
  /** Certificate authorities as PEM; absent: those that the runner trusts. */
  ca?: string;
  /** `HTTPS_PROXY`, `NO_PROXY` and the like. */
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
}

/** Asks the issuer of an OIDC provider once. Redirects are not followed. @throws Error when the address is not https, or none answers */
export async function askIssuer(
  url: string,
  { method, headers = {}, body }: Question,
  way: Way,
): Promise<IssuerAnswer> {
  if (URL.parse(url)?.protocol !== 'https:') throw new Error(`"${url}" is not an https URL`);
  const { ca, env, signal } = way;
  const http = createHttp({
    proxyTo: (server) => proxyFor(server, env),
    ...(ca === undefined ? {} : { tls: { context: () => createSecureContext({ ca }) } }),
  });
  try {
    const answer = await http.request(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
    return { status: answer.status, text: await boundedText(answer.body, new URL(url).host, limits.signInAnswer) };
  } finally {
    http.destroy();
  }
}
