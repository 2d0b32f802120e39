import type { Clock } from '../base/clock.ts';
import { numberAt, stringAt, stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isTrue } from '../kubernetes/conditions.ts';

/** How long the controller may take to look at the restored object. */
const observationMs = 10_000;
const pollMs = 200;

/**
 * A StatefulSet waits for ever for a broken pod of the revision that it leaves (kubernetes/kubernetes#67250). Such pods
 * are deleted: those that are not ready, of another revision than those of `before` and the one wanted now, one after the
 * other.
 */
export async function freeStatefulSet(
  client: KubernetesClient,
  ref: ObjectRef,
  before: KubernetesObject | undefined,
  clock: Clock,
): Promise<void> {
  const [pods, restored] = [await client.resource('v1', 'Pod'), await observed(client, ref, clock)];
  if (pods === undefined || restored === undefined) return;
  const good = new Set(
    before === undefined
      ? [stringAt(restored, 'status', 'updateRevision')]
      : [before, restored].flatMap((object) => [
          stringAt(object, 'status', 'currentRevision'),
          stringAt(object, 'status', 'updateRevision'),
        ]),
  );
  const { uid, namespace } = restored.metadata;
  // The pods below it stay at the revision that they are of.
  const partition = numberAt(restored, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const labelSelector = labelSelectorOf(stringsAt(restored, 'spec', 'selector', 'matchLabels'));
  const { items } = await client.list(pods, { labelSelector, ...(namespace === undefined ? {} : { namespace }) });
  for (const pod of items) {
    const revision = pod.metadata.labels?.['controller-revision-hash'];
    const isOwned = pod.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
    const ordinal = Number(/(?<!\d)\d+$/.exec(pod.metadata.name)?.[0]);
    if (!isOwned || revision === undefined || good.has(revision) || isTrue(pod, 'Ready') || ordinal < partition)
      continue;
    const podUid = pod.metadata.uid;
    await client.delete(refOf({ ...pod, apiVersion: 'v1', kind: 'Pod' }), podUid === undefined ? {} : { uid: podUid });
  }
}

/** Whether it is a StatefulSet that replaces its pods in order, and only when the one before is ready. */
export function waitsForBrokenPods(object: KubernetesObject): boolean {
  return (
    object.kind === 'StatefulSet' &&
    stringAt(object, 'spec', 'podManagementPolicy') !== 'Parallel' &&
    stringAt(object, 'spec', 'updateStrategy', 'type') !== 'OnDelete'
  );
}

/** The object once its controller has seen what was written: before that, its status speaks of the failed revision. */
async function observed(client: KubernetesClient, ref: ObjectRef, clock: Clock): Promise<KubernetesObject | undefined> {
  const until = clock.now() + observationMs;
  for (;;) {
    const object = await client.read(ref);
    if (object === undefined) return undefined;
    const generation = object.metadata.generation ?? 0;
    if ((numberAt(object, 'status', 'observedGeneration') ?? 0) >= generation) return object;
    if (clock.now() >= until) return undefined;
    await clock.sleep(pollMs);
  }
}
