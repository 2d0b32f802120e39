import { condition } from '../../../kubernetes/conditions.ts';
import { groupOf, type KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { ready, type Facts, type Rule } from '../rule.ts';
import type { Failing } from './conditions.ts';
import { acceptSlow, awaitConditions, readyAs } from './patience.ts';

export const configConnector: Rule = {
  kinds: [{ kind: '*', group: '*.cnrm.cloud.google.com' }],
  ready:
    'Ready is True for this generation; accepted while Google Cloud still works on it after 2 min, which may take an hour, and after 60 s without a status',
  failed:
    'Ready is False for 90 s with UpdateFailed, DeleteFailed, ManagementConflict, DependencyInvalid, PreActuationTransformFailed or PostActuationTransformFailed; for 60 s with Unmanaged; never for a dependency that is not there yet',
  source: 'k8s-config-connector pkg/k8s/constants.go; k8s-config-connector#7317 for a generation that never moves',
  judge,
};

/** Rights in Google Cloud take a while to count, ms. */
const failedMs = 90_000;
const unmanagedMs = 60_000;
const acceptMs = 120_000;

const failing: readonly Failing[] = [
  {
    type: 'Ready',
    reasons: [
      'UpdateFailed',
      'CreateFailed',
      'DeleteFailed',
      'ManagementConflict',
      'DependencyInvalid',
      'PreActuationTransformFailed',
      'PostActuationTransformFailed',
    ],
    graceMs: failedMs,
    hint: 'Fix what Google Cloud says: usually a permission, a quota, an API that is not enabled or an immutable field.',
  },
  {
    type: 'Ready',
    reasons: ['Unmanaged'],
    graceMs: unmanagedMs,
    hint: 'Make a ConfigConnectorContext in its namespace.',
  },
];

function judge(object: KubernetesObject, facts: Facts): Verdict {
  // Those of Config Connector itself keep no such conditions.
  if (/^(?:customize\.)?core\./.test(groupOf(object.apiVersion)) && condition(object, 'Ready') === undefined)
    return ready('applied');
  const verdict = awaitConditions(object, facts, { types: ['Ready'], observed: 'status', failing });
  return readyAs(acceptSlow(verdict, facts, acceptMs, 'still in progress in Google Cloud'), 'up to date');
}
