import { mapConcurrently } from '../base/concurrency.ts';
import { InvalidInput } from '../base/errors.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { serverNow, serverTimestamp } from '../kubernetes/server-time.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import { hasPods } from '../manifests/pod-template.ts';
import { describeDrift } from '../release/drift-words.ts';
import { lookAtJournal } from '../release/journal.ts';
import { readLock, type LockHolder } from '../release/lock.ts';
import {
  commitOf,
  listAllRevisions,
  listRevisions,
  liveRevision,
  problemsOfRevisions,
  remarksOnKept,
} from '../release/revision.ts';
import { describeRollback, previewRollback } from '../release/rollback-preview.ts';
import type { Seen } from '../rollout/look.ts';
import { describeWithoutNode } from '../rollout/readiness/daemon-set.ts';
import { describeVersions } from '../rollout/versions.ts';
import { describeChangesByHand } from './changes-by-hand.ts';
import type { Context } from '../release/context.ts';
import { failureOf } from '../report/failure.ts';
import { Report } from '../report/report.ts';
import { command, type OptionsOf } from './command.ts';
import { findWorkload, nameOf, unrecordedWorkloads } from './find-workload.ts';
import { ownSteps } from '../release/undo-journal.ts';
import { expectOfLook } from './needs.ts';
import { scaledNotes, withoutScaled } from '../release/scaled.ts';
import { recordedRules } from '../release/recorded-rules.ts';
import { historyEntry, historyLines } from './history-lines.ts';
import { examine, heldAmong, problemOf, type Examination, type Examined } from './health.ts';
import { driftIn, readRelease, servingIn, unservedIn, type ReleaseNow } from './release-now.ts';
import type {
  HealthProblem,
  HealthReport,
  RunInProgress,
  RunReport,
  WorkloadHistoryEntry,
  WorkloadReport,
} from '../report/run-report.ts';
import { addressReports } from '../report/addresses.ts';
import { workloadRow } from '../report/workloads.ts';
import { chooseRevision, revisionBefore } from './rollback.ts';
import { headlineOf, sentenceOfCandidate, sentenceOfProgress } from '../report/status-words.ts';
import { describeLeftCandidates, findStrays } from './strays.ts';
import {
  describeRevision as describeWorkloadRevision,
  historyEntry as entryOf,
  readHistory,
} from './workload-history.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { JournalRecord } from '../release/journal-shape.ts';

type StatusOptions = OptionsOf<'workload'>;

export const status = command({
  inputs: ['workload'],
  required: [],
  rights: ['history', 'holder', 'causes', 'autoscalers', 'endpoints'],
  run: reportStatus,
});

/** What is recorded of a release. */
interface Records {
  release: string;
  namespace: string;
  revisions: Revision[];
  live: Revision | undefined;
  journal: JournalRecord | undefined;
}

/**
 * How a release is, computed from what the cluster shows at this moment: health and its causes, what is not as recorded,
 * what is in progress, and what was. Read only. It succeeds when there is something to tell of, also when that is not
 * healthy: the headline and the output `healthy` say so. A release that does not exist is a failure.
 */
async function reportStatus(context: Context, options: StatusOptions): Promise<RunReport> {
  const { client, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release } = options;
  const report = new Report(context, 'status', { release, namespace });
  const [revisions, journal] = await Promise.all([
    listRevisions(client, namespace, release),
    lookAtJournal(client, namespace, release),
  ]);
  const records = { release, namespace, revisions, live: liveRevision(revisions), journal: journal.record };
  await expectOfLook(context, records.live?.objects ?? [], namespace);
  const remarks = [...problemsOfRevisions(revisions), ...remarksOnKept(revisions), ...problemOfJournal(journal)];
  for (const remark of [...remarks, ...(Object.keys(journal).length > 0 ? [] : await leftCandidates(context, records))])
    report.warn(remark);
  // What is called like no revision has no number, and its problem is told.
  const numbered = revisions.filter(({ revision }) => revision > 0).toReversed();
  for (const line of numbered.flatMap((entry) => historyLines(entry, serverNow(client, context.clock))))
    reporter.info(line);
  const others = await workloadsBeside(context, namespace, options, records);
  if (records.live !== undefined) report.tellRevision(records.live.revision);
  const before = revisions.findLast(({ outcome }) => outcome === 'superseded');
  report.tellCommits({ now: commitOf(records.live, revisions), before: commitOf(before, revisions) });
  report.tellHistory(numbered.map(historyEntry), await workloadHistory(context, others));
  const isKnown = revisions.length > 0 || Object.keys(journal).length > 0 || options.workload !== undefined;
  const headline = await tellHealth(context, report, records, others);
  if (isKnown) return report.finish('reported', headline);
  report.tellFailure(failureOf(await unknownRelease(context, namespace, release, others)));
  return report.finish('failed', `Nothing to report of ${release}`);
}

