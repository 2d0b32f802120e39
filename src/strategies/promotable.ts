import { Failure } from '../base/errors.ts';
import { equal, numberAt, objectAt, stringAt, stringsAt, type Json, type JsonObject } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isHeldBack } from '../rollout/pause.ts';
import { pausedError } from './paused.ts';
import type { StrategyContext } from './strategy.ts';
import type { Prepared } from '../apply/prepared.ts';

/** What `kubectl rollout restart` writes into a pod template: it makes other pods of the same version. */
const restartedAt = 'kubectl.kubernetes.io/restartedAt';

const abortHint = 'Run "abort", then deploy what you want.';
const forceHint = 'With "force: true" it is promoted all the same.';

/**
 * Looks at a candidate before the first write of its promotion: it is there, has pods, is what was deployed, and all of it
 * is ready now. A few moments are given for what has just begun.
 * @param options `prepared` says what was deployed, where the journal does not; `afterWait`: this very run has waited for it
 * @returns the candidates as they are
 * @throws Failure, RolloutFailed with the causes that a deploy would name
 */
export async function assertPromotable(
  context: StrategyContext,
  candidates: readonly ObjectRef[],
  { prepared = [], afterWait }: { prepared?: readonly Prepared[]; afterWait: boolean },
): Promise<KubernetesObject[]> {
  const found = await assertPresent(context, candidates);
  for (const candidate of found) {
    const expected = templateOf(context, candidate, prepared);
    if (expected !== undefined && !equal(plain(objectAt(candidate, 'spec', 'template')), plain(expected)))
      throw changedSince(candidate);
    if (isHeldBack(candidate)) throw pausedError(candidate);
  }
  await context.check(found, { afterWait });
  return found;
}

/**
 * Whether there is something that could be promoted: nobody knows better than to send all requests to nobody.
 * @throws Failure
 */
export async function assertPresent(
  { client }: StrategyContext,
  candidates: readonly ObjectRef[],
): Promise<KubernetesObject[]> {
  return await Promise.all(candidates.map(async (ref) => present(ref, await client.read(ref))));
}

function present(ref: ObjectRef, object: KubernetesObject | undefined): KubernetesObject {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
    throw new Failure(`the candidate ${describeRef(ref, true)} is not there any more: somebody has deleted it`, {
      hint: 'Run "abort" to take away what is left of it, then deploy again.',
    });
  }
  if ((numberAt(object, 'spec', 'replicas') ?? 1) === 0) {
    throw new Failure(`the candidate ${describeRef(ref, true)} has no pods: it is scaled to 0`, {
      hint: `Scale it up again, or: ${abortHint}`,
    });
  }
  return object;
}

/** The pod template that was deployed, as far as it is known. */
function templateOf(
  { journal }: StrategyContext,
  candidate: KubernetesObject,
  prepared: readonly Prepared[],
): JsonObject | undefined {
  const key = keyOf(refOf(candidate));
  const written = journal.record.entries.findLast(({ ref, after }) => keyOf(ref) === key && after !== null)?.after;
  const predicted = prepared.find(({ manifest }) => keyOf(refOf(manifest.object)) === key)?.predicted;
  const source = written ?? predicted;
  return source === undefined ? undefined : objectAt(source, 'spec', 'template');
}

function plain(template: JsonObject): Json {
  const metadata = objectAt(template, 'metadata');
  const annotations = Object.entries(stringsAt(metadata, 'annotations')).filter(([key]) => key !== restartedAt);
  return { ...template, metadata: { ...metadata, annotations: Object.fromEntries(annotations) } };
}

function changedSince(candidate: KubernetesObject): Failure {
  const writers = (candidate.metadata.managedFields ?? []).filter(
    ({ operation, subresource }) => operation === 'Update' && subresource === undefined,
  );
  const last = writers.toSorted((left, right) => (stringAt(left, 'time') ?? '').localeCompare(right.time ?? '')).at(-1);
  const by =
    last === undefined ? '' : ` (last written by ${last.manager}${last.time === undefined ? '' : ` at ${last.time}`})`;
  return new Failure(
    `the candidate ${describeRef(refOf(candidate), true)} is not what was deployed: its pod template has been changed since${by}`,
    { hint: `Nobody has tried what would be promoted. ${abortHint} ${forceHint}` },
  );
}
