import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';

import { Failure } from '../base/errors.ts';
import { objectsAt, stringAt } from '../base/json.ts';
import type { KubernetesClient, ProxyTarget } from '../kubernetes/client.ts';
import { AnswerBrokeOff, ApiError, ConnectionError } from '../kubernetes/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { ownStatus } from '../kubernetes/proxied.ts';
import type { Attempt } from './answer.ts';
import type { Via } from './check.ts';
import { askDirectly, noAnswer, type Question } from './direct.ts';
import { isForApiServer } from './header-rules.ts';
import { podPort, type ServicePort } from '../traffic/ports.ts';

/** One place that can be asked, and how. */
export interface Way {
  kind: Via | 'url' | 'pods';
  /** Completes "asked …": `at the address 203.0.113.7`. */
  description: string;
  /** What it connects to, where that may be out of reach. */
  address?: { host: string; port: number };
  /** @throws ApiError when the API server refuses to pass the request on; the reason of the signal */
  ask(question: Question, signal: AbortSignal): Promise<Attempt>;
}

export function urlWay(url: string): Way {
  const { host } = new URL(url);
  return {
    kind: 'url',
    description: `at ${host}`,
    ask: (question, signal) => askDirectly(new URL(url), question, signal),
  };
}

/** All ways to a Service that it has, the one that users take first. */
export function serviceWays(client: KubernetesClient, service: KubernetesObject, port: ServicePort): Way[] {
  const [external] = objectsAt(service, 'status', 'loadBalancer', 'ingress').flatMap(
    (ingress) => stringAt(ingress, 'ip') ?? stringAt(ingress, 'hostname') ?? [],
  );
  const cluster = stringAt(service, 'spec', 'clusterIP');
  const inside = cluster === undefined || cluster === '' || cluster === 'None' ? undefined : cluster;
  return [
    ...(external === undefined ? [] : [addressWay('address', external, port)]),
    ...(inside === undefined ? [] : [addressWay('cluster', inside, port)]),
    proxyWay(client, service, port),
  ];
}

function addressWay(kind: 'address' | 'cluster', host: string, { number, scheme }: ServicePort): Way {
  const base = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${number}`;
  return {
    kind,
    description: `at the ${kind === 'address' ? 'external' : 'cluster'} address ${host}:${number}`,
    address: { host, port: number },
    ask: (question, signal) => askDirectly(new URL(`${base}${question.path}`), question, signal),
  };
}

function proxyWay(client: KubernetesClient, service: KubernetesObject, port: ServicePort): Way {
  const { name, namespace = client.defaultNamespace } = service.metadata;
  const target: ProxyTarget = { kind: 'Service', namespace, name, port: String(port.number), scheme: port.scheme };
  return {
    kind: 'proxy',
    description: `through the API server's proxy to ${describeRef(refOf(service))}`,
    ask: (question, signal) => askThroughApi(client, target, question, signal),
  };
}

/** One pod, through the API server. Asking it throws a Failure when it has no such port. */
export function podWay(
  client: KubernetesClient,
  pod: KubernetesObject,
  port: Pick<ServicePort, 'target' | 'scheme'>,
): Way {
  const { name, namespace = client.defaultNamespace } = pod.metadata;
  return {
    kind: 'pods',
    description: `through the API server's proxy to Pod "${name}"`,
    ask: async (question, signal) => {
      const number = podPort(pod, port.target);
      if (number === undefined) {
        throw new Failure(`Pod "${name}" has no port "${port.target}"`, {
          hint: 'Name the port in the containers of the pod, or use its number.',
        });
      }
      const target: ProxyTarget = { kind: 'Pod', namespace, name, port: String(number), scheme: port.scheme };
      return await askThroughApi(client, target, question, signal);
    },
  };
}

/** Several pods in turn. */
export function podsWay(ways: readonly Way[]): Way {
  let turn = 0;
  return {
    kind: 'pods',
    description: `through the API server's proxy to ${ways.length} ${ways.length === 1 ? 'pod' : 'pods'} in turn`,
    ask: async (question, signal) => {
      const way = ways[turn % ways.length];
      turn += 1;
      if (way === undefined) return { state: 'broken', problem: 'no-endpoint', message: 'there is no pod to ask' };
      return await way.ask(question, signal);
    },
  };
}

