import { mapConcurrently } from '../base/concurrency.ts';
import { messageOf } from '../base/errors.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { nameGoing } from '../kubernetes/going.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import { isConfig, isDeployment } from '../manifests/kinds.ts';
import { readJournal } from '../release/journal.ts';
import { removalCommands } from '../release/left-behind.ts';
import { Ownership } from '../release/ownership.ts';
import { liveRevision, servingKeys } from '../release/revision.ts';
import { candidateName, configCopyName, configOf } from '../strategies/candidate.ts';
import { trackLabel, isService, previewName } from '../traffic/services.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import { removeMade } from '../release/remove-made.ts';
import { whileLive } from '../release/while-live.ts';
import type { Revision } from '../release/revision-shape.ts';

/** Requests under way at once. */
const concurrency = 8;

interface StrayOptions {
  namespace: string;
  release: string;
  /** Of the run: which of what was made beside the user's objects has its turn again. */
  strategy: string;
}

/**
 * What canary and blue-green deploys of before have made beside the user's own and nothing uses any more: candidates that a
 * failed run was told to leave, copies of config, previews, sides of a strategy that the release has left. To be asked while
 * nothing is under way and nothing waits.
 */
export async function findStrays(
  { client }: Pick<Context, 'client'>,
  { namespace, release, strategy }: StrayOptions,
  revisions: readonly Revision[],
): Promise<KubernetesObject[]> {
  if (!revisions.some((revision) => revision.strategy === 'canary' || revision.strategy === 'blue-green')) return [];
  const live = liveRevision(revisions);
  const users = new Set([...(live?.objects ?? []), ...(live?.idle ?? [])].map((object) => keyOf(refOf(object))));
  const refs = madeBeside(revisions.flatMap(({ objects }) => objects)).filter((ref) => !users.has(keyOf(ref)));
  const found = await mapConcurrently(refs, concurrency, (ref) => client.read(ref).catch(ignoreRefused));
  const own = await new Ownership(client, { namespace, release }).marked(
    found.filter((object) => object !== undefined),
  );
  return straysAmong(own, strategy, servingKeys(live?.serving ?? {}));
}

/** What may not be looked at is left alone: the change itself does not need it. */
function ignoreRefused(error: unknown): undefined {
  if (isStatus(error, 403) || error instanceof UnknownKind) return undefined;
  throw error;
}

/**
 * Removes what `findStrays` finds, pods once no request comes to them any more, if this revision is live and nothing is under way
 * or waits. What cannot be removed is named, with the command that does it.
 * @param known the revisions of the release, this one among them
 */
export async function removeStrays(
  context: Context,
  options: StrayOptions & { timeoutMs: number },
  { revision, known }: { revision: number; known: readonly Revision[] },
  report: Report,
): Promise<void> {
  const { reporter, signal } = context;
  let strays: readonly KubernetesObject[] = [];
  try {
    strays = await findStrays(context, options, known);
    if (strays.length === 0) return;
    const held = await reporter.group('Clean up', () => removeUnderLock(context, options, revision));
    for (const object of held) report.warn(nameGoing(object));
  } catch (error) {
    // The change itself has come to its end.
    if (signal.aborted) return;
    report.warn(describeStrays(strays, messageOf(error)));
  }
}

/** Nothing while a run is under way, or a candidate waits. */
async function removeUnderLock(
  context: Context,
  options: StrayOptions & { timeoutMs: number },
  revision: number,
): Promise<KubernetesObject[]> {
  const { client, reporter } = context;
  const held = await whileLive(context, options, revision, async (revisions, deadline) => {
    if ((await readJournal(client, options.namespace, options.release)) !== undefined) return [];
    const strays = await findStrays(context, options, revisions);
    for (const stray of strays)
      reporter.info(`${describeRef(refOf(stray))} is left over from an earlier deploy and no longer used`);
    return await removeMade(context, options.namespace, strays, deadline);
  });
  return held ?? [];
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

/**
 * Of what carries the label of a track: what has no turn any more, and what no Deployment that stays reads.
 * @param serving keys of the workloads that serve
 */
export function straysAmong(
  made: readonly KubernetesObject[],
  strategy: string,
  serving: ReadonlySet<string>,
): KubernetesObject[] {
  const labelled = made.filter(
    ({ metadata }) => metadata.labels?.[trackLabel] !== undefined && metadata.deletionTimestamp === undefined,
  );
  const stays = (object: KubernetesObject) =>
    isDeployment(object) &&
    object.metadata.labels?.[trackLabel] === 'green' &&
    // The other one waits for its next turn.
    (strategy === 'blue-green' || serving.has(keyOf(refOf(object))));
  const read = new Set(labelled.filter(stays).flatMap((object) => [...configOf(object)]));
  return labelled.filter((object) => !stays(object) && !read.has(keyOf(refOf(object))));
}

/** For whoever only looks: which pods are no part of what is live. */
export function describeLeftCandidates(strays: readonly KubernetesObject[]): string[] {
  return strays
    .filter(isDeployment)
    .map(
      (object) =>
        `${describeRef(refOf(object))} is left over from an earlier canary or blue-green deploy and not live, but its pods may get requests. The next deploy or rollback removes it.`,
    );
}

function describeStrays(strays: readonly KubernetesObject[], reason: string): string {
  const refs = strays.map(refOf);
  const [are, they] = refs.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return `${refs.map((ref) => describeRef(ref)).join(', ')} ${are} left over from an earlier canary or blue-green deploy and unused, but this run could not remove ${they}: ${reason}. Remove ${they} with ${removalCommands(refs)}.`;
}
