import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../../src/base/json.ts';
import { parseManifests } from '../../../../src/manifests/read/yaml.ts';
import { findCuts } from '../../../../src/traffic/cuts/find-cuts.ts';
import { deployment, service } from '../../../support/objects.ts';
import { manifest } from '../../manifests/build.ts';

const minutes = (count: number) => count * 60_000;

function told(longestMs: number, ...objects: object[]): string[] {
  const manifests = objects.map((object) => manifest(object as Record<string, Json>));
  return findCuts(manifests, { longestMs }).map(({ text }) => text);
}

const sleeps = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });

describe('without a longest request', () => {
  test('a model server with the default grace period is named, with an example of the number', () => {
    expect(told(0, deployment('llm', { image: 'lmsysorg/sglang:v0.5.2', ...sleeps(15) }))).toEqual([
      'Deployment "llm": a terminating pod is killed after 30 s (the default), and container "web" runs SGLang, which may need longer for an answer: set "terminationGracePeriodSeconds" in its pod template to preStop + the longest request (315 for requests of 5m), and the input "longest-request" to have all limits checked',
    ]);
  });

  test('one that says a grace period is believed', () => {
    const pod = { terminationGracePeriodSeconds: 30 };
    expect(told(0, deployment('llm', { image: 'lmsysorg/sglang:v0.5.2', pod }))).toEqual([]);
  });

  test('vLLM that aborts at once is named', () => {
    const pod = { terminationGracePeriodSeconds: 600 };
    expect(told(0, deployment('llm', { image: 'vllm/vllm-openai:v0.18.0', pod }))).toEqual([
      'Deployment "llm": container "web" runs vLLM 0.18.0 without "--shutdown-timeout", so it aborts all requests on SIGTERM: add it to its args with the seconds of the longest request, such as "--shutdown-timeout=300"',
    ]);
  });

  test('vLLM that would wait longer than its pod lives is named, at the boundary not', () => {
    const llm = (grace: number) =>
      deployment('llm', {
        image: 'vllm/vllm-openai:v0.18.0',
        args: ['--shutdown-timeout', '45'],
        ...sleeps(15),
        pod: { terminationGracePeriodSeconds: grace },
      });
    expect(told(0, llm(59))).toEqual([
      'Deployment "llm": a terminating pod is killed after 59 s, before the 45 s of "--shutdown-timeout" are over: set "terminationGracePeriodSeconds: 60" in its pod template (preStop of 15 s + 45 s)',
    ]);
    expect(told(0, llm(60))).toEqual([]);
  });

  test('nothing else is', () => {
    const route = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', spec: { rules: [] } };
    const policy = { apiVersion: 'networking.gke.io/v1', kind: 'GCPBackendPolicy', spec: {} };
    expect(told(0, deployment('web'), service('web'), route, policy)).toEqual([]);
    const job = { kind: 'Job', apiVersion: 'batch/v1' };
    const batch = deployment('batch', { image: 'vllm/vllm-openai:v0.18.0' });
    expect(told(0, { ...batch, ...job }, deployment('none', { image: 'ollama/ollama', replicas: 0 }))).toEqual([]);
  });
});

describe('the grace period of pods', () => {
  test.each([
    ['the default', {}, {}, minutes(1), '30 s (the default)', '60" in its pod template'],
    [
      'a preStop hook that sleeps',
      { terminationGracePeriodSeconds: 70 },
      sleeps(15),
      minutes(1),
      '70 s',
      '75" in its pod template (preStop of 15 s + 1m)',
    ],
    [
      'one that runs sleep',
      { terminationGracePeriodSeconds: 60 },
      { lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', 'touch /tmp/x; sleep 10'] } } } },
      minutes(1),
      '60 s',
      '70" in its pod template (preStop of 10 s + 1m)',
    ],
    [
      'one that runs sleep with a unit, in quotes',
      { terminationGracePeriodSeconds: 60 },
      { lifecycle: { preStop: { exec: { command: ['/bin/sh', '-c', '"sleep 5m"'] } } } },
      minutes(1),
      '60 s',
      '360" in its pod template (preStop of 300 s + 1m)',
    ],
    ['parts of a second', { terminationGracePeriodSeconds: 30 }, {}, 30_500, '30 s', '31" in its pod template'],
  ])('that cuts the longest request: %s', (_, pod, container, longestMs, killed, wanted) => {
    const [text] = told(longestMs, deployment('web', { ...container, pod }), service('web'));
    expect(text).toMatch(
      /^Deployment "web": a terminating pod is killed after .*, which cuts requests of up to \S+: set /,
    );
    expect(text).toContain(`killed after ${killed}, which`);
    expect(text?.split('"terminationGracePeriodSeconds: ')[1]).toBe(wanted);
  });

  test('may be just that', () => {
    const pod = { terminationGracePeriodSeconds: 75 };
    expect(told(minutes(1), deployment('web', { ...sleeps(15), pod }), service('web'))).toEqual([]);
    expect(told(30_000, deployment('web'), service('web'))).toEqual([]);
  });

  test('matters where a Service leads to them, or a model server runs in them', () => {
    expect(told(minutes(5), deployment('web'), service('other'))).toEqual([]);
    expect(told(minutes(5), deployment('llm', { image: 'ollama/ollama' }))).toHaveLength(1);
    const elsewhere = service('web');
    const moved = { ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'other' } };
    expect(told(minutes(5), deployment('web'), moved)).toEqual([]);
  });

  test('a hook of a sidecar is not that of the model server', () => {
    const containers = [
      { name: 'server', image: 'ollama/ollama' },
      { name: 'log', image: 'log:1', ...sleeps(100) },
    ];
    expect(told(minutes(1), deployment('llm', { pod: { containers } }))).toEqual([
      'Deployment "llm": a terminating pod is killed after 30 s (the default), which cuts requests of up to 1m: set "terminationGracePeriodSeconds: 60" in its pod template',
    ]);
  });
});