async function askThroughApi(
  client: KubernetesClient,
  target: ProxyTarget,
  question: Question,
  signal: AbortSignal,
): Promise<Attempt> {
  const taken = Object.keys(question.headers).find(isForApiServer);
  if (taken !== undefined) {
    throw new Failure(
      `${target.kind} "${target.name}" cannot be called with a header "${capitals(taken)}" through the API server`,
      {
        hint: 'The server would use it itself and not pass it on: use "url" or "via: address".',
      },
    );
  }
  const { send, ...rest } = question;
  try {
    const answer = await client.proxy(target, { ...rest, ...(send === undefined ? {} : { body: send }) }, signal);
    return brokenBehind(answer.status, answer.body) ?? { state: 'answered', answer };
  } catch (error) {
    signal.throwIfAborted();
    if (isTimeout(error)) return { state: 'broken', problem: 'timeout', message: noAnswer(question.timeoutMs) };
    // The API server is not what is to be judged; a right that is missing will not come by itself.
    if (error instanceof AnswerBrokeOff) return { state: 'broken', problem: 'reset', message: error.message };
    if (error instanceof ConnectionError) return { state: 'lost', message: error.message };
    if (error instanceof ApiError && error.status === 429) return { state: 'lost', message: error.message };
    if (error instanceof ApiError && error.status === 404 && target.kind === 'Pod') {
      return { state: 'broken', problem: 'no-endpoint', message: `Pod "${target.name}" is gone` };
    }
    throw error;
  }
}

/**
 * Its own troubles, in which it has not even tried to reach the version: a shutdown, etcd, no tunnel to the nodes (Konnectivity),
 * a name that it cannot resolve, no network.
 */
const ofTheApiServer =
  /No agent available|proxy error from|dial tcp: lookup|network is unreachable|apiserver is shutting down|etcdserver:/i;

/** What the API server says when it has reached nothing (kubernetes/apiserver pkg/endpoints/handlers/proxy). */
function brokenBehind(status: number, body: string): Attempt | undefined {
  if (status < 500) return undefined;
  const message =
    stringAt(ownStatus(body), 'message') ?? (body.startsWith('error trying to reach service') ? body : '');
  if (message === '') return undefined;
  if (ofTheApiServer.test(message)) return { state: 'lost', message: `the API server: ${message.trim()}` };
  const detail = message.replace(/^error trying to reach service: /, '').trim();
  if (message.includes('no endpoints available')) return { state: 'broken', problem: 'no-endpoint', message: detail };
  if (message.includes('connection refused')) return { state: 'broken', problem: 'refused', message: detail };
  if (/x509|tls:/.test(message)) return { state: 'broken', problem: 'tls', message: detail };
  if (/timeout|deadline/i.test(message)) return { state: 'broken', problem: 'timeout', message: detail };
  return { state: 'broken', problem: 'reset', message: detail };
}

/** As people write the name of a header. */
function capitals(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** Whether the headers hold what the API server would take for itself. */
export function hasCredentials(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some(isForApiServer);
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError';
}

/** How long an address is tried before it counts as out of reach: one that is new is refused, or leads nowhere, at first. */
const reachMs = 3000;

/** A connection that was begun before its address led anywhere stays lost (its route is remembered): a new one is made. */
const connectMs = 1000;

const reachPauseMs = 200;

/** Whether a way can be taken from here, now or in a moment; through the API server it always can. */
export async function isReachable({ address }: Way): Promise<boolean> {
  if (address === undefined) return true;
  for (const end = performance.now() + reachMs; ;) {
    if (await accepts(address)) return true;
    if (performance.now() + reachPauseMs >= end) return false;
    await setTimeout(reachPauseMs);
  }
}

function accepts({ host, port }: { host: string; port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: connectMs });
    const end = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket
      .once('connect', () => {
        end(true);
      })
      .once('timeout', () => {
        end(false);
      })
      .once('error', () => {
        end(false);
      });
  });
}
