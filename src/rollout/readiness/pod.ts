import { objectsAt, stringAt, type JsonObject } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition, isTrue } from '../../kubernetes/conditions.ts';
import { endedHint } from '../failures/ended.ts';
import type { Verdict } from '../verdict.ts';
import { failed, progressing, ready, type Facts, type Rule } from './rule.ts';
import { beforeWrite } from './template-change.ts';

export const pod: Rule = {
  kinds: [{ kind: 'Pod', group: '' }],
  ready:
    'it is ready (readiness gates included), each container whose image has changed was replaced; or it has succeeded',
  failed: 'its phase is Failed',
  source: 'kubernetes pkg/kubelet/status; kubectl#1451 for completed pods',
  judge,
};

function judge(object: KubernetesObject, facts: Facts): Verdict {
  const phase = stringAt(object, 'status', 'phase') ?? 'Pending';
  if (phase === 'Succeeded') return ready('completed');
  if (phase === 'Failed') {
    const why =
      saidAt(object, 'status', 'message') ?? stringAt(object, 'status', 'reason') ?? 'a container ended with an error';
    return failed(object, stringAt(object, 'status', 'reason') ?? 'Failed', `failed: ${why}`, endedHint(object));
  }
  if (isTrue(object, 'Ready')) {
    const old = notReplaced(object, facts)[0];
    return old === undefined ? ready('ready') : progressing(`container "${old}" still runs its old image`);
  }
  const waiting = condition(object, 'Ready')?.message ?? '';
  return progressing(waiting === '' ? `its phase is ${phase}` : waiting);
}

/** The containers whose image our write has changed and that still run: each is replaced inside the pod, whose Ready is theirs until then. */
function notReplaced(object: KubernetesObject, facts: Facts): string[] {
  const before = beforeWrite(facts);
  if (before === undefined) return [];
  const images = byName(objectsAt(before, 'spec', 'containers'), 'image');
  const [then, now] = [before, object].map((pod) =>
    byName(objectsAt(pod, 'status', 'containerStatuses'), 'containerID'),
  );
  return objectsAt(facts.asWritten, 'spec', 'containers').flatMap((container) => {
    const name = stringAt(container, 'name') ?? '';
    const isSame = then?.get(name) !== undefined && then.get(name) === now?.get(name);
    return isSame && stringAt(container, 'image') !== images.get(name) ? [name] : [];
  });
}

function byName(entries: readonly JsonObject[], field: string): ReadonlyMap<string, string | undefined> {
  return new Map(entries.map((entry) => [stringAt(entry, 'name') ?? '', stringAt(entry, field)]));
}
