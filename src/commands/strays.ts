import { mapConcurrently } from '../base/concurrency.ts';
import { numberAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isConfig } from '../manifests/config-references.ts';
import { isDeployment } from '../manifests/pod-template.ts';
import { markFor, markOf } from '../release/mark.ts';
import { listRevisions } from '../release/revision.ts';
import { candidateName, configCopyName, configOf, trackLabel } from '../strategies/candidate.ts';
import { previewName } from '../strategies/sides.ts';
import { isService } from '../traffic/services.ts';
import type { Context } from './context.ts';
import type { Draft } from './draft.ts';

/** Requests under way at once. */
const concurrency = 8;

/**
 * Names what canary and blue-green deploys of before have made beside the user's own and nothing uses any more: copies of config,
 * previews, and sides of a strategy that the release has left. Nothing is waiting, and nothing is under way.
 */
export async function tellStrays(
  { client }: Context,
  { namespace, release, strategy }: { namespace: string; release: string; strategy: string },
  draft: Draft,
): Promise<void> {
  try {
    const revisions = await listRevisions(client, namespace, release);
    if (!revisions.some((revision) => revision.strategy === 'canary' || revision.strategy === 'blue-green')) return;
    const refs = madeBeside(revisions.flatMap(({ objects }) => objects));
    const found = await mapConcurrently(refs, concurrency, (ref) => client.read(ref).catch(() => undefined));
    const own = found.filter((object) => object !== undefined && markOf(object) === markFor(namespace, release));
    const strays = straysAmong(
      own.filter((object) => object !== undefined),
      strategy,
    );
    for (const text of describeStrays(strays, namespace)) draft.warn(text);
  } catch {
    // It is a courtesy: the change itself has come to its end.
  }
}

/** What strategies would call what they make beside these. */
export function madeBeside(objects: readonly KubernetesObject[]): ObjectRef[] {
  const refs = objects.flatMap((object) => {
    const ref = refOf(object);
    const names = isDeployment(object)
      ? [candidateName(ref.name, 'canary'), candidateName(ref.name, 'green')]
      : isConfig(object)
        ? [configCopyName(ref.name, 'canary'), configCopyName(ref.name, 'green')]
        : isService(object)
          ? [previewName(ref.name)]
          : [];
    return names.map((name) => ({ ...ref, name }));
  });
  return [...new Map(refs.map((ref) => [keyOf(ref), ref])).values()];
}

/** Of what carries the label of a track: what serves nobody, and what no Deployment that stays reads. */
export function straysAmong(made: readonly KubernetesObject[], strategy: string): KubernetesObject[] {
  const labelled = made.filter(
    ({ metadata }) => metadata.labels?.[trackLabel] !== undefined && metadata.deletionTimestamp === undefined,
  );
  const stays = (object: KubernetesObject) =>
    isDeployment(object) &&
    ((numberAt(object, 'spec', 'replicas') ?? 1) > 0 ||
      // It waits for its next turn.
      (strategy === 'blue-green' && object.metadata.labels?.[trackLabel] === 'green'));
  const read = new Set(labelled.filter(stays).flatMap((object) => [...configOf(object)]));
  return labelled.filter((object) => !stays(object) && !read.has(keyOf(refOf(object))));
}

function describeStrays(strays: readonly KubernetesObject[], namespace: string): string[] {
  if (strays.length === 0) return [];
  const names = strays.map((object) => describeRef(refOf(object))).join(', ');
  const args = strays.map(({ kind, metadata }) => `${kind.toLowerCase()}/${metadata.name}`).join(' ');
  const [are, they] = strays.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return [
    `${names} ${are} of an earlier canary or blue-green deploy, and nothing uses ${they} any more. Remove ${they} with "kubectl delete --namespace ${namespace} ${args}".`,
  ];
}