describe('the time that vLLM gives itself', () => {
  const llm = (...args: string[]) =>
    deployment('llm', {
      image: 'vllm/vllm-openai:v0.18.0',
      args,
      pod: { terminationGracePeriodSeconds: 600 },
    });

  test('is to be the longest request', () => {
    expect(told(minutes(5), llm())).toEqual([
      'Deployment "llm": container "web" runs vLLM 0.18.0 without "--shutdown-timeout", so it aborts all requests on SIGTERM: add "--shutdown-timeout=300" to its args',
    ]);
    expect(told(minutes(5), llm('--shutdown-timeout=299'))).toEqual([
      'Deployment "llm": container "web" aborts requests 299 s after SIGTERM, which cuts those of up to 5m: set "--shutdown-timeout=300" in its args',
    ]);
    expect(told(minutes(5), llm('--shutdown-timeout=300'))).toEqual([]);
  });
});

describe('load balancers and routes', () => {
  const policy = (spec: object) => ({
    apiVersion: 'networking.gke.io/v1',
    kind: 'GCPBackendPolicy',
    metadata: { name: 'llm' },
    spec,
  });

  test('a GCPBackendPolicy has both numbers', () => {
    expect(told(minutes(5), policy({ targetRef: { kind: 'Service', name: 'llm' } }))).toEqual([
      'GCPBackendPolicy "llm": the load balancer ends requests after 30 s (the default), which cuts those of up to 5m: set "spec.default.timeoutSec: 300"',
      'GCPBackendPolicy "llm": the load balancer closes connections to a terminating pod after 0 s (the default), which cuts requests of up to 5m: set "spec.default.connectionDraining.drainingTimeoutSec: 300"',
    ]);
    const set = (timeoutSec: number, drainingTimeoutSec: number) =>
      policy({ default: { timeoutSec, connectionDraining: { drainingTimeoutSec } } });
    expect(told(minutes(5), set(299, 299))).toEqual([
      'GCPBackendPolicy "llm": the load balancer ends requests after 299 s, which cuts those of up to 5m: set "spec.default.timeoutSec: 300"',
      'GCPBackendPolicy "llm": the load balancer closes connections to a terminating pod after 299 s, which cuts requests of up to 5m: set "spec.default.connectionDraining.drainingTimeoutSec: 300"',
    ]);
    expect(told(minutes(5), set(300, 300))).toEqual([]);
  });

  test('draining takes an hour at most', () => {
    const set = policy({ default: { timeoutSec: 7200, connectionDraining: { drainingTimeoutSec: 3600 } } });
    expect(told(minutes(120), set)).toEqual([]);
  });

  test('a BackendConfig likewise; others of its name are none', () => {
    const config = { apiVersion: 'cloud.google.com/v1', kind: 'BackendConfig', metadata: { name: 'llm' }, spec: {} };
    expect(told(minutes(1), config)).toEqual([
      'BackendConfig "llm": the load balancer ends requests after 30 s (the default), which cuts those of up to 1m: set "spec.timeoutSec: 60"',
      'BackendConfig "llm": the load balancer closes connections to a terminating pod after 0 s (the default), which cuts requests of up to 1m: set "spec.connectionDraining.drainingTimeoutSec: 60"',
    ]);
    expect(told(minutes(1), { ...config, apiVersion: 'example.com/v1' })).toEqual([]);
  });

  const route = (...rules: object[]) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'llm' },
    spec: { parentRefs: [{ name: 'edge' }], rules },
  });
  const backendRefs = [{ name: 'llm', port: 80 }];

  test('rules of an HTTPRoute are named by their number', () => {
    const rules = [
      { backendRefs, timeouts: { request: '10m', backendRequest: '1m30s' } },
      { backendRefs, timeouts: { request: '500ms' } },
    ];
    expect(told(minutes(5), route(...rules))).toEqual([
      'HTTPRoute "llm": "timeouts.backendRequest" of rule 1 ends requests after 1m30s, which cuts those of up to 5m: set it to 300s',
      'HTTPRoute "llm": "timeouts.request" of rule 2 ends requests after 500ms, which cuts those of up to 5m: set it to 300s',
    ]);
  });

  test.each([
    ['just that', { backendRefs, timeouts: { request: '5m' } }],
    ['no limit', { backendRefs, timeouts: { request: '0s' } }],
    ['none set', { backendRefs }],
    ['nothing behind it', { timeouts: { request: '1s' } }],
    ['not a duration', { backendRefs, timeouts: { request: 'soon' } }],
  ])('a rule may have %s', (_, rule) => {
    expect(told(minutes(5), route(rule))).toEqual([]);
  });

  const gateway = (gatewayClassName: string) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: { name: 'edge' },
    spec: { gatewayClassName },
  });

  test('a Service behind a Gateway of GKE has the default, unless a policy is there', () => {
    const all = [gateway('gke-l7-global-external-managed'), route({ backendRefs }), service('llm')];
    expect(told(minutes(5), ...all)).toEqual([
      'Service "llm" has no GCPBackendPolicy in these manifests. Unless the cluster has one, the load balancer ends requests after 30 s (the default), which cuts those of up to 5m: add one with "timeoutSec: 300" and "connectionDraining: { drainingTimeoutSec: 300 }"',
    ]);
    const good = {
      default: { timeoutSec: 300, connectionDraining: { drainingTimeoutSec: 300 } },
      targetRef: { group: '', kind: 'Service', name: 'llm' },
    };
    expect(told(minutes(5), ...all, policy(good))).toEqual([]);
    expect(told(30_000, ...all)).toEqual([]);
    expect(told(minutes(5), gateway('istio'), route({ backendRefs }), service('llm'))).toEqual([]);
    expect(told(minutes(5), gateway('gke-l7-rilb'), route({ backendRefs }), service('other'))).toEqual([]);
  });

  test('so has one behind an Ingress of GKE, unless it names a BackendConfig', () => {
    const ingress = (ofClass: string) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'edge', annotations: { 'kubernetes.io/ingress.class': ofClass } },
      spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: 'llm' } } }] } }] },
    });
    const plain = service('llm');
    expect(told(minutes(5), ingress('gce'), plain)).toEqual([
      'Service "llm" has no BackendConfig in these manifests. Unless the cluster has one, the load balancer ends requests after 30 s (the default), which cuts those of up to 5m: add one with "timeoutSec: 300" and "connectionDraining: { drainingTimeoutSec: 300 }"',
    ]);
    const annotations = { 'cloud.google.com/backend-config': '{"default": "llm"}' };
    const configured = { ...plain, metadata: { ...plain.metadata, annotations } };
    expect(told(minutes(5), ingress('gce-internal'), configured)).toEqual([]);
    expect(told(minutes(5), ingress('nginx'), plain)).toEqual([]);
  });
});

