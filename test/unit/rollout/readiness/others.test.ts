import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { judge } from '../../../../src/rollout/readiness/index.ts';
import type { Facts } from '../../../../src/rollout/readiness/rule.ts';
import { conditionAt, factsOf, live, start } from '../../../support/rollout-objects.ts';

type Row = [string, KubernetesObject, string, Partial<Facts>?];

function going(object: KubernetesObject, ...finalizers: string[]): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers } };
}

function check(rows: readonly Row[]): void {
  test.each(rows.map(([name, object, expected, facts = {}]) => ({ name, object, expected, facts })))(
    '$name',
    ({ object, expected, facts }) => {
      const verdict = judge(object, factsOf(object, facts));
      const text = verdict.state === 'failed' ? `${verdict.cause.reason}: ${verdict.cause.message}` : verdict.message;
      expect(`${verdict.state}: ${text}`).toBe(expected);
    },
  );
}

const object = (apiVersion: string, kind: string, status: JsonObject, spec: JsonObject = {}) =>
  live(kind, { apiVersion, metadata: { generation: 2 }, spec, status });

describe('a Service', () => {
  const service = (type: string, ingress: JsonObject[] = []) =>
    object('v1', 'Service', { loadBalancer: { ingress } }, { type });
  check([
    ['is ready when it is applied', service('ClusterIP'), 'ready: applied'],
    ['without an address of its own too', service('ExternalName'), 'ready: applied'],
    [
      'of type LoadBalancer waits for an address',
      service('LoadBalancer'),
      'progressing: waiting for its external address',
    ],
    ['with an address is ready', service('LoadBalancer', [{ ip: '203.0.113.7' }]), 'ready: its address is 203.0.113.7'],
    [
      'with a host name is ready',
      service('LoadBalancer', [{ hostname: 'a.example.com' }]),
      'ready: its address is a.example.com',
    ],
    ['of another group is a custom resource', object('example.test/v1', 'Service', {}), 'ready: applied'],
  ]);
});

describe('an Ingress', () => {
  const ingress = (entries: JsonObject[]) =>
    object('networking.k8s.io/v1', 'Ingress', { loadBalancer: { ingress: entries } });
  check([
    ['is ready when it is applied: not every controller gives it an address', ingress([]), 'ready: applied'],
    ['tells its address', ingress([{ ip: '203.0.113.7' }]), 'ready: its address is 203.0.113.7'],
  ]);
});

const group = 'gateway.networking.k8s.io';
const of = (generation: number, condition: JsonObject) => ({ ...condition, observedGeneration: generation });

describe('a Gateway', () => {
  const gateway = (...conditions: JsonObject[]) =>
    object(`${group}/v1`, 'Gateway', { conditions, addresses: [{ type: 'IPAddress', value: '203.0.113.7' }] });
  check([
    ['that no controller has seen waits', gateway(), 'progressing: waiting for the controller'],
    [
      'that waits for a controller says so',
      gateway(conditionAt('Accepted', 'Unknown', 'Pending', 'Waiting for controller')),
      'progressing: not Accepted yet: Pending: Waiting for controller',
    ],
    [
      'is not ready by conditions of an older generation',
      gateway(of(1, conditionAt('Accepted', 'True')), of(1, conditionAt('Programmed', 'True'))),
      'progressing: waiting for the controller',
    ],
    [
      'that is accepted waits to be programmed',
      gateway(of(2, conditionAt('Accepted', 'True')), of(2, conditionAt('Programmed', 'False', 'AddressNotAssigned'))),
      'progressing: not Programmed yet: AddressNotAssigned',
    ],
    [
      'that is programmed is ready',
      gateway(of(2, conditionAt('Accepted', 'True')), of(2, conditionAt('Programmed', 'True'))),
      'ready: its address is 203.0.113.7',
    ],
  ]);
  const withListeners = (...listeners: JsonObject[]) => {
    const invalid = [of(2, conditionAt('Accepted', 'True')), of(2, conditionAt('Programmed', 'False', 'Invalid'))];
    return object(`${group}/v1`, 'Gateway', { conditions: invalid, listeners });
  };
  const listener = (name: string, ...conditions: JsonObject[]) => ({ name, conditions });
  const [fine, unresolved] = [
    listener('http', of(2, conditionAt('Conflicted', 'False')), of(2, conditionAt('Programmed', 'True'))),
    conditionAt('ResolvedRefs', 'False', 'InvalidCertificateRef', 'Secret "tls" not found'),
  ];
  check([
    [
      'that waits for a listener names it, and why',
      withListeners(fine, listener('https', of(2, conditionAt('Programmed', 'False', 'Invalid')), of(2, unresolved))),
      'progressing: not Programmed yet: Invalid; listener "https": ResolvedRefs is False: InvalidCertificateRef: Secret "tls" not found',
    ],
    [
      'names a listener that conflicts with another one',
      withListeners(fine, listener('other', of(2, conditionAt('Conflicted', 'True', 'HostnameConflict')))),
      'progressing: not Programmed yet: Invalid; listener "other": Conflicted is True: HostnameConflict',
    ],
    [
      'does not name a listener by what it was before',
      withListeners(listener('https', of(1, unresolved))),
      'progressing: not Programmed yet: Invalid',
    ],
  ]);
});

