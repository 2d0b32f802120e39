import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type * as Undici from 'undici';

import { Agent, ProxyAgent, request } from '../../../src/http/http.ts';

let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer((incoming, response) => {
    response.setHeader('X-Asked', `${incoming.method ?? ''} ${incoming.url ?? ''}`);
    response.end('body');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  server.closeAllConnections();
});

async function loadIndex(): Promise<typeof Undici> {
  return await import('undici');
}

test('goes through a proxy', async () => {
  const asked: string[] = [];
  const proxy = createServer().on('connect', (incoming, socket: Duplex) => {
    asked.push(incoming.url ?? '');
    const { hostname, port } = new URL(`http://${incoming.url ?? ''}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const dispatcher = new ProxyAgent({
    uri: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    proxyTunnel: true,
  });
  // Before the index of undici is loaded, as in dist/: what it adds to all dispatchers must be there without it.
  const { body } = await request(`${url}/path`, { method: 'GET', dispatcher });
  expect(await body.text()).toBe('body');
  expect(asked).toEqual([new URL(url).host]);
  await dispatcher.destroy();
  proxy.close();
});

test('is what the index of undici offers', async () => {
  const undici = await loadIndex();
  expect(Agent).toBe(undici.Agent);
  expect(ProxyAgent).toBe(undici.ProxyAgent);
});

test.each(['/path', '/path?a=1&b=%20', '/'])('asks as undici does: %s', async (path) => {
  const undici = await loadIndex();
  const dispatcher = new Agent();
  const [own, theirs] = await Promise.all([
    request(`${url}${path}`, { method: 'GET', dispatcher }),
    undici.request(`${url}${path}`, { method: 'GET', dispatcher }),
  ]);
  expect(own.headers['x-asked']).toBe(`GET ${path}`);
  expect(own.headers['x-asked']).toBe(theirs.headers['x-asked']);
  expect(await own.body.text()).toBe(await theirs.body.text());
  await dispatcher.close();
});

test('fails with the codes of undici', async () => {
  const dispatcher = new Agent();
  await expect(request('http://127.0.0.1:1/', { method: 'GET', dispatcher })).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  });
  const signal = AbortSignal.abort(new Error('given up'));
  await expect(request(url, { method: 'GET', dispatcher, signal })).rejects.toThrow('given up');
  await dispatcher.close();
});
