import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';

import type { KeyPair } from './pki.ts';

export interface Answer {
  status: number;
  body: string;
}

/** One request to the API server; rejects when there is no answer within 5 s. */
export type Api = (method: string, path: string, body?: unknown) => Promise<Answer>;

/** Requests in this process are far cheaper than a kubectl each, which counts while a cluster starts. */
export function apiOf(server: string, ca: string, admin: KeyPair): Api {
  // A handshake for each request would cost more than the request.
  const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: 5000 });
  const identity = { ca: readFileSync(ca), cert: readFileSync(admin.cert), key: readFileSync(admin.key) };
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const options = { ...identity, method, agent, timeout: 5000, headers: { 'Content-Type': type } };
      const outgoing = request(new URL(path, server), options, (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => {
          resolve({ status: incoming.statusCode ?? 0, body: text });
        });
        incoming.on('error', reject);
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer from ${server}${path} within 5 s`)));
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
}

/** Creates an object; one that exists already is left as it is. Throws on any other answer. */
export async function create(api: Api, path: string, object: unknown): Promise<void> {
  const { status, body } = await api('POST', path, object);
  if (status >= 300 && status !== 409) throw new Error(`POST ${path}: ${status} ${body}`);
}