describe('an HTTPRoute', () => {
  const parent = (parentRef: JsonObject, ...conditions: JsonObject[]) => ({
    parentRef,
    controllerName: 'x',
    conditions,
  });
  const good = [of(2, conditionAt('Accepted', 'True')), of(2, conditionAt('ResolvedRefs', 'True'))];
  const route = (parentRefs: JsonObject[], parents: JsonObject[]) =>
    object(`${group}/v1`, 'HTTPRoute', { parents }, { parentRefs });
  const [edge, inner] = [{ name: 'edge' }, { name: 'inner', sectionName: 'http' }];
  check([
    ['accepted by its parent is ready', route([edge], [parent(edge, ...good)]), 'ready: accepted by its parents'],
    [
      'knows its parent by defaulted fields too',
      route([edge], [parent({ group, kind: 'Gateway', namespace: 'shop', name: 'edge' }, ...good)]),
      'ready: accepted by its parents',
    ],
    [
      'waits for each of its parents',
      route([edge, inner], [parent(edge, ...good)]),
      'progressing: waiting for Gateway "inner" to accept it',
    ],
    [
      'does not take the word of another parent',
      route([inner], [parent({ name: 'inner', sectionName: 'https' }, ...good)]),
      'progressing: waiting for Gateway "inner" to accept it',
    ],
    [
      'whose backend is missing says so',
      route(
        [edge],
        [
          parent(
            edge,
            ...good.slice(0, 1),
            of(2, conditionAt('ResolvedRefs', 'False', 'BackendNotFound', 'no Service "web"')),
          ),
        ],
      ),
      'progressing: not ResolvedRefs yet: BackendNotFound: no Service "web"',
    ],
    [
      'is not ready by what its parent said of an older generation',
      route([edge], [parent(edge, of(1, conditionAt('Accepted', 'True')), of(1, conditionAt('ResolvedRefs', 'True')))]),
      'progressing: waiting for the controller',
    ],
    [
      'that one of two controllers refuses is not ready',
      route(
        [edge],
        [parent(edge, ...good), parent(edge, of(2, conditionAt('Accepted', 'False', 'NotAllowedByListeners')))],
      ),
      'progressing: not Accepted yet: NotAllowedByListeners',
    ],
    ['without parents is ready', route([], []), 'ready: accepted by its parents'],
  ]);
});