/** Beside a run that is at work, or a candidate that waits, nothing is left. */
async function leftCandidates(context: Context, { release, namespace, revisions, live }: Records): Promise<string[]> {
  if (live === undefined) return [];
  return describeLeftCandidates(await findStrays(context, { release, namespace, strategy: live.strategy }, revisions));
}

/** Commands that change something are refused until somebody has decided what becomes of it. */
function problemOfJournal({ problem }: Awaited<ReturnType<typeof lookAtJournal>>): string[] {
  return problem === undefined
    ? []
    : [`${problem}; no command changes this release until the Secret is restored or deleted`];
}

/** Requests at a time. */
const concurrency = 8;

/** What the cluster shows of a release at one moment. */
interface Picture {
  now: ReleaseNow;
  beside: Examined[];
  examined: Examined[];
  examination: Examination;
  /** What is wrong with what is live, and with a candidate that waits. */
  problems: Record<'ofRelease' | 'ofCandidate', HealthProblem[]>;
  isCandidate: (one: { ref: ObjectRef }) => boolean;
  notes: string[];
  run: RunInProgress | undefined;
}

async function lookAtRelease(
  context: Context,
  report: Report,
  { live, journal, ...records }: Records,
  others: readonly KubernetesObject[],
): Promise<Picture> {
  const { client } = context;
  const nothing: ReleaseNow = { found: [], problems: [], warnings: [], notes: [], autoscaled: new Set() };
  const now = live === undefined ? nothing : await readRelease(client, live);
  const recordedUids = new Set(now.found.map(({ object }) => object.metadata.uid));
  const beside = others
    .filter(({ metadata }) => !recordedUids.has(metadata.uid))
    .map((object): Examined => ({ object }));
  const candidate = await readCandidates(context, journal);
  const run = runUnderWay(journal, await lockOf(context, records, journal));
  const known = [...now.found, ...beside, ...candidate.found];
  const examined = [...known, ...(await readWritten(client, journal, known))];
  const examination = await examine(context, examined, {
    userRules: recordedRules(live, report),
    isWatched: watchedBy(run, journal),
  });
  const [unserved, serving] = await Promise.all([
    unservedIn(client, now),
    live === undefined ? { notes: [], problems: [] } : servingIn(client, now, live),
  ]);
  const keys = new Set((journal?.waiting?.candidates ?? []).map(keyOf));
  const isCandidate = ({ ref }: { ref: ObjectRef }) => keys.has(keyOf(ref));
  const ofRelease = examination.problems.filter((problem) => !isCandidate(problem));
  const problems = {
    ofRelease: [...ofRelease, ...now.problems, ...serving.problems, ...unserved.problems, ...unserved.apart],
    ofCandidate: [...candidate.problems, ...examination.problems.filter(isCandidate)],
  };
  return {
    now,
    beside,
    examined,
    examination,
    problems,
    isCandidate,
    notes: [...now.notes, ...serving.notes, ...unserved.notes],
    run,
  };
}

/** Adds health to the report. @returns the headline */
async function tellHealth(
  context: Context,
  report: Report,
  records: Records,
  others: readonly KubernetesObject[],
): Promise<string> {
  const { live, journal } = records;
  const picture = await lookAtRelease(context, report, records, others);
  const { now, beside, examined, examination, problems, isCandidate, run } = picture;
  const { ofRelease, ofCandidate } = problems;
  const { starting, versions, evidence } = examination;
  if (run !== undefined) report.tellInProgress(run);
  for (const warning of [...now.warnings, ...blindness(examination)]) report.warn(warning);
  const isHalfDone = journal !== undefined && (ownSteps(journal).length > 0 || journal.waiting !== undefined);
  const empty = describeWithoutNode(examination.seen.map(({ object }) => object));
  const changed = live === undefined ? [] : driftIn(now, live, isHalfDone);
  const drift = withoutScaled(changed, live?.events);
  const health: HealthReport = {
    at: serverTimestamp(context.client, context.clock),
    healthy: ofRelease.length + ofCandidate.length + starting.length === 0 && (live !== undefined || beside.length > 0),
    problems: [...ofRelease, ...ofCandidate],
    starting,
    drift,
    versions,
    paused: heldAmong(examination.seen),
    notes: [...picture.notes, ...empty, ...scaledNotes(now.found, live?.events)],
    ...rollbackOf(records, now),
    evidence,
  };
  report.tellHealth(health, {
    workloads: examination.seen.flatMap((seen, index) =>
      hasPods(seen.object) ? workloadNow(seen, problemOf(seen, examined[index])) : [],
    ),
    addresses: now.found.flatMap(({ object }) => addressReports(object)),
  });
  tell(context, health);
  return headlineOf({
    ...records,
    health,
    problems: ofRelease,
    starting: starting.filter((one) => !isCandidate(one)),
    beside: beside.map(({ object }) => nameOf(object)),
    empty,
    ...(journal?.waiting === undefined
      ? {}
      : { candidate: sentenceOfCandidate(journal.waiting, ofCandidate, starting.filter(isCandidate)) }),
    ...(run === undefined ? {} : { progress: sentenceOfProgress(run, records.release) }),
  });
}

