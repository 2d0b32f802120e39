import { objectsAt, stringAt } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { condition, isTrue } from '../../kubernetes/conditions.ts';
import { endedHint } from '../failures/ended.ts';
import { lastingStatuses } from '../lasting-statuses.ts';
import type { Verdict } from '../verdict.ts';
import { failed, progressing, ready, type Facts, type Rule } from './rule.ts';
import { beforeWrite } from './template-change.ts';

export const pod: Rule = {
  kinds: [{ kind: 'Pod', group: '' }],
  ready:
    'it is ready (readiness gates included), each container or native sidecar whose image has changed was replaced; or it has succeeded',
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
    return old === undefined ? ready('ready') : progressing(`${old} still runs its old image`);
  }
  const waiting = condition(object, 'Ready')?.message ?? '';
  return progressing(waiting === '' ? `its phase is ${phase}` : waiting);
}

/**
 * The containers, and native sidecars, whose image our write has changed and that still run: each is replaced inside the pod, whose Ready
 * is theirs until then.
 */
function notReplaced(object: KubernetesObject, facts: Facts): string[] {
  const before = beforeWrite(facts);
  if (before === undefined) return [];
  const [then, now] = [imagesIn(before), imagesIn(facts.asWritten)];
  const ids = new Map(lastingStatuses(before).map(({ name, status }) => [name, stringAt(status, 'containerID')]));
  return lastingStatuses(object).flatMap(({ name, status, what }) => {
    const id = ids.get(name);
    const isSame = id !== undefined && id === stringAt(status, 'containerID');
    return isSame && then.get(name) !== now.get(name) ? [what] : [];
  });
}

/** By the names of the containers: in a pod they differ, those of init containers included. */
function imagesIn(pod: KubernetesObject): ReadonlyMap<string, string | undefined> {
  return new Map(
    ['containers', 'initContainers'].flatMap((list) =>
      objectsAt(pod, 'spec', list).map((entry) => [stringAt(entry, 'name') ?? '', stringAt(entry, 'image')] as const),
    ),
  );
}
