import { stringAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition, isTrue } from '../../kubernetes/conditions.ts';
import type { Verdict } from '../verdict.ts';
import { failed, progressing, ready, type Rule } from './rule.ts';

export const customResourceDefinition: Rule = {
  kinds: [{ kind: 'CustomResourceDefinition', group: 'apiextensions.k8s.io' }],
  ready: 'Established and NamesAccepted are True',
  failed: 'NamesAccepted is False',
  source: 'apiextensions-apiserver pkg/controller/{establish,status}',
  judge: (object) => {
    const names = condition(object, 'NamesAccepted');
    if (names?.status === 'False')
      return failed(object, names.reason, names.message, 'Choose names that no other definition uses.');
    return isTrue(object, 'Established') && names?.status === 'True'
      ? ready('established')
      : progressing('not established yet');
  },
};

export const apiService: Rule = {
  kinds: [{ kind: 'APIService', group: 'apiregistration.k8s.io' }],
  ready: 'Available is True',
  failed: 'never',
  source: 'kube-aggregator pkg/controllers/status',
  judge: (object) => byCondition(object, 'Available'),
};

export const namespace: Rule = {
  kinds: [{ kind: 'Namespace', group: '' }],
  ready: 'its phase is Active',
  failed: 'it is being deleted',
  source: 'kubernetes pkg/controller/namespace',
  judge: (object) =>
    stringAt(object, 'status', 'phase') === 'Terminating'
      ? failed(object, 'Terminating', 'is being deleted', 'Wait until it is gone, then run it again.')
      : ready('active'),
};

function byCondition(object: KubernetesObject, type: string): Verdict {
  const found = condition(object, type);
  if (found?.status === 'True') return ready(type.toLowerCase());
  return progressing(found === undefined || found.message === '' ? `not ${type.toLowerCase()} yet` : found.message);
}