/** The run that is at work, or was killed: by its journal, or by the lock where it has none, or another run has it now. */
function runUnderWay(journal: JournalRecord | undefined, lock: LockHolder | undefined): RunInProgress | undefined {
  const isOpen = journal !== undefined && ownSteps(journal).length > 0;
  if (isOpen && (lock?.isAlive !== true || lock.holder === journal.run.holder)) {
    const { command, run, startedAt } = journal;
    const { actor, reason } = run;
    return {
      command,
      run: run.url ?? run.holder,
      startedAt,
      isAlive: lock?.isAlive === true,
      ...(actor === undefined ? {} : { actor }),
      ...(reason === undefined ? {} : { reason }),
    };
  }
  if (lock === undefined) return undefined;
  const { holder, url, since, ...facts } = lock;
  return { ...facts, run: url ?? holder, ...(since === undefined ? {} : { startedAt: since }), onlyLocks: true };
}

/** The workloads of a candidate that waits. One that somebody has deleted is a problem: there is nothing to promote. */
async function readCandidates(
  { client }: Context,
  journal: JournalRecord | undefined,
): Promise<{ found: Examined[]; problems: HealthProblem[] }> {
  const refs = journal?.waiting?.candidates ?? [];
  const read = await Promise.all(refs.map(async (ref) => ({ ref, object: await client.read(ref) })));
  return {
    found: read.flatMap(({ object }) => (object === undefined ? [] : [{ object }])),
    problems: read.flatMap(({ ref, object }) =>
      object === undefined ? [{ ref, message: `${describeRef(ref)} is missing: somebody has deleted it` }] : [],
    ),
  };
}

/** Workloads that the run under way has written, and that are in no record yet: those of a first deploy, a canary. */
async function readWritten(
  client: Context['client'],
  journal: JournalRecord | undefined,
  known: readonly Examined[],
): Promise<Examined[]> {
  const keys = new Set(known.map(({ object }) => keyOf(refOf(object))));
  const refs = (journal?.entries ?? []).flatMap(({ ref, after }) =>
    after !== null && hasPods(after) && !keys.has(keyOf(ref)) ? [ref] : [],
  );
  const read = await mapConcurrently(refs, concurrency, async (ref) => await readIfPossible(client, ref));
  return read.flatMap((object) => (object === undefined ? [] : [{ object }]));
}

/** Undefined also for what may not be read, and for a kind that has gone again: the look itself does not fail over it. */
async function readIfPossible(client: Context['client'], ref: ObjectRef): Promise<KubernetesObject | undefined> {
  try {
    return await client.read(ref);
  } catch (error) {
    if (isStatus(error, 403) || error instanceof UnknownKind) return undefined;
    throw error;
  }
}

/** Who holds the lock; undefined also where that may not be read, unless a journal asks whether its run is alive. */
async function lockOf(
  { client, clock, reporter }: Context,
  { namespace, release }: Pick<Records, 'namespace' | 'release'>,
  journal: JournalRecord | undefined,
): Promise<LockHolder | undefined> {
  try {
    return await readLock(client, namespace, release, clock);
  } catch (error) {
    if (!isStatus(error, 403) || (journal !== undefined && ownSteps(journal).length > 0)) throw error;
    reporter.warning('no permission to get leases, so it is unknown whether a run is in progress');
    return undefined;
  }
}

