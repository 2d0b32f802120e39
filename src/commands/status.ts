import { numberAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { containersOf, isWorkload } from '../manifests/pod-template.ts';
import { readJournal, stepsBackwards, type WaitingCandidate } from '../release/journal.ts';
import { listRevisions, liveRevision, type Revision } from '../release/revision.ts';
import { judge } from '../rollout/readiness/index.ts';
import type { Context } from './context.ts';
import { Draft } from './draft.ts';
import { firstOwnStep } from './guarded-change.ts';
import type { HistoryEntry, RunReport, WorkloadReport } from './report.ts';
import { addressReports } from './roll-out.ts';

export interface StatusOptions {
  release: string;
  namespace?: string;
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
  const live = liveRevision(revisions);
  const objects = await Promise.all((live?.objects ?? []).map((object) => client.read(refOf(object))));
  const found = objects.filter((object) => object !== undefined);
  const workloads = found.filter(isWorkload).map((object) => workloadNow(object, context.clock.now()));
  for (const { ref, state, message } of workloads) reporter.info(`${describeRef(ref)}: ${state}: ${message}`);
  for (const entry of revisions.toReversed()) reporter.info(describeRevision(entry));
  draft.add({
    ...(live === undefined ? {} : { revision: live.revision }),
    workloads,
    addresses: found.flatMap(addressReports),
    history: revisions.toReversed().map(historyEntry),
  });
  const waiting = journal?.record.waiting;
  if (journal !== undefined && stepsBackwards(journal.record.entries, firstOwnStep(journal.record)).length > 0) {
    const { command, run, startedAt } = journal.record;
    draft.add({ inProgress: { command, run: run.url ?? run.holder, startedAt } });
    return draft.finish('reported', `A ${command} of ${release} is in progress since ${startedAt}`);
  }
  if (live === undefined) return draft.finish('reported', `Nothing of ${release} is live in namespace ${namespace}`);
  const troubled = workloads.filter(({ state }) => state !== 'ready').length;
  const health = troubled === 0 ? 'healthy' : `${troubled} of ${workloads.length} workloads are not ready`;
  const candidate = waiting === undefined ? '' : `; ${await describeCandidate(context, draft, waiting)}`;
  return draft.finish('reported', `Revision ${live.revision} of ${release} is live: ${health}${candidate}`);
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
