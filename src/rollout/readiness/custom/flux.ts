import { booleanAt, stringAt } from '../../../base/json.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { ready, unchecked, type Facts, type Rule } from '../rule.ts';
import { awaitConditions } from './patience.ts';

export const flux: Rule = {
  kinds: [
    { kind: 'HelmRelease', group: 'helm.toolkit.fluxcd.io' },
    { kind: 'Kustomization', group: 'kustomize.toolkit.fluxcd.io' },
    ...['GitRepository', 'OCIRepository', 'HelmRepository', 'HelmChart', 'Bucket'].map((kind) => ({
      kind,
      group: 'source.toolkit.fluxcd.io',
    })),
  ],
  ready:
    'Ready is True for this generation; accepted while suspended, and after 60 s without a status; a HelmRepository of type oci is ready when it is applied',
  failed: 'Stalled is True for this generation: it does not try again by itself',
  source: 'fluxcd/pkg apis/meta and runtime/conditions; kstatus',
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (booleanAt(object, 'spec', 'suspend') === true) return unchecked('suspended: Flux leaves it as it is');
  if (object.kind === 'HelmRepository' && stringAt(object, 'spec', 'type') === 'oci') return ready('applied');
  return awaitConditions(object, facts, {
    types: ['Ready'],
    observed: 'status',
    failing: [
      {
        type: 'Stalled',
        status: 'True',
        graceMs: 0,
        hint: 'Fix what the message says; Flux has given up until it changes.',
      },
    ],
  });
}
