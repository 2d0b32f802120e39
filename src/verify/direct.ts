import { request as requestHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';

import { startOf } from '../base/bounded-text.ts';
import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import type { Answer, Attempt, ConnectionProblem } from './answer.ts';
import { isMetadataHost, lookupOfOthers, metadataRefusal } from './metadata-hosts.ts';

/** What is asked, wherever it goes. */
export interface Question {
  method: string;
  /** With its query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  send?: string;
  timeoutMs: number;
}

/**
 * Asks a URL once, on a connection of its own: a kept one would go to the same pod again and again. The time counts from the
 * moment the connection stands, so that setting it up is no latency of the version.
 * @throws the reason of the signal when that aborts; InvalidInput for a metadata server
 */
export async function askDirectly(url: URL, question: Question, signal: AbortSignal): Promise<Attempt> {
  const { method, headers, send, timeoutMs } = question;
  const deadline = AbortSignal.timeout(timeoutMs);
  const options: RequestOptions = {
    method,
    // A connection that nobody else uses, and that ends with the answer.
    agent: false,
    lookup: lookupOfOthers,
    signal: AbortSignal.any([signal, deadline]),
    headers: {
      'User-Agent': 'gke-rollout',
      ...headers,
      ...(send === undefined ? {} : { 'Content-Length': Buffer.byteLength(send) }),
    },
  };
  if (isMetadataHost(url.hostname)) throw metadataRefusal(url.hostname);
  const call = url.protocol === 'https:' ? requestHttps(url, options) : requestHttp(url, options);
  try {
    return { state: 'answered', answer: await answerOf(call, send) };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Failure) throw error;
    if (deadline.aborted) return { state: 'broken', problem: 'timeout', message: noAnswer(timeoutMs) };
    return failedAttempt(error);
  }
}

export function noAnswer(timeoutMs: number): string {
  return `no response within ${timeoutMs / 1000} s`;
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
  const body = await startOf(response as AsyncIterable<Buffer>, limits.verifyAnswer);
  const headers = Object.entries(response.headers).map(([name, value]): [string, string] => [
    name,
    String(value ?? ''),
  ]);
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    body,
    durationMs: performance.now() - started,
  };
}

/** What the other end did, or whatever stands for it. */
const ofTheVersion: Readonly<Record<string, [ConnectionProblem, string]>> = {
  ECONNREFUSED: ['refused', 'the connection was refused'],
  ECONNRESET: ['reset', 'the connection was reset'],
  EPIPE: ['reset', 'the connection was closed'],
  ETIMEDOUT: ['timeout', 'no response on the connection'],
};

/** What came about before anything of the version was reached: in the runner, its name servers and its network. */
const ofTheRunner: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name does not resolve',
  EAI_AGAIN: 'the name does not resolve right now',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ENETDOWN: "the runner's network is down",
  EADDRNOTAVAIL: 'the runner has no more free ports',
  EADDRINUSE: 'the runner has no more free ports',
  EMFILE: 'the runner has too many files open',
  ENFILE: 'the runner has too many files open',
  ENOBUFS: 'the runner has no more memory for connections',
  ENOMEM: 'the runner has no more memory for connections',
  EACCES: 'the runner is not allowed to connect to it',
  EPERM: 'the runner is not allowed to connect to it',
};

function failedAttempt(error: unknown): Attempt {
  const codes = codesOf(error);
  // Of several addresses, one that answers for the version tells more than one that the runner has no route to.
  for (const code of codes) {
    const found = ofTheVersion[code];
    if (found !== undefined) return { state: 'broken', problem: found[0], message: found[1] };
  }
  for (const code of codes) {
    const found = ofTheRunner[code] ?? (code.startsWith('EAI_') ? 'the name does not resolve' : undefined);
    if (found !== undefined) return { state: 'lost', message: `${found} (${code})` };
  }
  const isTls = codes.some((code) => /CERT|SSL|TLS|SIGNATURE|EPROTO|ISSUER/.test(code));
  return isTls
    ? { state: 'broken', problem: 'tls', message: `TLS failed: ${messageOf(error)}` }
    : { state: 'broken', problem: 'reset', message: `the connection was lost: ${messageOf(error)}` };
}

/** The code of an error; of an attempt on several addresses, those of all. */
function codesOf(error: unknown): string[] {
  if (error instanceof AggregateError) return error.errors.flatMap(codesOf);
  return [errorCode(error)];
}
