import { mapConcurrently } from '../base/concurrency.ts';
import { stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isTrue } from '../kubernetes/conditions.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import { concurrency } from '../apply/apply.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { applyEntry } from '../apply/managed-fields.ts';
import type { Ownership } from './ownership.ts';
import { runningRef } from './revision.ts';
import type { Revision } from './revision-shape.ts';

/** What earlier revisions had and the next one lacks. */
interface LeftBehind {
  /** What is there still, to be told. */
  there: ObjectRef[];
  /** That, and what may not be looked at: the next revision records it, so that it is not forgotten with the older ones. */
  recorded: ObjectRef[];
}

/**
 * What earlier revisions had and the next one lacks, as far as it is still in the cluster and still this release's: nothing
 * removes it. What has ended by itself, such as a finished Job, is not told.
 * @param wanted what the next revision has, under each name that it goes by
 */
export async function leftBehind(
  client: KubernetesClient,
  ownership: Pick<Ownership, 'otherUser'>,
  revisions: readonly Revision[],
  wanted: readonly ObjectRef[],
): Promise<LeftBehind> {
  const former = formerRefs(revisions, wanted);
  const states = await mapConcurrently(former, concurrency, async (ref) => {
    return { ref, state: await lookAt(client, ownership, ref) };
  });
  return {
    there: states.filter(({ state }) => state === 'there').map(({ ref }) => ref),
    recorded: states.filter(({ state }) => state !== 'gone').map(({ ref }) => ref),
  };
}

/** What any of the revisions had, where it ran, but for what is wanted. */
export function formerRefs(revisions: readonly Revision[], wanted: readonly ObjectRef[]): ObjectRef[] {
  const keys = new Set(wanted.map(keyOf));
  const refs = revisions.flatMap((revision) => [
    ...(revision.left ?? []),
    ...[...revision.objects, ...(revision.idle ?? [])].flatMap((object) =>
      // One that the next revision has runs under whatever name its strategy gives it.
      keys.has(keyOf(refOf(object))) ? [] : [refOf(object), runningRef(revision, object)],
    ),
  ]);
  return [...new Map(refs.map((ref) => [keyOf(ref), ref])).entries()]
    .filter(([key]) => !keys.has(key))
    .map(([, ref]) => ref);
}

/** `hidden`: it may not be looked at. */
async function lookAt(
  client: KubernetesClient,
  ownership: Pick<Ownership, 'otherUser'>,
  ref: ObjectRef,
): Promise<'there' | 'gone' | 'hidden'> {
  try {
    const object = await client.read(ref);
    if (object === undefined || !isLeft(object)) return 'gone';
    return (await ownership.otherUser(object)) === undefined ? 'there' : 'gone';
  } catch (error) {
    if (isStatus(error, 403)) return 'hidden';
    // Its kind is not served any more.
    if (error instanceof UnknownKind) return 'gone';
    throw error;
  }
}

/** Whether it is ours, stands by itself, and has not come to its end. */
export function isLeft(object: KubernetesObject): boolean {
  if (applyEntry(object, fieldManager) === undefined) return false;
  if (object.metadata.ownerReferences?.some(({ controller }) => controller === true) === true) return false;
  if (object.kind === 'Job') return !isTrue(object, 'Complete') && !isTrue(object, 'Failed');
  if (object.kind === 'Pod') return !['Succeeded', 'Failed'].includes(stringAt(object, 'status', 'phase') ?? '');
  return true;
}

/** More names than these help nobody. */
const named = 20;

/** One sentence for the user, or none; with the command that removes what is left. */
export function describeLeft(there: readonly ObjectRef[], namespace: string): string[] {
  if (there.length === 0) return [];
  const names = there
    .slice(0, named)
    .map((ref) => describeRef(ref, ref.namespace !== undefined && ref.namespace !== namespace));
  const more = there.length > named ? ` and ${there.length - named} more` : '';
  const [is, was, it] = there.length === 1 ? ['is', 'was', 'it is'] : ['are', 'were', 'they are'];
  return [
    `${names.join(', ')}${more} ${is} from an earlier revision, no longer in the manifests, and ${was} left in the cluster. ` +
      `If ${it} not needed, remove ${there.length === 1 ? 'it' : 'them'} with ${removalCommands(there.slice(0, named))}.`,
  ];
}

/** `"kubectl delete --namespace shop configmap/a service/b"`, one for each namespace. */
export function removalCommands(refs: readonly ObjectRef[]): string {
  const groups = Map.groupBy(refs, (ref) => ref.namespace);
  const commands = [...groups].map(([place, own]) => {
    const option = place === undefined || place === '' ? '' : ` --namespace ${place}`;
    return `"kubectl delete${option} ${own.map(({ kind, name }) => `${kind.toLowerCase()}/${name}`).join(' ')}"`;
  });
  return commands.join(' and ');
}
