import { describe, expect, test } from '@jest/globals';

import { controllerSigns } from '../../../../src/rollout/failures/controller.ts';
import {
  conditionAt,
  eventOn,
  liveDeployment,
  liveStatefulSet,
  replicaSetOf,
  start,
} from '../../../support/rollout-objects.ts';

function signOf(message: string): string {
  const set = replicaSetOf(liveDeployment(), {
    conditions: [conditionAt('ReplicaFailure', 'True', 'FailedCreate', message, 2)],
  });
  return controllerSigns(set, [], start)
    .map((sign) => `${sign.state}${sign.state === 'mayHeal' ? ` ${sign.graceMs / 1000}s` : ''}: ${sign.cause.message}`)
    .join('\n');
}

describe('pods that cannot be made', () => {
  test.each([
    [
      'for a quota have 10 s (R6, kubernetes#98656)',
      'pods "web-22-x" is forbidden: exceeded quota: pods, requested: pods=1, used: pods=3, limited: pods=3',
      'mayHeal 10s: pods cannot be created: the quota is exhausted',
    ],
    [
      'for PodSecurity are final (R7, helm#3875)',
      'pods "web-22-x" is forbidden: violates PodSecurity "restricted:latest": privileged',
      'final: pods cannot be created: ',
    ],
    [
      'for a webhook that denies are final (R7)',
      'admission webhook "policy.test" denied the request: no latest tag',
      'final: pods cannot be created: ',
    ],
    [
      'for a webhook that cannot be reached have 30 s (R7)',
      'Internal error occurred: failed calling webhook "policy.test": connection refused',
      'mayHeal 30s: pods cannot be created: ',
    ],
    [
      'for a quota of another scope have 10 s, as on GKE for the classes of the system',
      'pods "web-22-x" is forbidden: insufficient quota to match these scopes: [{PriorityClass In [system-cluster-critical]}]',
      'mayHeal 10s: pods cannot be created: no ResourceQuota of the namespace allows pods of the scope [{PriorityClass In [system-cluster-critical]}]',
    ],
    [
      'for a quota of what a pod does not set are final',
      'pods "web-22-x" is forbidden: failed quota: cpu: must specify limits.cpu for: web',
      'final: pods cannot be created: ResourceQuota "cpu" requires limits.cpu for: web, which the pod does not set',
    ],
    [
      'for a missing RuntimeClass have 5 s',
      'pods "web-22-x" is forbidden: pod rejected: RuntimeClass "gvisor" not found',
      'mayHeal 5s: pods cannot be created: there is no RuntimeClass "gvisor"',
    ],
    [
      'for a webhook that does not answer name it',
      'Internal error occurred: failed calling webhook "policy.test": failed to call webhook: Post "https://p.shop.svc:443/": dial tcp 10.0.0.9:443: connect: connection refused',
      'mayHeal 30s: pods cannot be created: the admission webhook "policy.test" does not respond: connect: connection refused',
    ],
    [
      'for a namespace that ends are final',
      'pods "web-22-x" is forbidden: unable to create new content in namespace shop because it is being terminated',
      'final: pods cannot be created: the namespace is being deleted',
    ],
    [
      'for a missing ServiceAccount have 5 s',
      'pods "web-22-" is forbidden: error looking up service account shop/web: serviceaccount "web" not found',
      'mayHeal 5s: pods cannot be created',
    ],
    [
      'for a missing PriorityClass have 5 s',
      'pods "web-22-x" is forbidden: no PriorityClass with name high was found',
      'mayHeal 5s: pods cannot be created',
    ],
    [
      'for a LimitRange are final',
      'pods "web-22-x" is forbidden: maximum cpu usage per Container is 1, but limit is 2',
      'final: pods cannot be created',
    ],
    [
      'for an invalid template are final',
      'Pod "web-22-x" is invalid: spec.containers[0].name: Required value',
      'final: pods cannot be created',
    ],
  ])('%s', (_, message, expected) => {
    expect(signOf(message)).toContain(expected);
  });

  test('are told with the time of the condition', () => {
    const set = replicaSetOf(liveDeployment(), {
      conditions: [conditionAt('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota', 2)],
    });
    expect(controllerSigns(set, [], start)[0]?.cause.since).toBe(start + 2000);
  });

  test('by a StatefulSet, which has no such condition, are seen in its events (kubedog#216)', () => {
    const set = liveStatefulSet();
    const event = eventOn(
      set,
      'FailedCreate',
      'create Pod web-0 in StatefulSet web failed error: pods "web-0" is forbidden: violates PodSecurity "restricted:latest"',
      { first: 3 },
    );
    expect(controllerSigns(set, [event], start).map(({ state }) => state)).toEqual(['final']);
  });

  test('are no news when their last event is older than our write', () => {
    const set = liveStatefulSet();
    const event = eventOn(set, 'FailedCreate', 'violates PodSecurity', { first: -60, last: -1, count: 9 });
    expect(controllerSigns(set, [event], start)).toEqual([]);
  });
});