describe('a HorizontalPodAutoscaler', () => {
  const autoscaler = (...conditions: JsonObject[]) =>
    object('autoscaling/v2', 'HorizontalPodAutoscaler', { conditions });
  const invalid = (seconds: number) => conditionAt('ScalingActive', 'False', 'InvalidSelector', 'no selector', seconds);
  check([
    ['that its controller has not looked at waits', autoscaler(), 'progressing: waiting for the controller'],
    ['that is active is ready', autoscaler(conditionAt('ScalingActive', 'True', 'ValidMetricFound')), 'ready: active'],
    [
      'of a target with zero replicas is ready',
      autoscaler(conditionAt('ScalingActive', 'False', 'ScalingDisabled')),
      'ready: disabled: its target has zero replicas',
    ],
    [
      'without metrics is accepted: they come late (argo-cd#6287)',
      autoscaler(conditionAt('ScalingActive', 'False', 'FailedGetResourceMetric', 'no metrics returned')),
      'unchecked: it gets no metrics (yet): no metrics returned',
    ],
    [
      'whose target is missing waits for it',
      autoscaler(conditionAt('AbleToScale', 'False', 'FailedGetScale', 'deployments.apps "web" not found')),
      'progressing: cannot scale yet: deployments.apps "web" not found',
    ],
    ['that cannot work has failed', autoscaler(invalid(2)), 'failed: InvalidSelector: cannot scale: no selector'],
    ['has not failed by what was said before our write', autoscaler(invalid(-20)), 'progressing: no selector'],
    [
      'has failed when the same is still said two looks later',
      autoscaler(invalid(-20)),
      'failed: InvalidSelector: cannot scale: no selector',
      { now: start + 31_000 },
    ],
  ]);
});

describe('a PodDisruptionBudget', () => {
  const budget = (observedGeneration: number, ...conditions: JsonObject[]) =>
    object('policy/v1', 'PodDisruptionBudget', { observedGeneration, conditions });
  check([
    ['waits to be observed', budget(1), 'progressing: waiting for the controller'],
    [
      'is ready though it allows no disruption now',
      budget(2, conditionAt('DisruptionAllowed', 'False', 'InsufficientPods')),
      'ready: observed',
    ],
    [
      'that cannot be computed is accepted',
      budget(2, conditionAt('DisruptionAllowed', 'False', 'SyncFailed', 'found no controllers for pod "web"')),
      'unchecked: it cannot be computed: found no controllers for pod "web"',
    ],
    [
      'that cannot be computed any more since it was changed is accepted: its change is never observed',
      budget(1, conditionAt('DisruptionAllowed', 'False', 'SyncFailed', 'pods of several controllers')),
      'unchecked: it cannot be computed: pods of several controllers',
    ],
    [
      'that its controller does not look at is accepted after a while',
      budget(1),
      'unchecked: its controller has not processed it for 30 s',
      { writtenAt: start, now: start + 31_000 },
    ],
  ]);
});

describe('what holds data, and what defines kinds', () => {
  const definition = (...conditions: JsonObject[]) =>
    object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { conditions });
  const apiService = (...conditions: JsonObject[]) => object('apiregistration.k8s.io/v1', 'APIService', { conditions });
  check([
    ['a claim that is bound is ready', object('v1', 'PersistentVolumeClaim', { phase: 'Bound' }), 'ready: bound'],
    [
      'a claim that is pending is accepted: many bind only when a pod uses them',
      object('v1', 'PersistentVolumeClaim', { phase: 'Pending' }),
      'unchecked: pending; if it does not bind, the pods that use it will show it',
    ],
    [
      'a claim that is lost has failed',
      object('v1', 'PersistentVolumeClaim', { phase: 'Lost' }),
      'failed: Lost: its volume is lost',
    ],
    ['a namespace is ready', object('v1', 'Namespace', { phase: 'Active' }), 'ready: active'],
    [
      'a claim that pods hold while it is being deleted has failed (helm#12000)',
      going(object('v1', 'PersistentVolumeClaim', { phase: 'Bound' }), 'kubernetes.io/pvc-protection'),
      'failed: Terminating: has been terminating since 2026-01-01T00:00:00Z, held up by finalizer "kubernetes.io/pvc-protection" (it stays until no pod uses it)',
    ],
    [
      'a namespace that is being deleted says what is left in it',
      going(
        object('v1', 'Namespace', {
          phase: 'Terminating',
          conditions: [conditionAt('NamespaceContentRemaining', 'True', 'SomeResourcesRemain', 'pods. has 1 instance')],
        }),
      ),
      'failed: Terminating: has been terminating since 2026-01-01T00:00:00Z, held up by pods. has 1 instance',
    ],
    [
      'a namespace that is being deleted has failed',
      object('v1', 'Namespace', { phase: 'Terminating' }),
      'failed: Terminating: is being deleted',
    ],
    ['a definition without conditions waits', definition(), 'progressing: not established yet'],
    [
      'a definition that is established but not accepted waits',
      definition(conditionAt('Established', 'True')),
      'progressing: not established yet',
    ],
    [
      'a definition that is established is ready',
      definition(conditionAt('Established', 'True'), conditionAt('NamesAccepted', 'True')),
      'ready: established',
    ],
    [
      'a definition whose names are taken has failed',
      definition(conditionAt('NamesAccepted', 'False', 'PluralConflict', '"gadgets" is already in use')),
      'failed: PluralConflict: "gadgets" is already in use',
    ],
    ['an APIService that is available is ready', apiService(conditionAt('Available', 'True')), 'ready: available'],
    [
      'an APIService whose server is missing says so',
      apiService(conditionAt('Available', 'False', 'ServiceNotFound', 'service/x in "shop" is not present')),
      'progressing: service/x in "shop" is not present',
    ],
  ]);
});

