import type { IncomingMessage } from 'node:http';
import { Agent, request, type RequestOptions } from 'node:https';

import { objectAt, stringAt, type Json } from '../../src/base/json.ts';
import { kubectl } from './kubectl.ts';

/** The API server of the tests, asked without a client of ours in between: JSON as it comes. */
export class ApiServer {
  readonly #options: RequestOptions;
  /** The `Authorization` header, where the kubeconfig holds a token and no certificate. */
  readonly #credentials: Record<string, string>;
  readonly #agent = new Agent({ keepAlive: true });

  private constructor(options: RequestOptions, credentials: Record<string, string>) {
    this.#options = options;
    this.#credentials = credentials;
  }

  /** With the certificate or the token of the tests' kubeconfig. */
  static async ofTests(): Promise<ApiServer> {
    const config = JSON.parse(
      await kubectl(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json']),
    ) as Json;
    const cluster = objectAt(config, 'clusters', 0, 'cluster');
    const user = objectAt(config, 'users', 0, 'user');
    const server = new URL(stringAt(cluster, 'server') ?? '');
    const pem = (value: string | undefined) => (value === undefined ? undefined : Buffer.from(value, 'base64'));
    const token = stringAt(user, 'token');
    return new ApiServer(
      {
        host: server.hostname,
        port: server.port === '' ? 443 : Number(server.port),
        ca: pem(stringAt(cluster, 'certificate-authority-data')),
        cert: pem(stringAt(user, 'client-certificate-data')),
        key: pem(stringAt(user, 'client-key-data')),
      },
      token === undefined ? {} : { authorization: `Bearer ${token}` },
    );
  }

  /** Sends a request as it is; `abort` gives it up. */
  send(
    method: string,
    path: string,
    { headers = {}, body, abort }: { headers?: RequestOptions['headers']; body?: Buffer; abort?: AbortSignal } = {},
  ): Promise<IncomingMessage> {
    const length = body === undefined ? {} : { 'content-length': String(body.length) };
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        ...this.#options,
        agent: this.#agent,
        method,
        path,
        headers: { ...(headers as Record<string, string>), ...this.#credentials, ...length },
        ...(abort === undefined ? {} : { signal: abort }),
      };
      request(options, resolve).on('error', reject).end(body);
    });
  }

  /** The text of an answer; throws it when it is a refusal. */
  async get(path: string): Promise<string> {
    const answer = await this.send('GET', path);
    const text = (await readAll(answer)).toString();
    if ((answer.statusCode ?? 500) >= 300) throw new Error(`GET ${path}: ${answer.statusCode ?? ''} ${text}`);
    return text;
  }

  /** Merges into an object, if it is there. */
  async mergeIfThere(path: string, patch: Json): Promise<void> {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const answer = await this.send('PATCH', path, { headers, body: Buffer.from(JSON.stringify(patch)) });
    const text = (await readAll(answer)).toString();
    if (answer.statusCode !== 200 && answer.statusCode !== 404) throw new Error(`PATCH ${path}: ${text}`);
  }

  close(): void {
    this.#agent.destroy();
  }
}

export async function readAll(message: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
