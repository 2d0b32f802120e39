import { request as requestHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';

import { messageOf } from '../base/errors.ts';
import { errorCode } from '../kubernetes/errors.ts';
import type { Answer, Attempt, ConnectionProblem } from './answer.ts';

/** What is asked, wherever it goes. */
export interface Question {
  method: string;
  /** With its query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  send?: string;
  timeoutMs: number;
}

const longestBody = 1_048_576;

/**
 * Asks a URL once, on a connection of its own: a kept one would go to the same pod again and again. The time counts from the
 * moment the connection stands, so that setting it up is no latency of the version.
 * @throws the reason of the signal when that aborts
 */
export async function askDirectly(url: URL, question: Question, signal: AbortSignal): Promise<Attempt> {
  const { method, headers, send, timeoutMs } = question;
  const deadline = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    method,
    // A connection that nobody else uses, and that ends with the answer.
    agent: false,
    signal: AbortSignal.any([signal, deadline]),
    headers: {
      'User-Agent': 'gke-rollout',
      ...headers,
      ...(send === undefined ? {} : { 'Content-Length': Buffer.byteLength(send) }),
    },
  };
  const call = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
  try {
    return { state: 'answered', answer: await answerOf(call, send) };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.aborted) return { state: 'broken', problem: 'timeout', message: noAnswer(timeoutMs) };
    return { state: 'broken', ...problemOf(error) };
  }
}

export function noAnswer(timeoutMs: number): string {
  return `no answer within ${timeoutMs / 1000} s`;
}

async function answerOf(call: ClientRequest, send: string | undefined): Promise<Answer> {
  let started = performance.now();
  call.on('socket', (socket: Socket) => {
    const restart = () => {
      started = performance.now();
    };
    socket.once('connect', restart).once('secureConnect', restart);
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve).once('error', reject);
    call.end(send);
  });
  // What goes wrong from now on shows as an error of the response.
  call.on('error', () => undefined);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > longestBody) break;
  }
  const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [
    name,
    String(value ?? ''),
  ]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body: Buffer.concat(chunks).subarray(0, longestBody).toString(),
    durationMs: performance.now() - started,
  };
}

const known: Readonly<Record<string, [ConnectionProblem, string]>> = {
  ECONNREFUSED: ['refused', 'the connection was refused'],
  ECONNRESET: ['reset', 'the connection was reset'],
  EPIPE: ['reset', 'the connection was closed'],
  ENOTFOUND: ['unresolved', 'the name does not resolve'],
  EAI_AGAIN: ['unresolved', 'the name does not resolve just now'],
  EHOSTUNREACH: ['unreachable', 'there is no route to it'],
  ENETUNREACH: ['unreachable', 'there is no route to it'],
  ETIMEDOUT: ['timeout', 'the connection got no answer'],
};

function problemOf(error: unknown): { problem: ConnectionProblem; message: string } {
  const code = errorCode(error);
  const found = known[code];
  if (found !== undefined) return { problem: found[0], message: found[1] };
  const isTls = /CERT|SSL|TLS|SIGNATURE|EPROTO|ISSUER/.test(code);
  return isTls
    ? { problem: 'tls', message: `TLS failed: ${messageOf(error)}` }
    : { problem: 'reset', message: `the connection broke: ${messageOf(error)}` };
}
