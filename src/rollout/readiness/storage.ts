import { stringAt } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Verdict } from '../verdict.ts';
import { failed, ready, unchecked, type Rule } from './rule.ts';

export const persistentVolumeClaim: Rule = {
  kinds: [{ kind: 'PersistentVolumeClaim', group: '' }],
  ready: 'it is bound; one that is pending is accepted, since many bind only when a pod uses them',
  failed: 'its phase is Lost',
  source: 'kubernetes pkg/controller/volume/persistentvolume; WaitForFirstConsumer',
  judge,
};

function judge(object: KubernetesObject): Verdict {
  switch (stringAt(object, 'status', 'phase')) {
    case 'Bound':
      return ready('bound');
    case 'Lost':
      return failed(object, 'Lost', 'its volume is lost', 'Restore its PersistentVolume.');
    default:
      return unchecked('pending; if it does not bind, the pods that use it will show it');
  }
}
