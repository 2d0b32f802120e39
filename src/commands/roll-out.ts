import { Cancelled, messageOf } from '../base/errors.ts';
import { numberAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { containersOf, isWorkload } from '../manifests/pod-template.ts';
import { fieldManager } from '../release/field-manager.ts';
import { readJournal } from '../release/journal.ts';
import { preflight, warningsOf, type Prepared } from '../release/preflight.ts';
import { prune } from '../release/prune.ts';
import {
  isSameRelease,
  listRevisions,
  liveRevision,
  nextRevision,
  problemsOfRevisions,
  recordRevision,
  type Outcome,
  type Revision,
} from '../release/revision.ts';
import { freeStatefulSet, waitsForBrokenPods } from '../release/stateful-set.ts';
import type { Claims } from '../release/takeover.ts';
import { addressesOf } from '../rollout/readiness/service.ts';
import { rolling } from '../strategies/rolling.ts';
import type { ChangeOptions, Context } from './context.ts';
import { failureOf, type Draft } from './draft.ts';
import { finishFailed } from './failed-change.ts';
import { guardedChange, type GuardedChange } from './guarded-change.ts';
import type { AddressReport, RunReport, Status, WorkloadReport } from './report.ts';
import { RolloutWatch } from './rollout-watch.ts';

export interface RollOutOptions extends Required<ChangeOptions> {
  strategy: string;
  forceConflicts: boolean;
  /** Namespaces that are not there yet. */
  newNamespaces: ReadonlySet<string>;
}

/** What brings the objects in, and how its report speaks of it. */
export interface Purpose {
  command: string;
  status: Status;
  manifests: readonly Manifest[];
  /** Objects of the live revision that the new one does not have, to be removed once all else is ready. */
  surplus: readonly KubernetesObject[];
  /** Objects of the release that are recorded again without being touched. */
  alongside?: readonly KubernetesObject[];
  /** Paths that the apply is to own alone. */
  claims?: Claims;
  /** The revision whose objects these are, when they are those of an earlier one. */
  restores?: number;
  /** `Deployed shop`, `Deploy of shop` */
  done: string;
  attempt: string;
}

/**
 * Makes the cluster run these objects: preflight, lock, journal, strategy, record; on failure the undo.
 * @throws Failure, Failures for problems found before the first write; Cancelled
 */
export async function rollOut(
  context: Context,
  options: RollOutOptions,
  purpose: Purpose,
  draft: Draft,
): Promise<RunReport> {
  const { client, reporter } = context;
  const { release, namespace, newNamespaces } = options;
  const { manifests } = purpose;
  const { claims = [] } = purpose;
  const look = () => preflight(client, manifests, { force: options.forceConflicts, claims, newNamespaces });
  const [prepared, revisions, leftover] = await reporter.group('Preflight', async () => {
    const found = await Promise.all([
      look(),
      newNamespaces.has(namespace) ? [] : listRevisions(client, namespace, release),
      newNamespaces.has(namespace) ? undefined : readJournal(client, namespace, release),
    ]);
    const changes = found[0].filter(({ change }) => change !== 'unchanged').length;
    reporter.info(`${found[0].length} objects are valid; ${changes} of them are to be changed`);
    return found;
  });
  for (const warning of [...warningsOf(prepared), ...problemsOfRevisions(revisions)]) draft.warn(warning);
  draft.mark('manifests are valid');

  const live = liveRevision(revisions);
  if (live !== undefined) draft.add({ previousRevision: live.revision });
  const isUnchanged = prepared.every(({ change }) => change === 'unchanged') && purpose.surplus.length === 0;
  const isLive =
    live !== undefined &&
    isSameRelease(
      live,
      manifests.map(({ object }) => object),
    );
  if (isUnchanged && isLive && leftover === undefined) {
    return await confirmUnchanged(context, options, draft, prepared, live);
  }

  await createNamespace(context, namespace, newNamespaces, draft);
  const startedAt = new Date(context.clock.now()).toISOString();
  const watch = new RolloutWatch(context);
  let current = prepared;
  let known = revisions;
  const record = async (result: Outcome): Promise<number> => {
    const revision = {
      ...revisionOf(context, options, [...(purpose.alongside ?? []), ...objectsOf(current)], startedAt, result),
      revision: nextRevision(known),
      ...(purpose.restores === undefined ? {} : { restores: purpose.restores }),
    };
    await recordRevision(client, namespace, revision, known);
    draft.add({ revision: revision.revision });
    return revision.revision;
  };
  const outcome = await guardedChange(context, options, {
    command: purpose.command,
    work: async (change) => {
      // Another run may have come and gone before we had the lock.
      known = await listRevisions(client, namespace, release);
      if (change.stale || nextRevision(known) !== nextRevision(revisions)) current = await look();
      change.journal.record.revision = nextRevision(known);
      await reporter.group(purpose.command === 'rollback' ? 'Roll back' : 'Deploy', async () => {
        await bringIn(context, options, change, current, watch, purpose.command === 'rollback');
        await prune(client, change.journal, purpose.surplus, reporter);
      });
      draft.mark('all objects are ready');
      // Before the journal is closed: a run that is killed in between has come to its end, and the next one sees it.
      return await record('live');
    },
    beforeUndo: (error) => watch.collectEvidence(error),
    afterFailure: async ({ undo }) => {
      if (undo === undefined && !watch.wroteAnything) return;
      await record(undo?.complete === true ? 'undone' : 'failed').catch((error: unknown) => {
        reporter.warning(`this failed revision could not be recorded: ${messageOf(error)}`);
      });
    },
  });

  reportObjects(draft, current, watch);
  if (outcome.state === 'failed') return finishFailed(draft, watch, outcome.failure, purpose.attempt, manifests);
  return draft.finish(purpose.status, `${purpose.done} revision ${outcome.result} in ${draft.elapsed()}`);
}

async function bringIn(
  { client, clock, reporter }: Context,
  options: RollOutOptions,
  change: GuardedChange,
  prepared: readonly Prepared[],
  watch: RolloutWatch,
  goesBack: boolean,
): Promise<void> {
  await rolling(
    {
      client,
      journal: change.journal,
      force: options.forceConflicts,
      clock,
      signal: change.signal,
      deadline: change.deadline,
      onApplied: (entry, object) => {
        reporter.info(`${describeRef(refOf(object), true)} ${entry.change}`);
      },
      wait: async (written) => {
        for (const [entry, object] of goesBack ? written : []) {
          if (entry.change !== 'unchanged' && waitsForBrokenPods(object))
            await freeStatefulSet(client, refOf(object), undefined, clock);
        }
        await watch.wait(
          [...written].map(([entry, object]) => ({ object, changed: entry.change !== 'unchanged' })),
          change,
        );
      },
    },
    prepared,
  );
}

/** Nothing is to be written; but what is there may be broken, and then this is no success. */
async function confirmUnchanged(
  context: Context,
  options: RollOutOptions,
  draft: Draft,
  prepared: readonly Prepared[],
  live: Revision,
): Promise<RunReport> {
  const watch = new RolloutWatch(context);
  const deadline = context.clock.now() + options.timeoutMs;
  const targets = prepared.flatMap((entry) =>
    entry.live === undefined ? [] : [{ object: entry.live, changed: false }],
  );
  draft.add({ revision: live.revision });
  try {
    await watch.wait(targets, { deadline, signal: context.signal });
  } catch (error) {
    if (context.signal.aborted) throw new Cancelled();
    await watch.collectEvidence(error);
    const failure = watch.explain(
      failureOf(error),
      prepared.map(({ manifest }) => manifest),
    );
    reportObjects(draft, prepared, watch);
    draft.add({ failure });
    return draft.finish('failed', `${options.release} is unchanged, but not healthy: ${failure.message}`);
  }
  reportObjects(draft, prepared, watch);
  return draft.finish('unchanged', `${options.release} is unchanged: revision ${live.revision} is live and healthy`);
}

function reportObjects(draft: Draft, prepared: readonly Prepared[], watch: RolloutWatch): void {
  draft.add({
    objects: prepared.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change })),
    workloads: prepared
      .filter(({ manifest }) => isWorkload(manifest.object))
      .map((entry) => workloadReport(entry, watch)),
    addresses: prepared.flatMap(({ manifest }) => addressReports(watch.latest(refOf(manifest.object)))),
  });
}

