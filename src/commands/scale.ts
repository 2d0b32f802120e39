import { InvalidInput } from '../base/errors.ts';
import { numberAt, objectAt } from '../base/json.ts';
import { describeRef, keyOf, nameFrom, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isScalable, kindsToScale } from '../manifests/kinds.ts';
import { podsOf } from '../manifests/pod-template.ts';
import { matchReplicas, parseReplicas, refuseElsewhere, type ReplicaRequest } from '../manifests/replicas.ts';
import { applyLayer } from '../apply/apply.ts';
import { refuseAutoscaled } from '../apply/autoscaled.ts';
import { changedInCluster } from '../apply/owned-change.ts';
import { Ownership } from '../release/ownership.ts';
import { preflight } from '../apply/preflight.ts';
import { listRevisions, liveRevision, runningRef } from '../release/revision.ts';
import { locking } from '../release/rights.ts';
import { describeScaled } from '../release/scaled.ts';
import type { Context } from '../release/context.ts';
import { attemptOf, listed, tellChanges, type Change } from '../report/headline.ts';
import { Report } from '../report/report.ts';
import { plannedObjects } from './changes.ts';
import { changeInputs, command, type OptionsOf } from './command.ts';
import { finishFailed } from './failed-change.ts';
import { guardedChange } from '../release/change.ts';
import { expectOfWorkloads } from './needs.ts';
import { tellNotOver } from './not-over.ts';
import { endOf, noteEvent } from './note-event.ts';
import { recordedRules } from '../release/recorded-rules.ts';
import { commitThatRuns } from './commit-now.ts';
import type { RunReport } from '../report/run-report.ts';
import { RolloutWatch } from '../report/watch.ts';
import { workloadRow } from '../report/workloads.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Revision } from '../release/revision-shape.ts';

const inputs = [...changeInputs, 'replicas', 'reason'] as const;

export const scale = command({
  inputs,
  required: ['replicas'],
  rights: [...locking, 'autoscalers'],
  run: scaleWorkloads,
});

type ScaleOptions = OptionsOf<(typeof inputs)[number]>;

interface Wanted {
  live: KubernetesObject;
  replicas: number;
}

/** What is to be scaled as it was read last, and by what it is judged. */
interface Sight {
  wanted: readonly Wanted[];
  watch: RolloutWatch;
}

/** Changes the number of pods of workloads in the cluster, and waits for it. @throws InvalidInput; Cancelled */
async function scaleWorkloads(context: Context, options: ScaleOptions): Promise<RunReport> {
  const { client, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release } = options;
  const report = new Report(context, 'scale', { release, namespace });
  const requests = parseReplicas(options.replicas);
  const look = async (): Promise<Sight> => {
    const live = liveRevision(await listRevisions(client, namespace, release));
    const wanted = await mayScale(context, { namespace, release }, requests, live);
    return { wanted, watch: new RolloutWatch(context, { ...options, userRules: recordedRules(live, report) }) };
  };
  let sight = await reporter.group('Preflight', async () => {
    const found = await look();
    const workloads = found.wanted.map(({ live }) => live);
    await expectOfWorkloads(context, 'scale', workloads, options.undoOnFailure);
    return found;
  });
  const runs = await commitThatRuns(client, { namespace, release }, report);
  let prepared: Prepared[] = [];
  const outcome = await guardedChange(
    context,
    { ...options, namespace },
    {
      command: 'scale',
      ...(isSame(sight) ? {} : { runs }),
      work: async (change) => {
        // Another run may have written them until the lock was free, and what a dead one has left was undone.
        sight = await look();
        const { wanted, watch } = sight;
        // Only `spec.replicas` differs from what we own already, so that nothing else changes its owner.
        const manifests = wanted.map(({ live, replicas }) => changedInCluster(live, ['spec', 'replicas'], replicas));
        prepared = await preflight(client, manifests, { force: true, newNamespaces: new Set() });
        report.tellChanges(plannedObjects(prepared));
        await reporter.group('Scale', async () => {
          const written = await applyLayer(client, prepared, change.journal, true);
          for (const object of written.values()) tellScaled(context, namespace, object);
          const targets = prepared.flatMap((entry) => {
            const object = written.get(entry) ?? entry.live;
            return object === undefined ? [] : [{ object, changed: written.has(entry) }];
          });
          await watch.wait(targets, change);
        });
      },
      beforeUndo: (error) => sight.watch.collectEvidence(error),
    },
  );
  const { wanted, watch } = sight;
  tellWritten(report, sight, prepared);
  if (!isSame(sight)) {
    const what = describeScaled(wanted.map(({ live, replicas }) => ({ ...refOf(live), replicas })));
    await noteEvent(context, { namespace, release }, { command: 'scale', ...endOf(outcome), what }, report);
  }
  if (outcome.state === 'done') return await finishScaled(context, report, { wanted, prepared, watch });
  const attempt = attemptOf(release, 'scaling', numbersOf(wanted));
  return await finishFailed(context, { namespace, release }, { report, watch, failure: outcome.failure, attempt });
}

