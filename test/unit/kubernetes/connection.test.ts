import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect as connectSocket, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { connect, type ConnectOptions } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import { FakeClock, HastyClock } from '../../support/fake-clock.ts';
import { discoveryOf, scriptedServer } from '../../support/scripted-server.ts';
import { configMap } from './clients.ts';

const environment = { PATH: process.env['PATH'] };

function kubeconfig(server: string, user: object, cluster: object = {}): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster: { server, ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    'current-context': 'x',
  });
}

async function connectAs(user: object, more: Partial<ConnectOptions> = {}, server = 'https://10.0.0.1') {
  return await connect({ kubeconfig: kubeconfig(server, user), cwd: '/', env: environment, ...more });
}

async function headersOf(user: object): Promise<unknown> {
  const connection = await connectAs(user);
  const headers = await connection.authorize();
  connection.close();
  return headers;
}

describe('the user of a kubeconfig', () => {
  const folder = mkdtempSync(join(tmpdir(), 'connection-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, 'from-file\n');

  test.each<[string, object, object]>([
    ['a token', { token: 't' }, { Authorization: 'Bearer t' }],
    ['a token file', { tokenFile }, { Authorization: 'Bearer from-file' }],
    ['a token before its file', { token: 't', tokenFile }, { Authorization: 'Bearer t' }],
    ['name and password', { username: 'a', password: 'b' }, { Authorization: 'Basic YTpi' }],
    [
      'somebody else',
      { token: 't', as: 'bob', 'as-uid': '7', 'as-groups': ['g', 'h'], 'as-user-extra': { 'a/b': ['c'] } },
      {
        Authorization: 'Bearer t',
        'Impersonate-User': 'bob',
        'Impersonate-Uid': '7',
        'Impersonate-Group': ['g', 'h'],
        'Impersonate-Extra-a%2Fb': ['c'],
      },
    ],
  ])('may be %s', async (_, user, headers) => {
    await expect(headersOf(user)).resolves.toEqual(headers);
  });

  test('has its token file read again when a minute is over', async () => {
    const file = join(folder, 'rotated');
    writeFileSync(file, 'old');
    const clock = new FakeClock();
    const connection = await connectAs({ tokenFile: file }, { clock });
    writeFileSync(file, 'new');
    await expect(connection.authorize()).resolves.toEqual({ Authorization: 'Bearer old' });
    await clock.runFor(61_000);
    await expect(connection.authorize()).resolves.toEqual({ Authorization: 'Bearer new' });
    connection.close();
  });

  test('has its plugin asked once for many requests, again before the token expires, and again after a 401', async () => {
    const clock = new FakeClock();
    const log = join(folder, 'calls');
    const expires = new Date(clock.now() + 300_000).toISOString();
    const script = `echo x >> ${log}; printf '{"status":{"token":"%s","expirationTimestamp":"${expires}"}}' $(wc -l < ${log})`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', script] };
    const secrets: string[] = [];
    const connection = await connectAs({ exec }, { clock, onSecret: (secret) => secrets.push(secret) });
    const first = await connection.authorize();
    expect(await Promise.all([connection.authorize(), connection.authorize()])).toEqual([first, first]);
    await Promise.all([connection.refresh(first), connection.refresh(first), connection.refresh(first)]);
    const second = await connection.authorize();
    expect(second).toEqual({ Authorization: 'Bearer 2' });
    await clock.runFor(280_000);
    const all = await Promise.all([connection.authorize(), connection.authorize()]);
    expect(all).toEqual([{ Authorization: 'Bearer 3' }, { Authorization: 'Bearer 3' }]);
    expect(secrets).toEqual(['1', '2', '3']);
    connection.close();
  });

  test('that names a file that is not there is told which', async () => {
    await expect(connectAs({ tokenFile: '/nowhere/token' })).rejects.toThrow(
      'context "x" names the file "/nowhere/token", which cannot be read',
    );
  });

  test('of an OIDC provider has its token taken while it is valid', async () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'none' })}.${part({ exp: 4_000_000_000 })}.x`;
    const user = { 'auth-provider': { name: 'oidc', config: { 'id-token': token } } };
    await expect(headersOf(user)).resolves.toEqual({ Authorization: `Bearer ${token}` });
  });

  test('of an OIDC provider without a token has none', async () => {
    await expect(headersOf({ 'auth-provider': { name: 'oidc', config: { 'id-token': '' } } })).resolves.toEqual({});
  });

  test('of an auth provider that fails is told why', async () => {
    const user = { 'auth-provider': { name: 'oidc', config: { 'id-token': 'a.b.c' } } };
    await expect(connectAs(user)).rejects.toThrow('cannot get credentials for context "x": ');
  });

  test('has a certificate that stands in the kubeconfig taken before a file', async () => {
    const user = {
      'client-certificate-data': 'Y2VydA==',
      'client-certificate': '/nowhere/cert',
      'client-key': tokenFile,
    };
    const seen: string[] = [];
    const connection = await connectAs(user, { onSecret: (secret) => seen.push(secret) });
    expect(seen).toEqual(['from-file\n']);
    connection.close();
  });

  test('of the removed auth provider "azure" is told what to use, and none of its programs is started', async () => {
    const config = { 'cmd-path': 'sleep', 'cmd-args': '600' };
    await expect(connectAs({ 'auth-provider': { name: 'azure', config } })).rejects.toMatchObject({
      message: expect.stringContaining('signs in with the auth-provider "azure", which Kubernetes has removed'),
      hint: 'Create a kubeconfig that uses kubelogin, or one with a token.',
    });
  });

  test('of the removed auth provider "gcp" is told what to use', async () => {
    await expect(connectAs({ 'auth-provider': { name: 'gcp' } })).rejects.toMatchObject({
      hint: 'Create a kubeconfig that uses gke-gcloud-auth-plugin, or one with a token.',
    });
  });
});

test('a context is connected to by its server and namespace', async () => {
  const connection = await connectAs({ token: 't' }, {}, 'https://10.0.0.1:6443/k8s/clusters/c-1/');
  expect(connection).toMatchObject({
    server: 'https://10.0.0.1:6443/k8s/clusters/c-1',
    namespace: 'shop',
    context: 'x',
  });
  connection.close();
});

test.each(['10.0.0.1:6443', 'ftp://a', ''])('"%s" is no server', async (server) => {
  await expect(connectAs({}, {}, server)).rejects.toThrow(`the server "${server}" of context "x" is not a URL`);
});

describe('a password in the address of the server', () => {
  const server = 'https://jane:p%40ss%20word@10.0.0.1:6443/base/';

  test('signs in as kubectl does with it, and is no part of the address', async () => {
    const secrets: string[] = [];
    const connection = await connectAs({}, { onSecret: (secret) => secrets.push(secret) }, server);
    expect(connection.server).toBe('https://10.0.0.1:6443/base');
    expect(await connection.authorize()).toEqual({ Authorization: `Basic ${btoa('jane:p@ss word')}` });
    expect(secrets).toEqual(expect.arrayContaining(['p%40ss%20word', 'p@ss word', btoa('jane:p@ss word')]));
    connection.close();
  });

  test('does not count beside a token', async () => {
    const connection = await connectAs({ token: 't' }, {}, server);
    expect(await connection.authorize()).toEqual({ Authorization: 'Bearer t' });
    connection.close();
  });

  test('stands in no message', async () => {
    await expect(connectAs({}, {}, 'jane:secret@10.0.0.1')).rejects.toThrow('the server "10.0.0.1" of context "x"');
  });
});

test.each([
  ['client-key', { 'client-key': btoa('-----BEGIN KEY-----\nabcdefgh12345678') }],
  ['tokenFile', { tokenFile: 'abcd1234efgh5678ijkl' }],
])('a secret in place of a path in the field "%s" is not shown', async (field, user) => {
  await expect(connectAs(user)).rejects.toThrow(
    `context "x" has a value in its field "${field}" that is not a file path`,
  );
});

test('that any certificate is accepted is known', async () => {
  const insecure = kubeconfig('https://10.0.0.1', { token: 't' }, { 'insecure-skip-tls-verify': true });
  const [one, other] = [await connectAs({ token: 't' }, { kubeconfig: insecure }), await connectAs({ token: 't' })];
  expect([one.insecure, other.insecure]).toEqual([true, false]);
  one.close();
  other.close();
});

test('a context without its user is told so', async () => {
  const text = kubeconfig('https://10.0.0.1', {}).replace('"users":[{"name":"u"', '"users":[{"name":"v"');
  await expect(connect({ kubeconfig: text, cwd: '/', env: {} })).rejects.toThrow(
    'context "x" names the user "u", which the kubeconfig does not have',
  );
});

describe('requests on the way', () => {
  const read = async (server: string, options: { cluster?: object; env?: Record<string, string> }) => {
    const clock = new HastyClock();
    const text = kubeconfig(server, { token: 't', as: 'bob', 'as-groups': ['g', 'h'] }, options.cluster);
    const connection = await connect({ kubeconfig: text, cwd: '/', env: options.env ?? {}, clock });
    const client = createClient(connection, { clock, userAgent: 'test' });
    const object = await client.read({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'app' });
    await client.close();
    return object;
  };

  test('reach a server without TLS, such as kubectl proxy, and keep its path', async () => {
    const object = configMap('app');
    await using server = await scriptedServer(({ path }) => discoveryOf(path.replace('/base', '')) ?? { json: object });
    await expect(read(`${server.url}/base`, {})).resolves.toEqual(object);
    expect(server.received.at(-1)).toMatchObject({
      path: '/base/api/v1/namespaces/shop/configmaps/app',
      headers: { authorization: 'Bearer t', 'impersonate-user': 'bob', 'impersonate-group': 'g, h' },
    });
  });

  test('go through the proxy of the kubeconfig', async () => {
    await using server = await scriptedServer(({ path }) => discoveryOf(path) ?? { json: configMap('app') });
    await using proxy = await tunnel();
    await read(server.url, { cluster: { 'proxy-url': proxy.url } });
    expect(new Set(proxy.asked)).toEqual(new Set([new URL(server.url).host]));
  });
});

/** A proxy that tunnels (CONNECT) or forwards, and keeps where it was asked to go. */
async function tunnel() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const target = new URL(request.url ?? '');
    asked.push(target.host);
    void fetch(target, { headers: { authorization: request.headers.authorization ?? '' } }).then(async (answer) => {
      response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? '' });
      response.end(await answer.text());
    });
  });
  server.on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connectSocket(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
