import type { ServerResponse } from 'node:http';
import { constants, createSecureServer as createHttp2Server, Http2ServerRequest } from 'node:http2';
import { createServer as createSecureServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { readAll, type ApiServer } from './api-server.ts';
import { certificateFor } from './certificate.ts';
import type { Fault, Link, Treatment } from './faults.ts';
import { endToEnd, forward, isStream, pipe, type Asked, type Incoming } from './forwarding.ts';
import { Phases, type Phase } from './phases.ts';

/** A fault that begins with the first request of a phase. */
export interface Rule {
  phase: Phase;
  fault: Fault;
}

type Protocol = 'HTTP/2' | 'HTTP/1.1';

type Serve = (incoming: Incoming, answer: ServerResponse) => void;

interface Pair {
  cert: string;
  key: string;
}

/**
 * Stands between a client and a real API server, ends TLS with a certificate of its own, and lets a fault happen when the run
 * that passes through has come to a phase.
 */
export class FaultProxy implements AsyncDisposable {
  readonly #api: ApiServer;
  readonly #ca: string;
  readonly #trusted: Server;
  readonly #untrusted: Server;
  readonly #sockets = new Set<Socket>();
  #listener: Server | undefined;
  #port = 0;
  #phases = new Phases();
  #rule: Rule | undefined;
  #begunAt: number | undefined;
  #treated = 0;
  #end: NodeJS.Timeout | undefined;
  #happening: Promise<void> | undefined;

  private constructor(api: ApiServer, own: Pair, other: Pair, protocol: Protocol) {
    this.#api = api;
    this.#ca = own.cert;
    const serve = (incoming: Incoming, answer: ServerResponse) => {
      this.#handle(incoming, answer).catch(() => {
        answer.destroy();
      });
    };
    [this.#trusted, this.#untrusted] = [own, other].map((pair) => serverOf(pair, protocol, serve)) as [Server, Server];
  }

  /** Listens on loopback, before this API server. */
  static async start(api: ApiServer, protocol: Protocol = 'HTTP/2'): Promise<FaultProxy> {
    using own = await certificateFor(['IP:127.0.0.1']);
    using other = await certificateFor(['IP:127.0.0.1', 'DNS:other.example.com']);
    const proxy = new FaultProxy(api, pairOf(own), pairOf(other), protocol);
    await proxy.#listen();
    return proxy;
  }

  /** The text of a kubeconfig that leads here. */
  get kubeconfig(): string {
    const cluster = {
      server: `https://127.0.0.1:${this.#port}`,
      'certificate-authority-data': Buffer.from(this.#ca).toString('base64'),
    };
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxy', cluster }],
      users: [{ name: 'proxy', user: { token: 'token-of-the-fault-proxy' } }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
      'current-context': 'proxy',
    });
  }

  /** The next request is the first one of a run, in which this is to happen. */
  arm(rule: Rule): void {
    this.#phases = new Phases();
    this.#rule = rule;
    this.#begunAt = undefined;
    this.#treated = 0;
  }

  /** Whether the phase of the rule has come. */
  get hasBegun(): boolean {
    return this.#begunAt !== undefined;
  }

  /** The phases that the run has come to, in order. */
  get phases(): readonly Phase[] {
    return this.#phases.seen;
  }

  /** Resolves when what the fault does to the cluster has been done. @throws what went wrong with it */
  async happened(): Promise<void> {
    await this.#happening;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#end);
    this.#rule = undefined;
    for (const socket of this.#sockets) socket.destroy();
    await this.#stopListening();
  }

  get #isOn(): boolean {
    if (this.#rule === undefined || this.#begunAt === undefined) return false;
    const { lasts } = this.#rule.fault;
    if (lasts === 'for good') return true;
    return 'ms' in lasts ? performance.now() - this.#begunAt < lasts.ms : this.#treated < lasts.requests;
  }

  get #link(): Link | undefined {
    return this.#isOn ? this.#rule?.fault.link : undefined;
  }

  /** In front of TLS, so that connections can be refused, and be taken without a word. */
  async #listen(): Promise<void> {
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => socket.destroy());
      const link = this.#link;
      if (link === 'black hole') socket.resume();
      else if (link === 'cut in the handshake') socket.once('data', () => socket.resetAndDestroy());
      else (link === 'other certificate' ? this.#untrusted : this.#trusted).emit('connection', socket);
    });
    this.#listener = listener;
    await new Promise<void>((resolve) => listener.listen(this.#port, '127.0.0.1', resolve));
    this.#port = (listener.address() as AddressInfo).port;
  }

  async #stopListening(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    if (listener !== undefined) await new Promise((resolve) => listener.close(resolve));
  }

  #begin({ fault }: Rule): void {
    this.#begunAt = performance.now();
    const { link, lasts } = fault;
    this.#happening = fault.happens?.();
    // Whoever waits for it hears of a failure; nobody may do so for a while.
    this.#happening?.catch(() => undefined);
    if (link === undefined) return;
    // What is open already goes too, but where nothing must be noticed of it.
    if (link !== 'black hole') for (const socket of this.#sockets) socket.resetAndDestroy();
    if (link === 'refused') void this.#stopListening();
    if (lasts === 'for good' || !('ms' in lasts)) return;
    this.#end = setTimeout(() => {
      for (const socket of this.#sockets) socket.resetAndDestroy();
      if (link === 'refused') void this.#listen();
    }, lasts.ms);
  }

  async #handle(incoming: Incoming, answer: ServerResponse): Promise<void> {
    const asked: Asked = { method: incoming.method ?? 'GET', url: incoming.url ?? '/', body: await readAll(incoming) };
    const fresh = this.#phases.begin(asked);
    if (this.#rule !== undefined && !this.hasBegun && fresh.includes(this.#rule.phase)) this.#begin(this.#rule);
    const treatment = this.#treatmentOf(asked);
    if (treatment === undefined) await this.#pass(asked, incoming, answer, {});
    else await this.#treat(treatment, asked, incoming, answer);
  }

  #treatmentOf(asked: Asked): Treatment | undefined {
    if (this.#link === 'black hole') return { do: 'stall', after: 'nothing' };
    if (!this.#isOn) return undefined;
    const treatment = this.#rule?.fault.treat?.(asked);
    if (treatment !== undefined) this.#treated += 1;
    return treatment;
  }

  async #treat(treatment: Treatment, asked: Asked, incoming: Incoming, answer: ServerResponse): Promise<void> {
    switch (treatment.do) {
      case 'answer':
        answer.writeHead(treatment.status, { ...treatment.headers }).end(treatment.text);
        return;
      case 'reset':
        if (treatment.when === 'after') (await forward(this.#api, asked, incoming, answer)).destroy();
        this.#cut(incoming);
        return;
      case 'halve':
        await this.#halve(treatment, asked, incoming, answer);
        return;
      case 'stall':
        if (treatment.after === 'headers') answer.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        return;
      case 'mute':
        answer.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
        return;
      case 'forget':
        answer.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(forgotten)}\n`);
        return;
      case 'hold':
        await this.#happening;
        await this.#pass(asked, incoming, answer, {});
        return;
      case 'pass':
        await delay(treatment.delayMs ?? 0);
        await this.#pass(asked, incoming, answer, treatment);
    }
  }

  async #halve(
    { length }: Extract<Treatment, { do: 'halve' }>,
    asked: Asked,
    incoming: Incoming,
    answer: ServerResponse,
  ): Promise<void> {
    const response = await forward(this.#api, asked, incoming, answer);
    const content = await readAll(response);
    const half = content.subarray(0, Math.floor(content.length / 2));
    const claimed = length === 'of the half' ? half.length : content.length;
    answer.writeHead(response.statusCode ?? 502, {
      ...endToEnd(response.headers),
      'content-length': String(claimed),
    });
    answer.write(half, () => {
      if (length === 'of the half') answer.end();
      else this.#cut(incoming);
    });
  }

  async #pass(
    asked: Asked,
    incoming: Incoming,
    answer: ServerResponse,
    { lastOfConnection, dateShiftMs = 0 }: { lastOfConnection?: true; dateShiftMs?: number },
  ): Promise<void> {
    const response = await forward(this.#api, asked, incoming, answer);
    const content = isStream(asked.url) ? undefined : await readAll(response);
    // What was under way when it began gets no answer any more.
    if (this.#link === 'black hole') return;
    const date = dateShiftMs === 0 ? {} : { date: new Date(Date.now() + dateShiftMs).toUTCString() };
    answer.writeHead(response.statusCode ?? 502, {
      ...endToEnd(response.headers),
      ...date,
      ...(lastOfConnection === true && !isHttp2(incoming) ? { connection: 'close' } : {}),
    });
    // As an API server leaves that ends itself, or that is told to spread its load (`--goaway-chance`).
    if (lastOfConnection === true && isHttp2(incoming))
      incoming.stream.session?.goaway(constants.NGHTTP2_NO_ERROR, incoming.stream.id);
    if (content !== undefined) {
      answer.end(content);
      return;
    }
    response.on('data', () => {
      if (this.#link === 'black hole') response.unpipe(answer);
    });
    pipe(response, answer);
  }

  /** Breaks the connection, with all that it carries. */
  #cut({ socket }: Incoming): void {
    const port = socket.remotePort;
    for (const raw of this.#sockets) if (raw.remotePort === port) raw.destroy();
  }
}

function isHttp2(incoming: Incoming): incoming is Http2ServerRequest {
  return incoming instanceof Http2ServerRequest;
}

function serverOf(pair: Pair, protocol: Protocol, serve: Serve): Server {
  const server =
    protocol === 'HTTP/2'
      ? // Its answers are written as those of HTTP/1.1.
        createHttp2Server({ ...pair, maxSessionMemory: 256 }, serve as never)
      : Object.assign(createSecureServer(pair, serve), { keepAliveTimeout: 0, requestTimeout: 0 });
  server.on('sessionError', () => undefined);
  return server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
}

const forgotten = {
  type: 'ERROR',
  object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Expired', message: 'too old', code: 410 },
};

function pairOf({ cert, key }: Pair): Pair {
  return { cert, key };
}
