import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import { describe, expect, test } from '@jest/globals';

import { messageOf } from '../../../src/base/errors.ts';
import { Web } from '../../../src/google/web.ts';
import { open } from '../../../src/kubernetes/connect/endpoint.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { discoveryOf, scriptedServer, type Reply } from '../../support/scripted-server.ts';

type Environment = Readonly<Record<string, string>>;

interface Asked {
  /** What was thrown in the end, or undefined after an answer. */
  message: string | undefined;
  /** The pauses between attempts. */
  waits: number[];
}

/** Asks as the client of Google's APIs does. */
async function asGoogle(url: string, env: Environment): Promise<Asked> {
  const clock = new HastyClock();
  const web = new Web({ clock, env, random: () => 0.5 });
  try {
    const { status } = await web.ask({ url: `${url}/x`, purpose: 'try' });
    return { message: status < 300 ? undefined : `HTTP ${status}`, waits: clock.sleeps };
  } catch (error) {
    return { message: messageOf(error), waits: clock.sleeps };
  } finally {
    web.close();
  }
}

/** Asks as the client of the API server does. */
async function asCluster(url: string, env: Environment): Promise<Asked> {
  const clock = new HastyClock();
  const credentials = () => Promise.resolve({ headers: {} });
  const connection = await open({ server: url, context: 'test', namespace: 'default', credentials }, { clock, env });
  const client = createClient(connection, { clock, userAgent: 'test', random: () => 0.5 });
  try {
    await client.read({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'app' });
    return { message: undefined, waits: clock.sleeps };
  } catch (error) {
    return { message: messageOf(error), waits: clock.sleeps };
  } finally {
    await client.close();
  }
}

const app = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'app', namespace: 'shop' } };

/** Asks a server whose first answer is this one. */
async function afterFirst(ask: typeof asGoogle, first: Reply): Promise<Asked> {
  let count = 0;
  await using server = await scriptedServer(({ path }) => {
    count += path.startsWith('/api/v1/') || path === '/x' ? 1 : 0;
    return discoveryOf(path) ?? (count === 1 ? first : { json: app });
  });
  return await ask(server.url, {});
}

/** A proxy that lets nobody through. */
async function refusingProxy(status: string) {
  const server = createServer();
  server.on('connect', (_, socket) => socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Half of an answer, on a connection that is closed behind it. */
const half =
  (head: string): Reply =>
  (response) =>
    response.socket?.end(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n${head}`);

describe.each([
  ['Google', asGoogle],
  ['the API server', asCluster],
])('%s is asked again', (_, ask) => {
  test('when there is no route just now', async () => {
    // No TCP goes to an address of a group: the kernel itself says so at once.
    const { message, waits } = await ask('https://224.0.0.1', {});
    expect(message).toContain('there is no route to it');
    expect(waits.length).toBeGreaterThan(2);
  });

  test.each(['502 Bad Gateway', '503 Service Unavailable', '429 Too Many Requests'])(
    'when the proxy in between answers %s',
    async (status) => {
      await using proxy = await refusingProxy(status);
      const { message, waits } = await ask('https://server.example.com', { HTTPS_PROXY: proxy.url });
      expect(message).toContain(`the proxy answered ${status.slice(0, 3)}`);
      expect(waits.length).toBeGreaterThan(2);
    },
  );

  test.each(['407 Proxy Authentication Required', '403 Forbidden', '501 Not Implemented'])(
    'not when the proxy in between answers %s',
    async (status) => {
      await using proxy = await refusingProxy(status);
      const { message, waits } = await ask('https://server.example.com', { HTTPS_PROXY: proxy.url });
      expect(message).toContain(`the proxy answered ${status.slice(0, 3)}`);
      expect(waits).toEqual([]);
    },
  );

  test.each([
    ['shorter than it says', half('Content-Length: 100\r\n\r\n{"kind":')],
    ['without its last part', half('Transfer-Encoding: chunked\r\n\r\n8\r\n{"kind":\r\n')],
  ])('when an answer is %s', async (_, reply) => {
    const { message, waits } = await afterFirst(ask, reply);
    expect(message).toBeUndefined();
    expect(waits).toHaveLength(1);
  });

  test.each([408, 429, 500, 502, 503, 504])('when it answers %i', async (status) => {
    const { message, waits } = await afterFirst(ask, { status, json: {} });
    expect(message).toBeUndefined();
    expect(waits).toHaveLength(1);
  });

  test.each([400, 409, 501])('not when it answers %i', async (status) => {
    const { message, waits } = await afterFirst(ask, { status, json: { kind: 'Status' } });
    expect(message).toBeDefined();
    expect(waits).toEqual([]);
  });

  test.each([
    ['seconds', { 'Retry-After': '7' }],
    ['a date', { 'Retry-After': 'Sun, 06 Nov 1994 08:49:37 GMT', Date: 'Sun, 06 Nov 1994 08:49:30 GMT' }],
  ])('after a Retry-After in %s', async (_, headers) => {
    const { message, waits } = await afterFirst(ask, { status: 503, headers, json: {} });
    expect(message).toBeUndefined();
    expect(waits).toEqual([7000]);
  });
});
