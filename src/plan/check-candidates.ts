import { Failure } from '../base/errors.ts';
import { equal, numberAt, objectAt, stringAt, stringsAt, type Json, type JsonObject } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isHeldBack, pausedError } from '../rollout/pause.ts';
import type { Prepared } from '../apply/prepared.ts';
import { assertEndpoints } from '../traffic/endpoints.ts';
import { templateLabels } from '../traffic/pods.ts';
import { selectorOf, selects } from '../traffic/services.ts';
import type { Execution } from './execution.ts';
import type { Check } from './step.ts';

/** What `kubectl rollout restart` writes into a pod template: it makes other pods of the same version. */
const restartedAt = 'kubectl.kubernetes.io/restartedAt';

const abortHint = 'Run "abort", then deploy what you want.';
const forceHint = 'With "force: true" it is promoted anyway.';

/**
 * Looks at candidates before the first write of their promotion: they are there, have pods, are what was deployed, all of it is
 * ready now, and the Services that are to lead to them would find them. A few moments are given for what has just begun.
 * @throws Failure, RolloutFailed with the causes that a deploy would name
 */
export async function checkCandidates(step: Check, execution: Execution): Promise<void> {
  const found = await assertPresent(execution, step.candidates);
  if (step.asks === 'present') return;
  for (const candidate of found) {
    const expected = templateOf(execution, candidate, step.deployed ?? []);
    if (expected !== undefined && !equal(plain(objectAt(candidate, 'spec', 'template')), plain(expected)))
      throw changedSince(candidate);
    if (isHeldBack(candidate)) throw pausedError(candidate);
  }
  await execution.check(found, { afterWait: step.asks === 'ready' });
  for (const { service, preview } of step.behind ?? []) {
    if (found.some((candidate) => selects(selectorOf(service), templateLabels(candidate))))
      await assertEndpoints(execution, service, preview);
  }
}

/**
 * Whether there is something that could be promoted: nobody knows better than to send all requests to nobody.
 * @throws Failure
 */
async function assertPresent({ client }: Execution, candidates: readonly ObjectRef[]): Promise<KubernetesObject[]> {
  return await Promise.all(candidates.map(async (ref) => present(ref, await client.read(ref))));
}

function present(ref: ObjectRef, object: KubernetesObject | undefined): KubernetesObject {
  if (object === undefined || object.metadata.deletionTimestamp !== undefined) {
    throw new Failure(`the candidate ${describeRef(ref, true)} no longer exists: someone deleted it`, {
      hint: 'Run "abort" to remove what is left of it, then deploy again.',
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
  { journal }: Execution,
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
    `the candidate ${describeRef(refOf(candidate), true)} is not what was deployed: its pod template was changed since${by}`,
    { hint: `What would be promoted is untested. ${abortHint} ${forceHint}` },
  );
}
