import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { constants } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';

import { describe, expect, test } from '@jest/globals';

import { boundedText } from '../../../src/base/bounded-text.ts';
import { createHttp } from '../../../src/http/create-http.ts';
import type { Http, HttpRequest } from '../../../src/http/http.ts';
import { Http2Carrier } from '../../../src/http/http2.ts';
import { faultOf } from '../../../src/http/passing.ts';
import { openSocket } from '../../../src/http/socket.ts';
import { certificateFor } from '../../support/certificate.ts';
import { tlsServer, wireTo, type TlsServer } from '../../support/tls-server.ts';

const anyLength = { what: 'an answer of a test', value: 64_000_000, unit: 'bytes' } as const;

async function ask(http: Http, url: string, more: Partial<HttpRequest> = {}) {
  const { status, headers, body } = await http.request(url, { method: 'GET', headers: {}, ...more });
  return { status, headers, text: await boundedText(body, 'it', anyLength) };
}

function clientOf({ tls }: TlsServer): Disposable & { http: Http } {
  const http = createHttp({ tls, http2: true, maxConnections: 16 });
  return {
    http,
    [Symbol.dispose]: () => {
      http.destroy();
    },
  };
}

async function faultIn(asked: Promise<unknown>): Promise<{ code: unknown; fault: string }> {
  const error: unknown = await asked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toHaveProperty('message');
  return { code: (error as NodeJS.ErrnoException).code, fault: faultOf(error) };
}

/** Says what it was asked. */
function echo() {
  const asked: string[] = [];
  const answer: Parameters<typeof tlsServer>[0] = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      asked.push(`${request.httpVersion} ${request.method} ${request.url} ${body}`);
      response.setHeader('Warning', ['299 - "one"', '299 - "two"']);
      response.end(JSON.stringify({ headers: request.headers, body }));
    });
  };
  return { asked, answer };
}