function workloadReport({ manifest, live }: Prepared, watch: RolloutWatch): WorkloadReport {
  const ref = refOf(manifest.object);
  const before = new Map(live === undefined ? [] : containersOf(live).map(({ name, image }) => [name, image]));
  const after = numberAt(watch.latest(ref) ?? manifest.object, 'spec', 'replicas');
  const replicasBefore = live === undefined ? undefined : numberAt(live, 'spec', 'replicas');
  const duration = watch.durationOf(ref);
  return {
    ref,
    containers: containersOf(manifest.object).map(({ name, image }) => {
      const old = before.get(name);
      return { name, after: image ?? '', ...(old === undefined ? {} : { before: old }) };
    }),
    ...(after === undefined
      ? {}
      : { replicas: { after, ...(replicasBefore === undefined ? {} : { before: replicasBefore }) } }),
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...watch.stateOf(ref),
  };
}

/** Where a Service answers from outside; nothing for all other objects. */
export function addressReports(service: KubernetesObject | undefined): AddressReport[] {
  if (service?.kind !== 'Service') return [];
  const port = numberAt(service, 'spec', 'ports', 0, 'port') ?? 80;
  const scheme = port === 443 ? 'https' : 'http';
  const suffix = port === 443 || port === 80 ? '' : `:${port}`;
  return addressesOf(service).map((address) => ({
    ref: refOf(service),
    address,
    url: `${scheme}://${address}${suffix}/`,
  }));
}

/** The release's own namespace must be there before the lock and the journal, which lie in it. */
async function createNamespace(
  { client, reporter }: Context,
  namespace: string,
  missing: ReadonlySet<string>,
  draft: Draft,
): Promise<void> {
  if (!missing.has(namespace)) return;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager });
  reporter.info(`Namespace "${namespace}" created`);
  draft.mark(`namespace ${namespace} created; an undo would keep it`);
}

function objectsOf(prepared: readonly Prepared[]): KubernetesObject[] {
  return prepared.map(({ manifest }) => manifest.object);
}

function revisionOf(
  context: Context,
  options: RollOutOptions,
  objects: KubernetesObject[],
  startedAt: string,
  outcome: Outcome,
): Omit<Revision, 'revision'> {
  const { commit, url, actor } = context.run;
  return {
    release: options.release,
    outcome,
    strategy: options.strategy,
    startedAt,
    finishedAt: new Date(context.clock.now()).toISOString(),
    ...(commit === undefined ? {} : { commit }),
    ...(url === undefined ? {} : { run: url }),
    ...(actor === undefined ? {} : { actor }),
    images: Object.fromEntries(
      objects.flatMap((object) =>
        containersOf(object).map(({ name, image }) => [`${keyOf(refOf(object))}/${name}`, image ?? '']),
      ),
    ),
    objects,
  };
}
