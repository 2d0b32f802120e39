import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { stringAt, type Json } from '../../src/base/json.ts';
import { readAll, type ApiServer } from './api-server.ts';
import { endToEnd, forward, isStream, isWrite, pipe } from './forwarding.ts';

/** When the client dies: its write has not reached the API server yet, or has, but the answer never comes. */
export type Moment = 'before' | 'after';

export interface CrashPlan {
  /** The number of the write, from 1. */
  write: number;
  moment: Moment;
  /** Kills the client. From then on nothing of it is passed on. */
  kill: () => void;
}

/**
 * Stands between a client and a real API server, counts the writes and kills the client at one of them. What was on its way
 * to the API server by then arrives there, as it would without the proxy.
 */
export class CrashProxy implements AsyncDisposable {
  /** Every write so far, in the order in which they came: `PATCH deployments/web`. */
  readonly writes: string[] = [];
  readonly #server: Server;
  readonly #api: ApiServer;
  readonly #underWay = new Set<Promise<void>>();
  #plan: CrashPlan | undefined;
  #isCut = false;
  #leaseHolder = '';

  private constructor(api: ApiServer) {
    this.#api = api;
    this.#server = createServer((incoming, answer) => {
      const work = this.#handle(incoming, answer).catch(() => {
        answer.destroy();
      });
      this.#underWay.add(work);
      void work.finally(() => this.#underWay.delete(work));
    });
    // A client may keep a connection for as long as it likes.
    this.#server.keepAliveTimeout = 0;
  }

  /** Listens on loopback, before this API server. */
  static async start(api: ApiServer): Promise<CrashProxy> {
    const proxy = new CrashProxy(api);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  /** The text of a kubeconfig that leads here. */
  get kubeconfig(): string {
    const server = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'proxy', cluster: { server } }],
      users: [{ name: 'proxy', user: {} }],
      contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'proxy' } }],
      'current-context': 'proxy',
    });
  }

  /** Counts from the next write on, and kills at the one that the plan names; without a plan passes all on. */
  arm(plan?: CrashPlan): void {
    this.writes.length = 0;
    this.#plan = plan;
    this.#isCut = false;
  }

  /** Whether the write of the plan has come. */
  get hasCrashed(): boolean {
    return this.#isCut;
  }

  /** Resolves when what the dead client had sent has been answered by the API server. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = incoming;
    const body = await readAll(incoming);
    const isFatal = this.#countsAsWrite(method, url, body) && this.writes.length === this.#plan?.write;
    if (this.#isCut) return;
    if (isFatal && this.#plan?.moment === 'before') {
      this.#cut();
      return;
    }
    const response = await forward(this.#api, { method, url, body }, incoming, answer);
    const content = isStream(url) ? undefined : await readAll(response);
    if (isFatal) this.#cut();
    if (this.hasCrashed) {
      response.destroy();
      return;
    }
    answer.writeHead(response.statusCode ?? 502, endToEnd(response.headers));
    if (content !== undefined) {
      answer.end(content);
      return;
    }
    pipe(response, answer);
  }

  #cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#plan?.kill();
  }

  /**
   * What changes the cluster. Renewals of a Lease do not count: when they come is a matter of time, and they leave nothing
   * behind. Nor do dry runs, and the questions that are asked by POST.
   */
  #countsAsWrite(method: string, url: string, body: Buffer): boolean {
    if (!isWrite({ method, url, body })) return false;
    const { pathname } = new URL(url, 'http://server');
    let what = '';
    if (pathname.includes('/leases')) {
      const holder = stringAt(JSON.parse(body.toString()) as Json, 'spec', 'holderIdentity') ?? '';
      const isRenewal = method === 'PUT' && holder !== '' && holder === this.#leaseHolder;
      this.#leaseHolder = holder;
      if (isRenewal) return false;
      what = holder === '' ? ' (released)' : ' (taken)';
    }
    this.writes.push(`${method} ${pathname.replace(/^.*\/namespaces\/[^/]+\//, '')}${what}`);
    return true;
  }
}