describe.each([
  ['HTTP/2', true, '2.0'],
  ['HTTP/1.1', false, '1.1'],
])('a server that speaks %s', (_, http2, version) => {
  test('gets what is sent, to the byte', async () => {
    const { asked, answer } = echo();
    await using server = await tlsServer(answer, { http2 });
    using client = clientOf(server);
    const headers = { 'Content-Type': 'application/json', 'Impersonate-Group': ['a', 'b'] };
    for (const method of ['POST', 'PATCH', 'PUT', 'DELETE'])
      await ask(client.http, `${server.url}/path?a=1&b=%20`, { method, headers, body: '{"größe":1}' });
    const { status, headers: answered, text } = await ask(client.http, `${server.url}/`, { headers });
    expect(asked).toEqual([
      ...['POST', 'PATCH', 'PUT', 'DELETE'].map((method) => `${version} ${method} /path?a=1&b=%20 {"größe":1}`),
      `${version} GET / `,
    ]);
    expect(status).toBe(200);
    expect(answered['warning']).toBe('299 - "one", 299 - "two"');
    expect(JSON.parse(text)).toMatchObject({ headers: { 'impersonate-group': expect.stringMatching(/^a, ?b$/) } });
    expect(Object.keys(answered).filter((name) => name.startsWith(':'))).toEqual([]);
  });

  test('is asked on as few connections as it allows', async () => {
    const { asked, answer } = echo();
    await using server = await tlsServer(answer, { http2 });
    using client = clientOf(server);
    await Promise.all(Array.from({ length: 200 }, (__, index) => ask(client.http, `${server.url}/${index}`)));
    expect(asked).toHaveLength(200);
    expect(server.sockets.length).toBeLessThanOrEqual(http2 ? 1 : 16);
  });

  test('is asked on one connection by one who asks one thing after the other', async () => {
    await using server = await tlsServer(echo().answer, { http2 });
    using client = clientOf(server);
    for (let count = 0; count < 5; count += 1) {
      await ask(client.http, server.url);
      await new Promise(setImmediate);
    }
    expect(server.sockets).toHaveLength(1);
  });

  test('has its answer kept until somebody reads it', async () => {
    await using server = await tlsServer((__, response) => response.end('kept'), { http2 });
    using client = clientOf(server);
    const { body } = await client.http.request(server.url, { method: 'GET', headers: {} });
    // Node loses what has come whole in a stream of HTTP/2 before anybody has begun to read.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(boundedText(body, 'it', anyLength)).resolves.toBe('kept');
  });

  test('may send a long answer', async () => {
    await using server = await tlsServer((__, response) => response.end('x'.repeat(30_000_000)), { http2 });
    using client = clientOf(server);
    const answers = await Promise.all([ask(client.http, server.url), ask(client.http, server.url)]);
    expect(answers.map(({ text }) => text.length)).toEqual([30_000_000, 30_000_000]);
  });

  test.each([
    ['the connection is closed', 'end'],
    ['the connection is reset', 'resetAndDestroy'],
  ] as const)('has not answered when %s in the middle of it', async (___, how) => {
    await using server = await tlsServer(
      (__, response) => {
        response.write('{"half":');
        setTimeout(() => server.sockets[0]?.[how](), 50);
      },
      { http2 },
    );
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url))).toMatchObject({ fault: 'cut off' });
  });

  test.each([
    ['closed', 'end'],
    ['reset', 'resetAndDestroy'],
  ] as const)('may have done what it was asked when the connection is %s before its answer', async (___, how) => {
    await using server = await tlsServer(() => server.sockets[0]?.[how](), { http2 });
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url))).toMatchObject({ fault: 'cut off' });
    expect(server.sockets).toHaveLength(1);
  });

  test('has not answered when the client ends in the middle of it', async () => {
    await using server = await tlsServer((__, response) => response.write('{"half":'), { http2 });
    using client = clientOf(server);
    const { body } = await client.http.request(server.url, { method: 'GET', headers: {} });
    const read = faultIn(boundedText(body, 'it', anyLength));
    client.http.destroy();
    expect(await read).toMatchObject({ fault: 'cut off' });
  });

  test('may be given up while the way to it is being made, and is then told at once', async () => {
    const proxy = createServer().on('connect', () => undefined);
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const url = new URL(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const http = createHttp({ http2, proxyTo: () => url });
    const giveUp = new AbortController();
    const asked = faultIn(ask(http, 'https://server.example.com/', { signal: giveUp.signal }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    giveUp.abort(Object.assign(new Error('given up'), { code: 'GIVEN_UP' }));
    expect(await asked).toEqual({ code: 'GIVEN_UP', fault: 'lasting' });
    http.destroy();
    proxy.closeAllConnections();
    proxy.close();
  });

  test('is not kept from others by requests that cannot be sent', async () => {
    await using server = await tlsServer(echo().answer, { http2 });
    using client = clientOf(server);
    for (let count = 0; count < 20; count += 1)
      expect(await faultIn(ask(client.http, server.url, { headers: { Authorization: 'a\nb' } }))).toEqual({
        code: 'ERR_INVALID_CHAR',
        fault: 'lasting',
      });
    expect((await ask(client.http, server.url)).status).toBe(200);
  });

  test('gets the last of two headers that differ in their case, and its own name for that of the host', async () => {
    await using server = await tlsServer(echo().answer, { http2 });
    using client = clientOf(server);
    const { text } = await ask(client.http, server.url, {
      headers: { 'User-Agent': 'ours', 'user-agent': 'theirs', host: 'other.example.com' },
    });
    const { headers } = JSON.parse(text) as { headers: Record<string, string> };
    expect(headers['user-agent']).toBe('theirs');
    expect(headers[':authority'] ?? headers['host']).toBe(`127.0.0.1:${server.port}`);
  });

  test('that does not answer in time is asked on another connection the next time', async () => {
    let count = 0;
    await using server = await tlsServer(
      (__, response) => {
        if ((count += 1) > 1) response.end('late');
      },
      { http2 },
    );
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url, { headersTimeoutMs: 100 }))).toEqual({
      code: 'HEADERS_TIMEOUT',
      fault: 'cut off',
    });
    expect((await ask(client.http, server.url, { signal: AbortSignal.timeout(10_000) })).text).toBe('late');
    expect(server.sockets).toHaveLength(2);
  });

  test('is not asked for what was given up before', async () => {
    const { asked, answer } = echo();
    await using server = await tlsServer(answer, { http2 });
    using client = clientOf(server);
    const signal = AbortSignal.abort(new Error('given up'));
    await expect(ask(client.http, server.url, { signal })).rejects.toThrow('given up');
    expect(asked).toEqual([]);
  });

  test('is told when an answer is given up: before it, and in its middle', async () => {
    let arrived = Promise.withResolvers<undefined>();
    let closed = Promise.withResolvers<string>();
    await using server = await tlsServer(
      (request, response) => {
        if (request.url === '/other') return response.end('other');
        if (request.url === '/half') response.write('half');
        response.on('close', () => {
          closed.resolve(request.url);
        });
        arrived.resolve(undefined);
        return undefined;
      },
      { http2 },
    );
    using client = clientOf(server);
    for (const path of ['/none', '/half']) {
      [arrived, closed] = [Promise.withResolvers(), Promise.withResolvers()];
      const giveUp = new AbortController();
      const asked = ask(client.http, `${server.url}${path}`, { signal: giveUp.signal });
      const other = ask(client.http, `${server.url}/other`);
      const refused = faultIn(asked);
      await arrived.promise;
      giveUp.abort(Object.assign(new Error('given up'), { code: 'GIVEN_UP' }));
      expect(await refused).toEqual({ code: 'GIVEN_UP', fault: 'lasting' });
      expect((await other).text).toBe('other');
      expect(await closed.promise).toBe(path);
    }
  });

  test('may answer what is under way when the client takes nothing more', async () => {
    const arrived = Promise.withResolvers<Parameters<Parameters<typeof tlsServer>[0]>[1]>();
    await using server = await tlsServer(
      (__, response) => {
        arrived.resolve(response);
      },
      { http2 },
    );
    using client = clientOf(server);
    const asked = ask(client.http, server.url);
    const response = await arrived.promise;
    client.http.close();
    response.end('last');
    expect((await asked).text).toBe('last');
    expect(await faultIn(ask(client.http, server.url))).toEqual({ code: 'NOT_BEGUN', fault: 'never sent' });
  });

  test('loses all that is under way when the client ends', async () => {
    let count = 0;
    const arrived = Promise.withResolvers<undefined>();
    await using server = await tlsServer(
      () => {
        if ((count += 1) === 2) arrived.resolve(undefined);
      },
      { http2 },
    );
    using client = clientOf(server);
    const asked = [faultIn(ask(client.http, server.url)), faultIn(ask(client.http, server.url))];
    await arrived.promise;
    client.http.destroy();
    expect(await Promise.all(asked)).toEqual([
      { code: 'CONNECTION_LOST', fault: 'cut off' },
      { code: 'CONNECTION_LOST', fault: 'cut off' },
    ]);
  });

  test('must be the one that its certificate names', async () => {
    await using server = await tlsServer(echo().answer, { http2 });
    const named = async (tls: object) => {
      const http = createHttp({ tls: { ...server.tls, ...tls }, http2: true });
      return await ask(http, server.url).finally(() => {
        http.destroy();
      });
    };
    await expect(named({ serverName: 'server.example.com' })).resolves.toMatchObject({ status: 200 });
    await expect(named({ serverName: 'other.example.com' })).rejects.toMatchObject({
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    await expect(named({ context: undefined })).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await expect(named({ context: undefined, insecure: true })).resolves.toMatchObject({ status: 200 });
  });

  test('is reached through a proxy, with its name and password', async () => {
    await using server = await tlsServer(echo().answer, { http2 });
    await using proxy = await connectingProxy();
    const url = new URL(proxy.url);
    Object.assign(url, { username: 'us%20er', password: 'p%40ss' });
    const http = createHttp({ tls: server.tls, http2: true, proxyTo: () => url });
    expect((await ask(http, `${server.url}/path`)).status).toBe(200);
    expect(proxy.asked).toEqual([
      { target: `127.0.0.1:${server.port}`, authorization: `Basic ${Buffer.from('us er:p@ss').toString('base64')}` },
    ]);
    http.destroy();
  });
});

