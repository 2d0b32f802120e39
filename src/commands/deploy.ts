import { Cancelled, Failure, InvalidInput } from '../base/errors.ts';
import { formatDuration } from '../base/clock.ts';
import { numberAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { containersOf, isWorkload } from '../manifests/pod-template.ts';
import { readJournal } from '../release/journal.ts';
import { preflight, warningsOf, type Prepared } from '../release/preflight.ts';
import {
  listRevisions,
  liveRevision,
  nextRevision,
  recordRevision,
  type Outcome,
  type Revision,
} from '../release/revision.ts';
import { addressesOf } from '../rollout/readiness/service.ts';
import { rolling } from '../strategies/rolling.ts';
import type { ChangeOptions, Context } from './context.ts';
import { Draft, failureOf } from './draft.ts';
import { guardedChange, type GuardedChange } from './guarded-change.ts';
import { loadManifests, type ManifestOptions } from './load-manifests.ts';
import type { AddressReport, RunReport, WorkloadReport } from './report.ts';
import { RolloutWatch } from './rollout-watch.ts';

export interface DeployOptions extends ChangeOptions, ManifestOptions {
  createNamespace: boolean;
  forceConflicts: boolean;
}

/**
 * Applies the manifests and waits until they are what runs; when that fails, brings everything back. Everything that can
 * be wrong about the input is found before the first write.
 * @throws Failure, Failures for problems found before the first write; Cancelled
 */
export async function deploy(context: Context, options: DeployOptions): Promise<RunReport> {
  const { client, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release, strategy } = options;
  const draft = new Draft(context, 'deploy', { release, namespace, strategy });

  const manifests = await reporter.group('Load manifests', () => loadManifests(context, options, namespace));
  const newNamespaces = await findNewNamespaces(
    context,
    options,
    namespace,
    manifests.map(({ object }) => object),
  );
  const look = () => preflight(client, manifests, { force: options.forceConflicts, newNamespaces });
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
  for (const warning of warningsOf(prepared)) draft.warn(warning);
  draft.mark('manifests are valid');

  const live = liveRevision(revisions);
  if (live !== undefined) draft.add({ previousRevision: live.revision });
  const isUnchanged = leftover === undefined && prepared.every(({ change }) => change === 'unchanged');
  if (isUnchanged && live !== undefined) {
    return await confirmUnchanged(context, options, draft, prepared, live);
  }

  await createNamespaces(context, namespace, newNamespaces, draft);
  const startedAt = new Date(context.clock.now()).toISOString();
  const watch = new RolloutWatch(context);
  let current = prepared;
  const outcome = await guardedChange(
    context,
    { ...options, namespace },
    { command: 'deploy' },
    async (change) => {
      if (change.stale) current = await look();
      await bringIn(context, options, change, current, watch, draft);
    },
    (error) => watch.collectEvidence(error),
  );

  reportObjects(draft, current, watch);
  const record = async (result: Outcome): Promise<number> => {
    const known = await listRevisions(client, namespace, release);
    const revision = revisionOf(context, options, current, nextRevision(known), startedAt, result);
    await recordRevision(client, namespace, revision, known);
    draft.add({ revision: revision.revision });
    return revision.revision;
  };
  if (outcome.state === 'done') {
    const revision = await record('live');
    return draft.finish('deployed', `Deployed ${release} revision ${revision} in ${elapsed(context)}`);
  }
  const { error, undo } = outcome.failure;
  if (error instanceof Cancelled) throw error;
  const failure = watch.explain(failureOf(error), manifests);
  draft.add({ failure, ...(undo === undefined ? {} : { undo }) });
  if (undo !== undefined || watch.wroteAnything) await record(undo?.complete === true ? 'undone' : 'failed');
  if (undo === undefined) return draft.finish('failed', `Deploy of ${release} failed: ${failure.message}`);
  return undo.complete
    ? draft.finish('undone', `Deploy of ${release} failed and was undone: ${failure.message}`)
    : draft.finish('failed', `Deploy of ${release} failed and could not be undone completely: ${failure.message}`);
}

async function bringIn(
  context: Context,
  options: DeployOptions,
  change: GuardedChange,
  prepared: readonly Prepared[],
  watch: RolloutWatch,
  draft: Draft,
): Promise<void> {
  const { client, reporter } = context;
  await reporter.group('Deploy', async () => {
    await rolling(
      {
        client,
        journal: change.journal,
        force: options.forceConflicts,
        signal: change.signal,
        onApplied: (entry, object) => {
          reporter.info(`${describeRef(refOf(object), true)} ${entry.change}`);
        },
        wait: (written) =>
          watch.wait(
            [...written].map(([entry, object]) => ({ object, changed: entry.change !== 'unchanged' })),
            change,
          ),
      },
      prepared,
    );
  });
  draft.mark('all objects are ready');
}

/** Nothing is to be written; but what is there may be broken, and then this is no success. */
async function confirmUnchanged(
  context: Context,
  options: DeployOptions,
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

function addressReports(service: KubernetesObject | undefined): AddressReport[] {
  if (service?.kind !== 'Service') return [];
  const port = numberAt(service, 'spec', 'ports', 0, 'port') ?? 80;
  return addressesOf(service).map((address) => ({
    ref: refOf(service),
    address,
    url: port === 443 ? `https://${address}/` : port === 80 ? `http://${address}/` : `http://${address}:${port}/`,
  }));
}

/** Namespaces that objects need and that are not there. @throws InvalidInput when nobody would make them */
async function findNewNamespaces(
  { client }: Context,
  { createNamespace }: DeployOptions,
  namespace: string,
  objects: readonly KubernetesObject[],
): Promise<Set<string>> {
  const brought = new Set(
    objects
      .filter(({ kind, apiVersion }) => kind === 'Namespace' && apiVersion === 'v1')
      .map(({ metadata }) => metadata.name),
  );
  const needed = new Set([namespace, ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])]);
  const missing = new Set<string>();
  for (const name of needed) {
    const found = await client.read({ apiVersion: 'v1', kind: 'Namespace', name }).catch((error: unknown) => {
      // A namespaced Role may not look at namespaces: then they are there, or the dry run says so.
      if (error instanceof Failure && 'status' in error && error.status === 403) return { isUnknown: true };
      throw error;
    });
    if (found !== undefined) continue;
    if (!brought.has(name) && !(createNamespace && name === namespace)) {
      throw new InvalidInput(`there is no namespace "${name}" in the cluster`, {
        hint: 'Correct the input "namespace", set "create-namespace: true", or put the Namespace into the manifests.',
      });
    }
    missing.add(name);
  }
  return missing;
}

/** The release's own namespace must be there before the lock and the journal, which lie in it. */
async function createNamespaces(
  context: Context,
  namespace: string,
  missing: ReadonlySet<string>,
  draft: Draft,
): Promise<void> {
  if (!missing.has(namespace)) return;
  const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } };
  await context.client.apply(object, { fieldManager: 'gke-rollout' });
  context.reporter.info(`Namespace "${namespace}" created`);
  draft.mark(`namespace ${namespace} created; an undo would keep it`);
}

function revisionOf(
  context: Context,
  options: DeployOptions,
  prepared: readonly Prepared[],
  revision: number,
  startedAt: string,
  outcome: Outcome,
): Revision {
  const { commit, url, actor } = context.run;
  const objects = prepared.map(({ manifest }) => manifest.object);
  return {
    release: options.release,
    revision,
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

function elapsed(context: Context): string {
  return formatDuration(context.clock.now() - context.startedAt);
}