describe('the old side of blue-green', () => {
  const kept = (keepOldForMs: number) => findCuts([], { longestMs: minutes(5), keepOldForMs });

  test('is to stay as long as its longest request', () => {
    expect(kept(minutes(1))).toEqual([
      {
        text: '"keep-old-for: 1m" removes the old side while it may still answer requests of up to 5m, which then have only its grace period: set "keep-old-for: 300s"',
      },
    ]);
    expect(kept(minutes(5))).toEqual([]);
    expect(findCuts([], { longestMs: 0, keepOldForMs: 0 })).toEqual([]);
  });
});

test('each stands at its line', () => {
  const yaml = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: llm
spec:
  template:
    metadata: { labels: { app: llm } }
    spec:
      terminationGracePeriodSeconds: 20
      containers:
        - name: server
          image: vllm/vllm-openai:v0.18.0
          args:
            - --model=acme/model
---
apiVersion: networking.gke.io/v1
kind: GCPBackendPolicy
metadata:
  name: llm
spec:
  default:
    timeoutSec: 40
  targetRef: { group: "", kind: Service, name: llm }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata:
  name: llm
spec:
  rules:
    - backendRefs: [{ name: llm, port: 80 }]
      timeouts:
        request: 60s
`;
  const cuts = findCuts(parseManifests(yaml, 'llm.yaml'), { longestMs: minutes(5) });
  expect(cuts.map(({ text, location }) => [location?.file, location?.line, text.split(':')[0]])).toEqual([
    ['llm.yaml', 9, 'Deployment "llm"'],
    ['llm.yaml', 13, 'Deployment "llm"'],
    ['llm.yaml', 22, 'GCPBackendPolicy "llm"'],
    ['llm.yaml', 21, 'GCPBackendPolicy "llm"'],
    ['llm.yaml', 33, 'HTTPRoute "llm"'],
  ]);
});
