import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:https';

import { expect, test } from '@jest/globals';

import { askDirectly, type Question } from '../../../src/verify/direct.ts';
import { scriptedServer } from '../../support/scripted-server.ts';

const question: Question = { method: 'GET', path: '/', headers: {}, timeoutMs: 5000 };
const never = new AbortController().signal;

async function ask(url: string, more: Partial<Question> = {}, signal = never) {
  return await askDirectly(new URL(url), { ...question, ...more }, signal);
}

test('a request brings back status, headers and body, and sends what it is given', async () => {
  await using server = await scriptedServer(({ body }) => ({
    status: 201,
    headers: { 'X-A': 'b' },
    text: `got ${body}`,
  }));
  const attempt = await ask(`${server.url}/x?y=1`, { method: 'POST', headers: { 'X-Team': 'shop' }, send: 'ä' });
  expect(attempt).toMatchObject({ state: 'answered', answer: { status: 201, body: 'got ä' } });
  expect(attempt.state === 'answered' ? attempt.answer.headers['x-a'] : undefined).toBe('b');
  expect(server.received[0]).toMatchObject({ method: 'POST', path: '/x', headers: { 'x-team': 'shop' } });
});

test('each request has a connection of its own, since a kept one would go to the same pod', async () => {
  const ports = new Set<number | undefined>();
  await using server = await scriptedServer(() => (response) => {
    ports.add(response.socket?.remotePort);
    response.end('ok');
  });
  for (let count = 0; count < 5; count += 1) await ask(server.url);
  expect(ports.size).toBe(5);
});

test('redirects are answers', async () => {
  await using server = await scriptedServer(() => ({ status: 302, headers: { Location: '/login' }, text: '' }));
  expect(await ask(server.url)).toMatchObject({ answer: { status: 302 } });
  expect(server.received).toHaveLength(1);
});

test('a connection that is cut is told from one that is refused', async () => {
  const server = await scriptedServer(() => 'reset');
  expect(await ask(server.url)).toMatchObject({ state: 'broken', problem: 'reset' });
  await server[Symbol.asyncDispose]();
  expect(await ask(server.url)).toMatchObject({ state: 'broken', problem: 'refused' });
});

test('a server that does not answer in time is given up, also in the middle of a body', async () => {
  await using silent = await scriptedServer(() => 'silence');
  expect(await ask(silent.url, { timeoutMs: 50 })).toEqual({
    state: 'broken',
    problem: 'timeout',
    message: 'no response within 0.05 s',
  });
  await using stalled = await scriptedServer(() => (response) => {
    response.writeHead(200).write('half');
  });
  expect(await ask(stalled.url, { timeoutMs: 50 })).toMatchObject({ problem: 'timeout' });
});

test('a body of any length ends', async () => {
  await using server = await scriptedServer(() => (response) => {
    const chunk = 'x'.repeat(65_536);
    const write = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on('drain', write).on('error', () => undefined);
    write();
  });
  const attempt = await ask(server.url);
  expect(attempt.state === 'answered' ? attempt.answer.body.length : 0).toBe(1_048_576);
});

test('a name that does not resolve, and a server without TLS, have words of their own', async () => {
  const unresolved = await ask('http://nobody.invalid/');
  expect(unresolved.state === 'lost' ? unresolved.message : unresolved).toMatch(/^the name does not resolve/);
  const plain = createTcpServer((socket) => socket.end('no TLS here\r\n'));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  expect(await ask(`https://127.0.0.1:${(plain.address() as AddressInfo).port}/`)).toMatchObject({ problem: 'tls' });
  plain.close();
  const tls = createTlsServer({});
  await new Promise<void>((resolve) => tls.listen(0, '127.0.0.1', resolve));
  expect(await ask(`https://127.0.0.1:${(tls.address() as AddressInfo).port}/`)).toMatchObject({ problem: 'tls' });
  tls.close();
});

test('a run that is cancelled ends the request with its own reason', async () => {
  await using server = await scriptedServer(() => 'silence');
  const controller = new AbortController();
  const asked = ask(server.url, {}, controller.signal);
  controller.abort(new Error('cancelled'));
  await expect(asked).rejects.toThrow('cancelled');
});
