import { describe, expect, test } from '@jest/globals';

import type { KubernetesClient, ProxyAnswer, ProxyTarget } from '../../../src/kubernetes/client.ts';
import { AnswerBrokeOff, ConnectionError } from '../../../src/kubernetes/errors.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Question } from '../../../src/verify/direct.ts';
import { podPort, servicePort } from '../../../src/traffic/ports.ts';
import { podWay, podsWay, serviceWays } from '../../../src/verify/ways.ts';

const question: Question = { method: 'GET', path: '/', headers: {}, timeoutMs: 1000 };
const { signal } = new AbortController();

function service(spec: object, status: object = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { ports: [{ port: 80, targetPort: 8080 }], ...spec },
    status,
  } as KubernetesObject;
}

function pod(name: string, ports: object[] = []): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop' },
    spec: { containers: [{ name: 'web', ports }] },
  } as KubernetesObject;
}

/** A client that passes requests on to `answer`. */
function passing(answer: (target: ProxyTarget) => Partial<ProxyAnswer> | Error): KubernetesClient {
  return {
    defaultNamespace: 'default',
    proxy: (target: ProxyTarget) => {
      const result = answer(target);
      return result instanceof Error
        ? Promise.reject(result)
        : Promise.resolve({ status: 200, headers: {}, body: '', durationMs: 1, ...result });
    },
  } as unknown as KubernetesClient;
}

describe('the port of a Service', () => {
  const ports = [
    { name: 'metrics', port: 9090 },
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'web', port: 80, targetPort: 'http' },
    { name: 'https', port: 443, targetPort: 8443 },
  ];

  test.each([
    [undefined, { number: 80, scheme: 'http', target: 'http' }],
    ['web', { number: 80, scheme: 'http', target: 'http' }],
    ['443', { number: 443, scheme: 'https', target: '8443' }],
    ['metrics', { number: 9090, scheme: 'http', target: '9090' }],
    ['53', undefined],
    ['8080', undefined],
  ])('%j is %j', (wanted, port) => {
    expect(servicePort(service({ ports }), wanted)).toEqual(port);
  });

  test('may be called otherwise in each pod', () => {
    expect(podPort(pod('a', [{ name: 'http', containerPort: 8080 }]), 'http')).toBe(8080);
    expect(podPort(pod('b', [{ name: 'http', containerPort: 9000 }]), 'http')).toBe(9000);
    expect(podPort(pod('c'), 'http')).toBeUndefined();
    expect(podPort(pod('c'), '80')).toBe(80);
  });
});

describe('the ways to a Service', () => {
  const port = { number: 80, scheme: 'http', target: '8080' } as const;

  test.each<[string, object, object, string[]]>([
    [
      'a load balancer',
      { clusterIP: '10.0.0.7' },
      { loadBalancer: { ingress: [{ hostname: 'lb.test' }] } },
      ['address', 'cluster', 'proxy'],
    ],
    ['a cluster address', { clusterIP: '10.0.0.7' }, {}, ['cluster', 'proxy']],
    ['no address', { clusterIP: 'None' }, {}, ['proxy']],
  ])('with %s', (_, spec, status, kinds) => {
    const ways = serviceWays(
      passing(() => ({})),
      service(spec, status),
      port,
    );
    expect(ways.map(({ kind }) => kind)).toEqual(kinds);
  });
});

describe('what the API server says itself is no answer of the application', () => {
  const said = (message: string) =>
    `{"kind":"Status","apiVersion":"v1","status":"Failure","message":${JSON.stringify(message)},"code":503}`;

  test.each([
    ['no endpoints available for service "web"', 'no-endpoint'],
    ['error trying to reach service: dial tcp 10.0.0.1:80: connect: connection refused', 'refused'],
    ['error trying to reach service: tls: first record does not look like a TLS handshake', 'tls'],
    ['error trying to reach service: dial tcp 10.0.0.1:80: i/o timeout', 'timeout'],
    ['error trying to reach service: EOF', 'reset'],
  ])('%s: %s', async (message, problem) => {
    const way = podWay(
      passing(() => ({ status: 503, body: said(message) })),
      pod('a'),
      { target: '80', scheme: 'http' },
    );
    expect(await way.ask(question, signal)).toMatchObject({ state: 'broken', problem });
  });

  test.each([
    'error trying to reach service: No agent available',
    'error trying to reach service: proxy error from 127.0.0.1:8132 while dialing 10.0.0.1:80, code 503: 503 Service Unavailable',
    'error trying to reach service: dial tcp: lookup node-1 on 10.0.0.10:53: no such host',
    'etcdserver: request timed out',
    'apiserver is shutting down',
  ])('and what keeps it from asking at all says nothing of the version: %s', async (message) => {
    const way = podWay(
      passing(() => ({ status: 503, body: said(message) })),
      pod('a'),
      { target: '80', scheme: 'http' },
    );
    expect(await way.ask(question, signal)).toEqual({ state: 'lost', message: `the API server: ${message}` });
  });

  test('an answer that breaks off is of the version, which had begun it; no connection to the API server is not', async () => {
    const failing = (error: Error) =>
      podWay(
        passing(() => error),
        pod('a'),
        { target: '80', scheme: 'http' },
      );
    expect(await failing(new AnswerBrokeOff('the response was cut off')).ask(question, signal)).toMatchObject({
      state: 'broken',
      problem: 'reset',
    });
    expect(await failing(new ConnectionError('the proxy answered 502')).ask(question, signal)).toMatchObject({
      state: 'lost',
    });
  });

  test('but a 503 of the application is', async () => {
    const way = podWay(
      passing(() => ({ status: 503, body: 'busy' })),
      pod('a'),
      { target: '80', scheme: 'http' },
    );
    expect(await way.ask(question, signal)).toMatchObject({ state: 'answered', answer: { status: 503 } });
  });

  test('and a header that it would take for itself is refused before it is sent', async () => {
    const way = podWay(
      passing(() => new Error('sent')),
      pod('a'),
      { target: '80', scheme: 'http' },
    );
    const asked = way.ask({ ...question, headers: { authorization: 'Bearer x' } }, signal);
    await expect(asked).rejects.toThrow('Pod "a" cannot be called with a header "Authorization"');
  });

  test("time that has run out is the application's", async () => {
    const timeout = Object.assign(new Error('too late'), { name: 'TimeoutError' });
    const way = podWay(
      passing(() => timeout),
      pod('a'),
      { target: '80', scheme: 'http' },
    );
    expect(await way.ask(question, signal)).toMatchObject({ problem: 'timeout', message: 'no response within 1 s' });
  });
});

test('several pods are asked in turn', async () => {
  const asked: string[] = [];
  const client = passing(({ name }) => {
    asked.push(name);
    return {};
  });
  const ways = ['a', 'b'].map((name) => podWay(client, pod(name), { target: '80', scheme: 'http' }));
  const way = podsWay(ways);
  for (let count = 0; count < 4; count += 1) await way.ask(question, signal);
  expect(asked).toEqual(['a', 'b', 'a', 'b']);
});