describe('a kind without a rule of its own', () => {
  const custom = (status: JsonObject) => object('example.com/v1', 'Gadget', status);
  check([
    ['is ready when it is applied', object('v1', 'ConfigMap', {}), 'ready: applied'],
    [
      'is not awaited for a condition alone, which may be False by design (helm#32615)',
      custom({ conditions: [conditionAt('Ready', 'False')] }),
      'ready: applied',
    ],
    [
      'with an observedGeneration that is no number is ready (helm#32615)',
      custom({ observedGeneration: 'v2', conditions: [conditionAt('Ready', 'False')] }),
      'ready: applied',
    ],
    [
      'with an observedGeneration in a string is awaited by its number (argoproj/argo-rollouts#4672)',
      custom({ observedGeneration: '2', conditions: [conditionAt('Ready', 'False')] }),
      'progressing: not Ready yet',
    ],
    [
      'that keeps the conventions is awaited',
      custom({
        observedGeneration: 2,
        conditions: [conditionAt('Ready', 'False', 'Issuing', 'waiting for the issuer')],
      }),
      'progressing: not Ready yet: Issuing: waiting for the issuer',
    ],
    [
      'that keeps them counts from our generation on',
      custom({ observedGeneration: 1, conditions: [conditionAt('Ready', 'True')] }),
      'progressing: waiting for the controller',
    ],
    [
      'that keeps its generation with the condition alone is awaited, too',
      custom({ conditions: [of(2, conditionAt('Ready', 'False', 'Issuing', 'waiting for the issuer'))] }),
      'progressing: not Ready yet: Issuing: waiting for the issuer',
    ],
    [
      'goes by the generation of the condition, not by that of the whole status',
      custom({ observedGeneration: 2, conditions: [of(1, conditionAt('Ready', 'True'))] }),
      'progressing: waiting for the controller',
    ],
    [
      'without Ready goes by Available',
      custom({ observedGeneration: 2, conditions: [conditionAt('Available', 'False', 'NoPods')] }),
      'progressing: not Available yet: NoPods',
    ],
    [
      'that is Available is ready',
      custom({ conditions: [of(2, conditionAt('Available', 'True'))] }),
      'ready: available',
    ],
    [
      'that was Stalled before our generation has not failed',
      custom({
        conditions: [of(1, conditionAt('Stalled', 'True', 'BadSpec')), of(2, conditionAt('Ready', 'True'))],
      }),
      'ready: ready',
    ],
    [
      'that is Ready is ready',
      custom({ observedGeneration: 2, conditions: [conditionAt('Ready', 'True')] }),
      'ready: ready',
    ],
    [
      'that is Stalled has failed',
      custom({ conditions: [conditionAt('Stalled', 'True', 'BadSpec', 'size must be positive')] }),
      'failed: BadSpec: size must be positive',
    ],
  ]);
});
