import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { boundedText } from '../../../src/base/bounded-text.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { createHttp } from '../../../src/http/create-http.ts';
import { Web } from '../../../src/google/web.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';

const limit = { value: 100_000, unit: 'bytes', what: 'an answer of a test' } as const;
let server: Server;
let url: string;
/** Bytes that were sent to whoever asks for an endless answer. */
let sent = 0;

beforeAll(async () => {
  server = createServer((asked, answer) => {
    sent = 0;
    const isWatch = asked.url?.includes('watch=true') === true;
    answer.writeHead(200, { 'content-type': 'application/json' });
    answer.write('{"kind":"Status","message":"');
    const chunk = 'x'.repeat(1_000_000);
    const pump = () => {
      while (!answer.destroyed && answer.write(chunk)) sent += chunk.length;
      sent += chunk.length;
    };
    answer.on('drain', pump);
    if (asked.url === '/short') answer.end('"}');
    else pump();
    if (isWatch) answer.flushHeaders();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const kubeconfig = () =>
  JSON.stringify({
    clusters: [{ name: 'a', cluster: { server: url } }],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    'current-context': 'a',
  });

test('an answer is read to its end, and no further than its limit', async () => {
  const http = createHttp();
  const ask = async (path: string) => (await http.request(`${url}${path}`, { method: 'GET', headers: {} })).body;
  await expect(boundedText(await ask('/short'), 'it', limit)).resolves.toBe('{"kind":"Status","message":""}');
  await expect(boundedText(await ask('/endless'), 'it', limit)).rejects.toThrow(
    'it is too long: the limit for an answer of a test is 100,000 bytes',
  );
  http.destroy();
});

test('an endless answer of a server that signing in asks is given up at 4 MiB', async () => {
  const web = new Web({ clock: systemClock, env: {} });
  await expect(web.ask({ url: `${url}/token`, purpose: 'get a token', attempts: 1 })).rejects.toThrow(
    /the limit for one response of a sign-in server is 4 MiB/,
  );
  expect(sent).toBeLessThan(64_000_000);
  web.close();
});

test('an endless answer of the API server is given up at 256 MiB and not asked for again', async () => {
  const connection = await connect({ kubeconfig: kubeconfig(), cwd: '/', env: {} });
  const client = createClient(connection, { clock: systemClock, userAgent: 'test' });
  await expect(client.resources()).rejects.toThrow('the limit for one response of the API server is 256 MiB');
  await client.close();
});
