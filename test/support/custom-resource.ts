import type { JsonObject } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import type { Facts } from '../../src/rollout/readiness/rule.ts';
import { noteSequence } from './noted-sequences.ts';
import { live, start, timeAt } from './rollout-objects.ts';
import { replay, type SequenceStep } from './sequence.ts';

/** What a custom resource, and what it owns, show from a moment on: seconds after the write. */
export interface Shown {
  at: number;
  /** Of the object itself; as before where it is not given. */
  status?: JsonObject;
  /** What is there beside it from then on, or has changed. */
  beside?: readonly KubernetesObject[];
  gone?: readonly KubernetesObject[];
}

/** A custom resource as it was written: generation 2 of an object that has been there for an hour. */
export function custom(
  apiVersion: string,
  kind: string,
  { spec = {}, status, generation = 2, name = 'web' }: CustomParts = {},
): KubernetesObject {
  const metadata = { name, generation, creationTimestamp: timeAt(-3600) };
  return live(kind, { apiVersion, metadata, spec, ...(status === undefined ? {} : { status }) });
}

interface CustomParts {
  spec?: JsonObject;
  /** As it was left from before the write. */
  status?: JsonObject;
  generation?: number;
  name?: string;
}

/** `owner` has made it. */
export function ownedBy(owner: KubernetesObject, object: KubernetesObject): KubernetesObject {
  const { apiVersion, kind, metadata } = owner;
  const reference = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
  return { ...object, metadata: { ...object.metadata, ownerReferences: [reference] } };
}

/**
 * What is decided at each of these moments, and at the end: `ready: 3 of 3 groups ready`, `failed: reason: message`.
 * @param until seconds after the write
 */
export function decidedOver(
  written: KubernetesObject,
  shown: readonly Shown[],
  until: number,
  { changed = true, ...own }: { changed?: boolean } & Pick<Facts, 'userRule'> = {},
): string[] {
  let object = written;
  const verdicts: { at: number; text: string }[] = [];
  const steps = shown.flatMap(({ at, status, beside = [], gone = [] }): SequenceStep[] => {
    if (status !== undefined) object = { ...object, status };
    const ms = start + at * 1000;
    return [
      ...gone.map((one) => ({ at: ms, type: 'DELETED' as const, object: one })),
      ...beside.map((one) => ({ at: ms, type: 'MODIFIED' as const, object: one })),
      { at: ms, type: 'MODIFIED', object },
    ];
  });
  const endedAt = start + until * 1000;
  const all = replay({ about: '', written, writtenAt: start, changed, steps, endedAt, verdict: 'ready' }, own);
  [...steps, { at: endedAt }].forEach(({ at }, index) => {
    const verdict = all[index];
    if (verdict === undefined) return;
    const text = verdict.state === 'failed' ? `${verdict.cause.reason}: ${verdict.cause.message}` : verdict.message;
    verdicts.push({ at, text: `${verdict.state}: ${text}` });
  });
  // The last word of each moment: all that is shown at once comes one after the other.
  const decided = verdicts.filter(({ at }, index) => verdicts[index + 1]?.at !== at).map(({ text }) => text);
  noteSequence(written, decided);
  return decided;
}