function tellWritten(report: Report, { wanted, watch }: Sight, prepared: readonly Prepared[]): void {
  report.tellWritten({
    objects: prepared.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change })),
    workloads: wanted.map(({ live, replicas }) => {
      const scaled = { ...live, spec: { ...objectAt(live, 'spec'), replicas } };
      return workloadRow(scaled, watch.stateOf(refOf(live)), live);
    }),
    addresses: [],
  });
}

function isSame({ wanted }: Sight): boolean {
  return wanted.every(({ live, replicas }) => numberAt(live, 'spec', 'replicas') === replicas);
}

async function finishScaled(
  context: Context,
  report: Report,
  { wanted, prepared, watch }: Sight & { prepared: readonly Prepared[] },
): Promise<RunReport> {
  await tellNotOver(context, watch, report);
  const numbers = tellChanges(numbersOf(wanted));
  const others = wanted.flatMap(({ live, replicas }) => {
    const found = numberAt(watch.latest(refOf(live)), 'spec', 'replicas') ?? 1;
    return found === replicas ? [] : [`${describeRef(refOf(live))} to ${found}`];
  });
  if (others.length > 0)
    return report.finish(
      'failed',
      `${report.release}: scaled ${numbers}, but somebody else has scaled ${others.join(', ')} since`,
    );
  if (prepared.some(({ change }) => change !== 'unchanged'))
    return report.finish('scaled', `${report.release}: scaled ${numbers} in ${report.elapsed()}`);
  const same = wanted.map(({ live, replicas }) => `${live.metadata.name} already has ${replicasOf(replicas)}`);
  return report.finish('unchanged', `Nothing to do: ${listed(same)}`);
}

function tellScaled({ reporter }: Context, namespace: string, object: KubernetesObject): void {
  reporter.info(`${nameFrom(namespace, refOf(object))} scaled to ${numberAt(object, 'spec', 'replicas') ?? 0}`);
}

function numbersOf(wanted: readonly Wanted[]): Change[] {
  return wanted.map(({ live, replicas }) => ({
    is: 'replicas',
    workload: live.metadata.name,
    before: String(podsOf(live)),
    after: String(replicas),
  }));
}

function replicasOf(count: number): string {
  return count === 1 ? '1 replica' : `${count} replicas`;
}

/**
 * What is to be scaled, when it may be.
 * @param live revision
 * @throws InvalidInput, Failure when it is not there, or somebody else decides about it
 */
async function mayScale(
  { client }: Context,
  target: { namespace: string; release: string },
  requests: readonly ReplicaRequest[],
  live: Revision | undefined,
): Promise<Wanted[]> {
  const found = await findWorkloads(client, target, requests, live);
  const scaled = found.map((entry) => entry.live);
  await new Ownership(client, target).refuseTaken(scaled);
  await refuseAutoscaled(client, target.namespace, scaled.map(refOf));
  return found;
}

/** A named workload is looked up in the cluster; without a name the release must have exactly one. */
async function findWorkloads(
  client: Context['client'],
  { namespace, release }: { namespace: string; release: string },
  requests: readonly ReplicaRequest[],
  live: Revision | undefined,
): Promise<Wanted[]> {
  refuseElsewhere(requests, live?.objects ?? []);
  // By the name that it has in the manifests, whatever it is called where it runs.
  const recorded =
    live === undefined
      ? []
      : live.objects
          .filter(isScalable)
          .map((object) => ({ name: object.metadata.name, ref: runningRef(live, object) }));
  const named = requests.flatMap(({ kind, name }) =>
    name === undefined || recorded.some((known) => known.name === name)
      ? []
      : (kind === undefined ? kindsToScale : [kind]).map((each) => ({
          name,
          ref: { apiVersion: 'apps/v1', kind: each, namespace, name },
        })),
  );
  const known = [...new Map([...recorded, ...named].map((entry) => [keyOf(entry.ref), entry])).values()];
  const found = await Promise.all(known.map(async ({ name, ref }) => ({ name, object: await client.read(ref) })));
  const candidates = found.flatMap(({ name, object }) =>
    object === undefined ? [] : [{ kind: object.kind, name, object }],
  );
  if (candidates.length === 0) {
    throw new InvalidInput(`there is no workload to scale in namespace "${namespace}" for release "${release}"`, {
      hint: 'Check the inputs "namespace" and "release", or name the workload: "replicas: web=5".',
    });
  }
  return matchReplicas(requests, candidates).map(({ candidate, replicas }) => ({ live: candidate.object, replicas }));
}