/** What the run under way has written, and waits for: one that only holds the lock waits for nothing. */
function watchedBy(run: RunInProgress | undefined, journal: JournalRecord | undefined): (ref: ObjectRef) => boolean {
  if (run?.isAlive !== true || run.onlyLocks === true) return () => false;
  const keys = new Set((journal?.entries ?? []).map(({ ref }) => keyOf(ref)));
  return (ref) => keys.has(keyOf(ref));
}

function blindness({ blind }: Examination): string[] {
  return blind.length === 0
    ? []
    : [`causes may stay unknown: no permission to list ${blind.join(', ')} in this namespace`];
}

/** Where a rollback without a number would go; by the rules of the command itself. */
function rollbackOf(
  { release, namespace, revisions, live, journal }: Records,
  { found, problems }: ReleaseNow,
): Pick<HealthReport, 'rollback'> {
  if (live === undefined) return {};
  if (journal?.waiting !== undefined)
    return { rollback: { none: 'a candidate is waiting: remove it with "abort" first' } };
  try {
    const running = new Map(found.map(({ object, recorded }) => [keyOf(refOf(recorded)), object]));
    // What may not be read is not known to be gone.
    const known = new Set([...running.keys(), ...problems.map(({ ref }) => keyOf(ref))]);
    const recorded = live.objects.filter((object) => known.has(keyOf(refOf(object))));
    const isChanged = describeChangesByHand(recorded, running, live.startedAt).length > 0;
    const target = chooseRevision(revisions, revisionBefore(journal, revisions, isChanged), release, namespace);
    return { rollback: previewRollback(target, live, running) };
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    return { rollback: { none: error.message } };
  }
}

/** What is worth a line of the log; what is wrong is an annotation, too. */
function tell({ reporter }: Context, health: HealthReport): void {
  const { problems, starting, drift, versions, paused, notes, rollback } = health;
  for (const { message, hint, log } of problems) {
    reporter.warning(hint === undefined ? message : `${message}. ${hint}`);
    for (const line of log?.lines ?? []) reporter.info(`    ${line}`);
  }
  for (const { message } of starting) reporter.info(message);
  for (const change of drift) reporter.info(`changed since the deploy: ${describeDrift(change)}`);
  for (const { ref, versions: running } of versions) reporter.info(`${describeRef(ref)}: ${describeVersions(running)}`);
  for (const note of [...paused, ...notes]) reporter.info(note);
  if (rollback === undefined) return;
  reporter.info(
    'none' in rollback
      ? `"rollback" has no target: ${rollback.none}`
      : `"rollback" would go to ${describeRollback(rollback)}`,
  );
}

/** What a user reads who has mistyped the name, or has not deployed anything yet. */
async function unknownRelease(
  { client }: Context,
  namespace: string,
  release: string,
  others: readonly KubernetesObject[],
): Promise<InvalidInput> {
  const all = await listAllRevisions(client, namespace);
  const names = [...new Set(all.map((revision) => revision.release))].sort();
  const known = names.length === 0 ? 'No releases here' : `Releases here: ${names.join(', ')}`;
  const beside = others.length === 0 ? '' : `; not deployed by this action: ${others.map(nameOf).join(', ')}`;
  return new InvalidInput(`no release "${release}" in namespace "${namespace}". ${known}${beside}`, {
    hint:
      others.length === 0
        ? 'Correct the inputs "release" and "namespace".'
        : 'Correct the inputs "release" and "namespace", or name one of them with the input "workload".',
  });
}

/** The workload that is asked about; of a release that has nothing live all that nobody has deployed with this action. */
async function workloadsBeside(
  context: Context,
  namespace: string,
  { release, workload: named }: StatusOptions,
  { live, journal }: Records,
): Promise<KubernetesObject[]> {
  const search = { namespace, release, named, tolerant: true };
  if (named === undefined) {
    const written = new Set((journal?.entries ?? []).map(({ ref }) => keyOf(ref)));
    const all = live === undefined ? await unrecordedWorkloads(context, search) : [];
    return all.filter((object) => !written.has(keyOf(refOf(object))));
  }
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

function workloadNow({ object, verdict }: Seen, problem: HealthProblem | undefined): WorkloadReport {
  // Ready by its own rule, and yet not well: nothing runs.
  const state = verdict.state === 'ready' && problem !== undefined ? 'failed' : verdict.state;
  const isTold = problem !== undefined || verdict.state === 'failed' || verdict.state === 'progressing';
  return workloadRow(object, { state, message: isTold ? '' : verdict.message });
}
