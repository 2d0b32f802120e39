import { stringAt } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition, isTrue } from '../../kubernetes/conditions.ts';
import { endedHint } from '../failures/ended.ts';
import type { Verdict } from '../verdict.ts';
import { failed, progressing, ready, type Rule } from './rule.ts';

export const pod: Rule = {
  kinds: [{ kind: 'Pod', group: '' }],
  ready: 'it is ready (readiness gates included), or has succeeded',
  failed: 'its phase is Failed',
  source: 'kubernetes pkg/kubelet/status; kubectl#1451 for completed pods',
  judge,
};

function judge(object: KubernetesObject): Verdict {
  const phase = stringAt(object, 'status', 'phase') ?? 'Pending';
  if (phase === 'Succeeded') return ready('completed');
  if (phase === 'Failed') {
    const why =
      saidAt(object, 'status', 'message') ?? stringAt(object, 'status', 'reason') ?? 'a container ended with an error';
    return failed(object, stringAt(object, 'status', 'reason') ?? 'Failed', `failed: ${why}`, endedHint(object));
  }
  if (isTrue(object, 'Ready')) return ready('ready');
  const waiting = condition(object, 'Ready')?.message ?? '';
  return progressing(waiting === '' ? `its phase is ${phase}` : waiting);
}
