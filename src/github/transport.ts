import { boundedText } from '../base/bounded-text.ts';
import { limits } from '../base/limits.ts';
import { createHttp } from '../http/create-http.ts';
import type { Http } from '../http/http.ts';
import { proxyFor } from '../http/proxy.ts';

/** What octokit passes to `fetch`. */
interface Sent {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
}

/** What octokit reads of an answer. */
interface Answered {
  status: number;
  url: string;
  headers: Map<string, string>;
  text: () => Promise<string>;
}

/**
 * Carries octokit's requests by the client that all servers are asked with: the proxies of the environment by one set of rules, no
 * second HTTP library to load. Redirects are not followed: what they lead to must not see the token.
 */
export class Transport {
  readonly #http: Http;

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#http = createHttp({ proxyTo: (server) => proxyFor(server, env) });
  }

  /** @throws the errors of `Http`; Failure for an answer that is too long */
  async fetch(url: string, { method, headers, body, signal }: Sent): Promise<Answered> {
    const response = await this.#http.request(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await boundedText(response.body, 'the response of GitHub', limits.gitHubAnswer);
    const plain = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
    return { status: response.status, url, headers: new Map(plain), text: () => Promise.resolve(text) };
  }

  close(): void {
    this.#http.destroy();
  }
}