interface ConnectingProxy extends AsyncDisposable {
  url: string;
  asked: { target: string; authorization: string | undefined }[];
}

async function connectingProxy(refusal?: string): Promise<ConnectingProxy> {
  const asked: ConnectingProxy['asked'] = [];
  const open = new Set<Duplex>();
  const proxy: Server = createServer().on('connect', (incoming, socket: Duplex) => {
    open.add(socket.on('error', () => undefined));
    asked.push({ target: incoming.url ?? '', authorization: incoming.headers['proxy-authorization'] });
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${incoming.url ?? ''}`);
    const onward = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    open.add(onward.on('error', () => undefined));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

test('a proxy that lets nobody through is told by its status', async () => {
  await using proxy = await connectingProxy('407 Proxy Authentication Required');
  const http = createHttp({ proxyTo: () => new URL(proxy.url), http2: true });
  await expect(ask(http, 'https://server.example.com/')).rejects.toMatchObject({ code: 'PROXY_REFUSED', status: 407 });
});

test('a proxy of its own name is asked over TLS, whatever the name of the server', async () => {
  await using server = await tlsServer(echo().answer);
  using certificate = await certificateFor(['DNS:localhost']);
  const { cert, key } = certificate;
  const names: string[] = [];
  const SNICallback = (name: string, done: (error: null) => void) => {
    names.push(name);
    done(null);
  };
  const proxy = createTlsServer({ cert, key, SNICallback }).on('connect', (_, socket: Duplex) => {
    const onward = connect(server.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    for (const end of [socket, onward]) end.on('error', () => undefined);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const url = new URL(`https://localhost:${(proxy.address() as AddressInfo).port}`);
  const http = createHttp({ tls: { insecure: true }, http2: true, proxyTo: () => url });
  // Its certificate is none that this process trusts; the name by which it is judged is the one that it was asked for.
  expect(await faultIn(ask(http, 'https://server.example.com/'))).toMatchObject({
    code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
  });
  expect(names).toEqual(['localhost']);
  http.destroy();
  proxy.closeAllConnections();
  proxy.close();
});

test('a password with a percent sign of its own reaches the proxy', async () => {
  await using proxy = await connectingProxy('407 Proxy Authentication Required');
  const url = new URL(proxy.url);
  Object.assign(url, { username: 'user', password: '100%' });
  const http = createHttp({ proxyTo: () => url });
  await expect(ask(http, 'https://server.example.com/')).rejects.toMatchObject({ code: 'PROXY_REFUSED' });
  expect(proxy.asked[0]?.authorization).toBe(`Basic ${Buffer.from('user:100%').toString('base64')}`);
});

test('a connection that was found out to speak HTTP/1.1 and that nobody uses may break', async () => {
  await using server = await tlsServer(echo().answer, { http2: false });
  const http = createHttp({ tls: server.tls, http2: true });
  const giveUp = new AbortController();
  const asked = faultIn(ask(http, server.url, { signal: giveUp.signal }));
  while (server.sockets.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  giveUp.abort(new Error('given up'));
  await asked;
  await new Promise((resolve) => setTimeout(resolve, 200));
  server.sockets[0]?.resetAndDestroy();
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect((await ask(http, server.url)).status).toBe(200);
  http.destroy();
});

test('a server of plain HTTP is asked as it is, and through a proxy by a tunnel', async () => {
  const server = createServer((incoming, response) =>
    response.end(`${incoming.headers.host ?? ''}${incoming.url ?? ''}`),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  await using proxy = await connectingProxy();
  for (const proxyTo of [() => undefined, () => new URL(proxy.url)]) {
    const http = createHttp({ http2: true, proxyTo });
    expect((await ask(http, `http://${host}/path`)).text).toBe(`${host}/path`);
    http.destroy();
  }
  expect(proxy.asked.map(({ target }) => target)).toEqual([host]);
  server.close();
  server.closeAllConnections();
});

test('a server that is not there is told by the code of the system', async () => {
  for (const scheme of ['http', 'https']) {
    const http = createHttp({ http2: true });
    expect(await faultIn(ask(http, `${scheme}://127.0.0.1:1/`))).toEqual({ code: 'ECONNREFUSED', fault: 'never sent' });
  }
});

test('a server that speaks no TLS is told by the code of OpenSSL', async () => {
  const server = createServer((_, response) => response.end('plain'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const http = createHttp({ http2: true });
  const { code } = await faultIn(ask(http, `https://127.0.0.1:${(server.address() as AddressInfo).port}`));
  expect(['ERR_SSL_WRONG_VERSION_NUMBER', 'EPROTO', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']).toContain(code);
  server.close();
  server.closeAllConnections();
});

test('a client may come to a server that no longer speaks HTTP/2', async () => {
  const { asked, answer } = echo();
  await using newer = await tlsServer(answer);
  await using older = await tlsServer(answer, { http2: false });
  let port = newer.port;
  const front = createServer();
  front.on('connect', (_, socket: Duplex) => {
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    onward.on('error', () => undefined);
    socket.on('error', () => undefined);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  const proxy = new URL(`http://127.0.0.1:${(front.address() as AddressInfo).port}`);
  const http = createHttp({ tls: { insecure: true }, http2: true, proxyTo: () => proxy });
  await ask(http, 'https://server.example.com/first');
  port = older.port;
  newer.sessions[0]?.close();
  newer.sockets[0]?.destroy();
  const second = async () => await ask(http, 'https://server.example.com/second').then(Boolean, () => false);
  while (!(await second())) await new Promise(setImmediate);
  expect(asked).toEqual(['2.0 GET /first ', '1.1 GET /second ']);
  http.destroy();
  front.close();
  front.closeAllConnections();
});

describe('a server of HTTP/2', () => {
  const done = (stream: Parameters<NonNullable<NonNullable<Parameters<typeof tlsServer>[1]>['onStream']>>[0]) => {
    stream.respond({ ':status': 200 });
    stream.end('done');
  };

  test('that leaves may finish what it has begun, and its successor gets what comes next', async () => {
    await using server = await tlsServer(() => undefined, {
      onStream: (stream, count) => {
        if (count > 1) {
          done(stream);
          return;
        }
        stream.session?.goaway(constants.NGHTTP2_NO_ERROR, stream.id);
        setTimeout(() => {
          done(stream);
        }, 200);
      },
    });
    using client = clientOf(server);
    const first = ask(client.http, `${server.url}/1`);
    while (server.sessions.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = ask(client.http, `${server.url}/2`);
    expect((await second).text).toBe('done');
    expect((await first).text).toBe('done');
    expect(server.sessions).toHaveLength(2);
  });

  test('that leaves and breaks off has not answered', async () => {
    await using server = await tlsServer(() => undefined, {
      onStream: (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('{"half":');
        setTimeout(() => stream.session?.goaway(constants.NGHTTP2_NO_ERROR, stream.id), 50);
        setTimeout(() => server.sockets[0]?.resetAndDestroy(), 100);
      },
    });
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url))).toMatchObject({ fault: 'cut off' });
  });

  test('that was given up before it was sent is not waited for', async () => {
    await using server = await tlsServer(() => undefined);
    const url = new URL(server.url);
    const socket = await openSocket({ origin: url, tls: { insecure: true } }, ['h2']);
    const carrier = new Http2Carrier(url, socket);
    const signal = AbortSignal.abort(Object.assign(new Error('given up'), { code: 'GIVEN_UP' }));
    expect(await faultIn(carrier.request('/', { method: 'GET', headers: {}, signal }))).toMatchObject({
      code: 'GIVEN_UP',
    });
    carrier.close();
    expect(await faultIn(carrier.request('/', { method: 'POST', headers: {} }))).toEqual({
      code: 'NOT_BEGUN',
      fault: 'never sent',
    });
    carrier.destroy();
  });

  test('is addressed as in a URL, also by its address of IPv6', async () => {
    await using server = await tlsServer(echo().answer);
    const socket = await openSocket({ origin: new URL(server.url), tls: { insecure: true } }, ['h2']);
    const carrier = new Http2Carrier(new URL('https://[2001:db8::1]:6443'), socket);
    const { body } = await carrier.request('/', { method: 'GET', headers: {} });
    expect(JSON.parse(await boundedText(body, 'it', anyLength))).toMatchObject({
      headers: { ':authority': '[2001:db8::1]:6443' },
    });
    carrier.destroy();
  });

  test('that has not begun with a request when it leaves is replaced at once: nothing is lost, nothing is done twice', async () => {
    let begun = 0;
    await using server = await tlsServer(() => undefined, {
      onStream: (stream, count) => {
        // As a server does that reads nothing more: it names the last request that it is going to carry out.
        if (server.sessions.length === 1 && count === 1) stream.session?.goaway(constants.NGHTTP2_NO_ERROR, stream.id);
        if (server.sessions.length === 1 && count > 1) return;
        begun += 1;
        done(stream);
      },
    });
    using client = clientOf(server);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ask(client.http, `${server.url}/${index}`, { method: 'POST', body: 'x' }),
      ),
    );
    expect(answers.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, () => 'done'));
    expect(begun).toBe(20);
    expect(server.sessions.length).toBeGreaterThan(1);
  });

  test('that leaves in anger may have done what it was asked', async () => {
    await using server = await tlsServer(() => undefined, {
      onStream: (stream) => stream.session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, stream.id),
    });
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url))).toMatchObject({ fault: 'cut off' });
  });

  test('that is never done with leaving is not asked for ever', async () => {
    let count = 0;
    await using server = await tlsServer(() => undefined, {
      onStream: (stream) => {
        count += 1;
        stream.session?.goaway();
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      },
    });
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url))).toEqual({ code: 'NOT_BEGUN', fault: 'never sent' });
    expect(count).toBe(5);
  });

  test('that refuses a request and stays is asked again by whoever asks, not at once', async () => {
    let count = 0;
    await using server = await tlsServer(() => undefined, {
      onStream: (stream) => {
        count += 1;
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      },
    });
    using client = clientOf(server);
    expect(await faultIn(ask(client.http, server.url))).toEqual({ code: 'NOT_BEGUN', fault: 'never sent' });
    expect(count).toBe(1);
  });

  test.each(['NGHTTP2_INTERNAL_ERROR', 'NGHTTP2_CANCEL'] as const)(
    'may have done what it was asked when it ends a request with %s, and the others go on',
    async (code) => {
      await using server = await tlsServer(() => undefined, {
        onStream: (stream, count) => {
          if (count === 1) stream.close(constants[code]);
          else done(stream);
        },
      });
      using client = clientOf(server);
      expect(await faultIn(ask(client.http, server.url))).toMatchObject({ fault: 'cut off' });
      expect((await ask(client.http, server.url)).text).toBe('done');
      expect(server.sessions).toHaveLength(1);
    },
  );

  test('that a connection no longer leads to is noticed by a ping', async () => {
    await using server = await tlsServer(() => undefined);
    await using wire = await wireTo(server.port);
    const url = new URL(wire.url);
    const socket = await openSocket({ origin: url, tls: { insecure: true } }, ['h2']);
    expect(socket).toBeInstanceOf(TLSSocket);
    const carrier = new Http2Carrier(url, socket, 250);
    const asked = faultIn(carrier.request('/', { method: 'GET', headers: {} }));
    await new Promise((resolve) => setTimeout(resolve, 900));
    expect(carrier.isOpen).toBe(true);
    wire.freeze();
    expect(await asked).toEqual({ code: 'ETIMEDOUT', fault: 'cut off' });
    expect(carrier.isEnded).toBe(true);
  });

  test('gets no header that belongs to a connection', async () => {
    await using server = await tlsServer(echo().answer);
    using client = clientOf(server);
    const { text } = await ask(client.http, server.url, {
      headers: { Connection: 'close', Host: 'other.example.com', 'Keep-Alive': 'timeout=5', TE: 'gzip', A: '1' },
    });
    const { headers } = JSON.parse(text) as { headers: Record<string, string> };
    expect(Object.keys(headers).sort()).toEqual([':authority', ':method', ':path', ':scheme', 'a']);
  });
});
