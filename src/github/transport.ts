import { boundedText } from '../base/bounded-text.ts';
import { limits } from '../base/limits.ts';
import { Agent, ProxyAgent, request, type Dispatcher } from '../http/http.ts';
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
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  /** @throws the errors of undici, with a `code`; Failure for an answer that is too long */
  async fetch(url: string, { method, headers, body, signal }: Sent): Promise<Answered> {
    const response = await request(url, {
      method,
      headers,
      dispatcher: this.#dispatcherFor(proxyFor(new URL(url), this.#env)),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await boundedText(response.body, 'the response of GitHub', limits.gitHubAnswer);
    const plain = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)]);
    return { status: response.statusCode, url, headers: new Map(plain), text: () => Promise.resolve(text) };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }

  #dispatcherFor(proxy: URL | undefined): Dispatcher {
    const key = proxy?.href ?? '';
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      const options = { allowH2: false, keepAliveTimeout: 30_000 };
      dispatcher = proxy === undefined ? new Agent(options) : new ProxyAgent({ ...options, uri: proxy.href });
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }
}
