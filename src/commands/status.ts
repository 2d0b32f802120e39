import { numberAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { containersOf, isWorkload } from '../manifests/pod-template.ts';
import { readJournal, type WaitingCandidate } from '../release/journal.ts';
import { listRevisions, liveRevision, problemsOfRevisions, runningRef, type Revision } from '../release/revision.ts';
import { judge } from '../rollout/readiness/index.ts';
import type { Context } from './context.ts';
import { Draft } from './draft.ts';
import { findWorkload, nameOf, unrecordedWorkloads } from './find-workload.ts';
import { ownSteps } from './guarded-change.ts';
import type { HistoryEntry, RunReport, WorkloadHistoryEntry, WorkloadReport } from './report.ts';
import { addressReports } from './roll-out.ts';
import {
  describeRevision as describeWorkloadRevision,
  historyEntry as entryOf,
  readHistory,
} from './workload-history.ts';

export interface StatusOptions {
  release: string;
  namespace?: string;
  /** `Deployment/web` or `web`: what Kubernetes keeps of it is told too. */
  workload?: string;
}

/** What is live, what is in progress, and what was: read only. */
export async function status(context: Context, options: StatusOptions): Promise<RunReport> {
  const { client, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release } = options;
  const draft = new Draft(context, 'status', { release, namespace });
  const [revisions, journal] = await Promise.all([
    listRevisions(client, namespace, release),
    readJournal(client, namespace, release),
  ]);
  for (const problem of problemsOfRevisions(revisions)) draft.warn(problem);
  const live = liveRevision(revisions);
  const [objects, others] = await Promise.all([
    Promise.all(
      (live?.objects ?? []).map((object) => client.read(live === undefined ? refOf(object) : runningRef(live, object))),
    ),
    workloadsBeside(context, namespace, options, live),
  ]);
  const found = objects.filter((object) => object !== undefined);
  const recorded = new Set(found.map(({ metadata }) => metadata.uid));
  const workloads = [...found.filter(isWorkload), ...others.filter(({ metadata }) => !recorded.has(metadata.uid))].map(
    (object) => workloadNow(object, context.clock.now()),
  );
  for (const { ref, state, message } of workloads) reporter.info(`${describeRef(ref)}: ${state}: ${message}`);
  for (const entry of revisions.toReversed()) reporter.info(describeRevision(entry));
  draft.add({
    ...(live === undefined ? {} : { revision: live.revision }),
    workloads,
    addresses: found.flatMap(addressReports),
    history: revisions.toReversed().map(historyEntry),
    workloadHistory: await workloadHistory(context, others),
  });
  const waiting = journal?.record.waiting;
  if (journal !== undefined && ownSteps(journal.record).length > 0) {
    const { command, run, startedAt } = journal.record;
    draft.add({ inProgress: { command, run: run.url ?? run.holder, startedAt } });
    return draft.finish('reported', `A ${command} of ${release} is in progress since ${startedAt}`);
  }
  const troubled = workloads.filter(({ state }) => state !== 'ready').length;
  const health = troubled === 0 ? 'healthy' : `${troubled} of ${workloads.length} workloads are not ready`;
  const candidate = waiting === undefined ? '' : `; ${await describeCandidate(context, draft, waiting)}`;
  if (live !== undefined) {
    return draft.finish('reported', `Revision ${live.revision} of ${release} is live: ${health}${candidate}`);
  }
  const nothing = `Nothing of ${release} is live in namespace ${namespace}`;
  const beside =
    others.length === 0 ? '' : `; not deployed by this action: ${others.map(nameOf).join(', ')}: ${health}`;
  return draft.finish('reported', `${nothing}${beside}${candidate}`);
}

/** The workload that is asked about; of a release that has nothing live all that nobody has deployed with this action. */
async function workloadsBeside(
  context: Context,
  namespace: string,
  { release, workload: named }: StatusOptions,
  live: Revision | undefined,
): Promise<KubernetesObject[]> {
  const search = { namespace, release, named, tolerant: true };
  if (named === undefined) return live === undefined ? await unrecordedWorkloads(context, search) : [];
  const found = await findWorkload(context, search);
  return found === undefined ? [] : [found];
}

async function workloadHistory(
  context: Context,
  workloads: readonly KubernetesObject[],
): Promise<WorkloadHistoryEntry[]> {
  const entries: WorkloadHistoryEntry[] = [];
  for (const workload of workloads) {
    for (const revision of await readHistory(context, workload)) {
      context.reporter.info(describeWorkloadRevision(workload, revision));
      entries.push(entryOf(workload, revision));
    }
  }
  return entries;
}

/** Adds the workloads of a candidate to the report. */
async function describeCandidate(
  { client, clock, reporter }: Context,
  draft: Draft,
  { revision, candidates, since }: WaitingCandidate,
): Promise<string> {
  const found = await Promise.all(candidates.map((ref) => client.read(ref)));
  const workloads = found.filter((object) => object !== undefined).map((object) => workloadNow(object, clock.now()));
  for (const { ref, state, message } of workloads)
    reporter.info(`${describeRef(ref)} (candidate): ${state}: ${message}`);
  draft.addWorkloads(workloads);
  return `revision ${revision} waits as a candidate since ${since}`;
}

function workloadNow(object: KubernetesObject, now: number): WorkloadReport {
  const generation = numberAt(object, 'metadata', 'generation') ?? 0;
  const verdict = judge(object, { generation, changed: false, writtenAt: 0, now, asWritten: object });
  const replicas = numberAt(object, 'spec', 'replicas');
  return {
    ref: refOf(object),
    containers: containersOf(object).map(({ name, image }) => ({ name, before: image ?? '', after: image ?? '' })),
    ...(replicas === undefined ? {} : { replicas: { after: replicas } }),
    state: verdict.state,
    message: verdict.state === 'failed' ? verdict.cause.message : verdict.message,
  };
}

function historyEntry({ revision, outcome, finishedAt, commit, run, actor, restores, images }: Revision): HistoryEntry {
  return {
    revision,
    outcome,
    finishedAt,
    images: [...new Set(Object.values(images))],
    ...(commit === undefined ? {} : { commit }),
    ...(run === undefined ? {} : { run }),
    ...(actor === undefined ? {} : { actor }),
    ...(restores === undefined ? {} : { restores }),
  };
}

function describeRevision({ revision, outcome, finishedAt, commit, actor, images }: Revision): string {
  const by = actor === undefined ? '' : ` by ${actor}`;
  const from = commit === undefined ? '' : ` from ${commit.slice(0, 7)}`;
  return `revision ${revision}: ${outcome}, ${finishedAt}${by}${from}: ${[...new Set(Object.values(images))].join(', ')}`;
}
