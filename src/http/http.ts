/**
 * undici without what we do not use of it: its index loads fetch, WebSockets, caches and mocks too, a quarter of the time until
 * the first request. The version is pinned, and a test holds this to what its index offers.
 */
import type { Dispatcher } from 'undici';
import connect from 'undici/lib/api/api-connect.js';
import requestOn from 'undici/lib/api/api-request.js';
import Agent from 'undici/lib/dispatcher/agent.js';
import AnyDispatcher from 'undici/lib/dispatcher/dispatcher.js';
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js';

// What its index does; a ProxyAgent connects by it.
Object.assign(AnyDispatcher.prototype, { connect, request: requestOn });

export { Agent, ProxyAgent };
export type { Dispatcher };

type RequestOptions = Omit<Dispatcher.RequestOptions, 'origin' | 'path' | 'method'> & {
  method: string;
  dispatcher: Dispatcher;
};

/** Sends one request; redirects are not followed. @throws the errors of undici, with a `code` */
export async function request(
  url: string | URL,
  { dispatcher, ...options }: RequestOptions,
): Promise<Dispatcher.ResponseData> {
  const { origin, pathname, search } = new URL(url);
  return await dispatcher.request({ ...options, origin, path: `${pathname}${search}` });
}
