import { Cancelled, messageOf } from '../base/errors.ts';
import { nameGoing } from '../kubernetes/going.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { imagesOf, isDeployment } from '../manifests/pod-template.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { readJournal } from '../release/journal.ts';
import { keptOf, type Kept } from '../release/kept.ts';
import { describeLeft, leftBehind } from '../release/left-behind.ts';
import { Ownership } from '../release/ownership.ts';
import { changesPods, preflight, warningsOf } from '../apply/preflight.ts';
import { prune } from '../apply/prune.ts';
import { placeForRecords } from '../release/record-room.ts';
import { recordRevision } from '../release/record-revision.ts';
import {
  isSameRelease,
  listRevisions,
  liveRevision,
  nextRevision,
  problemsOfRevisions,
  remarksOnKept,
} from '../release/revision.ts';
import { freeStatefulSet, waitsForBrokenPods } from '../apply/stateful-set.ts';
import type { Claims } from '../apply/takeover.ts';
import { isPaused } from '../rollout/pause.ts';
import { bothSides, refOnOwn, sideOfName } from '../strategies/own-sides.ts';
import { refusePaused } from '../strategies/paused.ts';
import type { Complete, PlanContext, Progress, Strategy, StrategyContext } from '../strategies/strategy.ts';
import type { Check } from '../verify/check.ts';
import { describeAbruptEnds } from '../traffic/endings.ts';
import { isService } from '../traffic/services.ts';
import { adoptRelease } from './adopt-release.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import { failureOf } from '../report/failure.ts';
import type { Report } from '../report/report.ts';
import { ConfigRestarts } from './config-restarts.ts';
import { finishFailed } from './failed-change.ts';
import { guardedChange, type ChangeTask, type GuardedChange } from './guarded-change.ts';
import { finishApplied } from './held.ts';
import { defaultKeepOldMs, keepOldSide, retireLeftover } from './keep-old.ts';
import { tellNotOver } from './not-over.ts';
import { expectOfChecks, expectOfObjects, expectOfUndo } from './needs.ts';
import { reportAttempt, reportObjects, writtenOf } from '../report/workloads.ts';
import type { ObjectReport, RunReport, Status } from '../report/run-report.ts';
import { RolloutWatch } from '../report/watch.ts';
import { findStrays, removeStrays } from './strays.ts';
import {
  untilAnsweredByNew,
  untilReachable,
  verifyCandidate,
  verifyRelease,
  type VerificationOptions,
} from './verification.ts';
import type { Outcome, Revision } from '../release/revision-shape.ts';
import type { Prepared } from '../apply/prepared.ts';

export interface RollOutOptions extends Required<ChangeOptions> {
  /** The name of the strategy, for the record. */
  strategy: string;
  forceConflicts: boolean;
  /** How long the side that served before stays after a switch. */
  keepOldForMs: number;
  /** What is to be done where there is no room for a candidate; by default it is an error. */
  onLowCapacity?: 'fail' | 'warn';
  /** Namespaces that are not there yet. */
  newNamespaces: ReadonlySet<string>;
  /** What must hold once all is ready. */
  checks: readonly Check[];
  /** Whether pods are made anew when config changes that they read; undefined: pod templates are applied as they are given. */
  restartOnConfig: boolean | undefined;
  /** Another release, whose objects this one may take. */
  takeFromRelease?: string;
  /** What this release was called until now: its history comes along. */
  adoptRelease?: string;
  /** The same as the user has written it, for whoever promotes what is left waiting. */
  verify?: string;
}

/** What brings the objects in, and how its report speaks of it. */
export interface Purpose {
  command: string;
  status: Status;
  manifests: readonly Manifest[];
  strategy: Strategy;
  /** What becomes of a candidate that waits. */
  candidate?: ChangeTask<unknown>['candidate'];
  /** The revision that waits and is to become live; otherwise a new one is made. */
  promotes?: number;
  /** Objects of the live revision that the new one does not have, to be removed once all else is ready. */
  surplus: readonly KubernetesObject[];
  /** Objects of the release that are recorded again without being touched. */
  alongside?: readonly KubernetesObject[];
  /** What those are called where they run, by their keys. */
  serving?: Record<string, string>;
  /** What the files of the user's other side hold, where there are two. */
  idle?: KubernetesObject[];
  /** Paths that the apply is to own alone. */
  claims?: Claims;
  /** Config that cannot be changed any more may be deleted and made anew. */
  remake?: boolean;
  /** The revision whose objects these are, when they are those of an earlier one. */
  restores?: number;
  /** What is done instead where there is nothing to change; by default it is looked whether all is healthy. */
  whenUnchanged?: () => Promise<RunReport>;
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
  draft: Report,
): Promise<RunReport> {
  const { client, reporter } = context;
  const { release, namespace, newNamespaces } = options;
  const { manifests, strategy, claims = [], remake = false } = purpose;
  const ownership = ownershipOf(context, options);
  const plan: PlanContext = {
    client,
    namespace,
    onLowCapacity: options.onLowCapacity ?? 'fail',
    reporter,
    look: (of, { force = options.forceConflicts } = {}) =>
      preflight(client, of, {
        force,
        claims,
        remake,
        newNamespaces,
        ownership,
        ...(options.restartOnConfig === undefined ? {} : { restartOnConfig: options.restartOnConfig }),
      }),
    note: (text) => {
      reporter.info(text);
      draft.mark(text);
    },
  };
  const restarts = new ConfigRestarts(options.restartOnConfig);
  const look = async (of: readonly Revision[]) => {
    const arrangement = await strategy(plan, restarts.hashed(manifests, of));
    return { arrangement, prepared: await plan.look(arrangement.manifests) };
  };
  const needs = { ...options, surplus: purpose.surplus };
  expectOfChecks(context, options.checks, namespace);
  await expectOfObjects(
    context,
    manifests.map(({ object }) => object),
    needs,
  );
  const [{ arrangement, prepared }, revisions, leftover] = await reporter.group('Preflight', async () => {
    const recorded = newNamespaces.has(namespace) ? [] : listRevisions(client, namespace, release);
    const found = await Promise.all([
      Promise.resolve(recorded).then(look),
      recorded,
      newNamespaces.has(namespace) ? undefined : readJournal(client, namespace, release),
    ]);
    const objects = found[0].prepared;
    const changes = objects.filter(({ change }) => change !== 'unchanged').length;
    reporter.info(
      `${objects.length === 1 ? '1 object is' : `${objects.length} objects are`} valid; ${changes === 1 ? '1 is' : `${changes} are`} to be changed`,
    );
    return found;
  });
  restarts.tell(prepared, plan, draft);
  const remarks = [...problemsOfRevisions(revisions), ...remarksOnKept(revisions)];
  for (const warning of [...warningsOf(prepared), ...remarks]) draft.warn(warning);
  draft.mark('manifests are valid');
  // Sides of blue-green leave their Services before their pods end.
  if (options.strategy !== 'blue-green') {
    const renewed = prepared.filter((entry) => entry.live === undefined || changesPods(entry));
    const services = prepared.filter(({ manifest }) => isService(manifest.object));
    const concerned = [...new Set([...renewed, ...services])].map(({ manifest }) => manifest.object);
    for (const text of describeAbruptEnds(concerned)) reporter.info(text);
  }
  const left = await leftBehind(client, ownership, revisions, refsOfNext(purpose, arrangement.manifests));
  if (purpose.command === 'deploy') for (const text of describeLeft(left.there, namespace)) draft.warn(text);

  const live = liveRevision(revisions);
  if (live !== undefined) draft.add({ previousRevision: live.revision });
  // A candidate that a failed run was told to leave may get requests, whatever the manifests say.
  const hasLeftCandidate = async () =>
    leftover === undefined && (await findStrays(context, options, revisions)).some(isDeployment);
  const isUnchanged =
    prepared.every(({ change }) => change === 'unchanged') &&
    purpose.surplus.length === 0 &&
    !(await hasLeftCandidate());
  const isLive =
    live !== undefined &&
    isSameRelease(
      live,
      manifests.map(({ object }) => object),
    );
  if (isUnchanged && leftover === undefined && purpose.whenUnchanged !== undefined)
    return await purpose.whenUnchanged();
  if (isUnchanged && isLive && leftover === undefined) {
    return await confirmUnchanged(context, options, draft, prepared, live);
  }

  const arranged = arrangement.manifests.map(({ object }) => object);
  await Promise.all([
    expectOfObjects(context, arranged, needs, prepared),
    expectOfUndo(context, leftover?.record.entries ?? []),
  ]);
  let way = await arrangement.plan(prepared);
  await context.rights?.require();
  if (options.adoptRelease !== undefined) await adoptRelease(context, options, options.adoptRelease, draft);
  await createNamespace(context, namespace, newNamespaces, draft);
  const startedAt = new Date(context.clock.now()).toISOString();
  const watch = new RolloutWatch(context, options);
  let current = prepared;
  let known = revisions;
  let free = 0;
  const numberOf = () => purpose.promotes ?? Math.max(free, nextRevision(known));
  const objects = [...(purpose.alongside ?? []), ...manifests.map(({ object }) => object)];
  const record = async (result: Outcome, progress: Partial<Complete> = {}, kept: Kept[] = []): Promise<Revision> => {
    const { serving: names = purpose.serving } = progress;
    const retiring = retiringOf(progress, liveRevision(known), context.clock.now() + options.keepOldForMs);
    const formerly = liveRevision(known)?.formerly;
    const revision = {
      ...(formerly === undefined ? {} : { formerly }),
      ...revisionOf(context, options, objects, numberOf(), startedAt, result),
      ...restarts.facts(known),
      ...(names === undefined ? {} : { serving: names }),
      ...(retiring === undefined ? {} : { retiring }),
      ...(purpose.idle === undefined ? {} : { idle: purpose.idle }),
      ...(left.recorded.length === 0 ? {} : { left: left.recorded }),
      ...(purpose.restores === undefined ? {} : { restores: purpose.restores }),
      ...(kept.length === 0 ? {} : { kept }),
    };
    await recordRevision(client, namespace, revision, known);
    draft.add({ revision: revision.revision });
    return revision;
  };
  let failedWith: ObjectReport[] = [];
  let held: KubernetesObject[] = [];
  const outcome = await guardedChange(context, options, {
    command: purpose.command,
    ...(purpose.candidate === undefined ? {} : { candidate: purpose.candidate }),
    work: async (change) => {
      const { journal } = change;
      // Another run may have come and gone before we had the lock.
      known = await listRevisions(client, namespace, release);
      if (change.stale || nextRevision(known) !== nextRevision(revisions)) {
        ownership.refresh();
        const again = await look(known);
        current = again.prepared;
        way = await again.arrangement.plan(current);
      }
      if (purpose.promotes === undefined)
        free = await placeForRecords(client, namespace, { release, revision: numberOf() }, current);
      journal.record.revision = numberOf();
      const progress = await reporter.group(titles[purpose.command] ?? 'Deploy', async () => {
        const reached = await way.run(strategyContext(context, options, plan, change, watch, draft, purpose));
        if (reached.state === 'complete') {
          const { clock } = context;
          const waiting = { reporter, clock, signal: change.signal, deadline: context.limit.until };
          held = await prune(client, journal, purpose.surplus, waiting);
        }
        return reached;
      });
      draft.mark('all objects are ready');
      if (progress.state === 'complete') {
        const verification = verificationOf(context, options, change);
        await untilReachable(context, verification, current);
        // A switch has waited for that already.
        if (progress.retired === undefined && watch.held.length === 0 && current.some(changesPods))
          await untilAnsweredByNew(context, verification, manifests);
        await verifyApplied(context, verification, manifests, draft, watch);
        await watch.confirm(verification);
      }
      // Before the journal is closed: a run that is killed in between has come to its end, and the next one sees it.
      const recorded = await (progress.state === 'complete' ? record('live', progress) : record('waiting'));
      if (progress.state === 'waiting') {
        const { candidates, constantTotal, numbers } = progress;
        const since = new Date(context.clock.now()).toISOString();
        await journal.leaveWaiting({
          revision: recorded.revision,
          candidates,
          since,
          ...(options.verify === undefined ? {} : { verify: options.verify }),
          ...(constantTotal === undefined ? {} : { constantTotal }),
          ...(numbers === undefined ? {} : { numbers }),
        });
      } else {
        delete journal.record.waiting;
      }
      return { recorded, progress, written: writtenOf(journal.record.entries) };
    },
    beforeUndo: async (error, entries) => {
      failedWith = writtenOf(entries);
      await watch.collectEvidence(error);
    },
    afterFailure: async ({ undo }) => {
      // What was to be promoted waits as before.
      if (purpose.promotes !== undefined || (undo === undefined && !watch.wroteAnything)) return;
      const kept = undo === undefined ? [] : keptOf(undo);
      await record(undo?.complete === true ? 'undone' : 'failed', {}, kept).catch((error: unknown) => {
        reporter.warning(`this failed revision could not be recorded: ${messageOf(error)}`);
      });
    },
  });

  if (outcome.state === 'failed') {
    reportAttempt(draft, current, failedWith, watch);
    return finishFailed(draft, watch, outcome.failure, purpose.attempt, manifests);
  }
  const { recorded, progress, written } = outcome.result;
  const { revision } = recorded;
  if (progress.state === 'waiting') {
    reportAttempt(draft, current, written, watch);
    if (options.strategy === 'blue-green' && options.keepOldForMs !== defaultKeepOldMs)
      plan.note('"keep-old-for" counts in the run that promotes: set it there');
    return finishWaiting(draft, options, revision, progress);
  }
  const { brought = current, retired = [] } = progress;
  reportObjects(draft, brought, watch);
  const took = draft.elapsed();
  if (retired.length > 0) await keepOldSide(context, options, revision, retired, draft);
  else await retireLeftover(context, options, recorded, draft);
  const done = `${purpose.done} revision ${revision} in ${took}`;
  await tellNotOver(context, watch, draft);
  await removeStrays(context, options, revision, draft);
  // What was to be removed and is not is no success, although all else is.
  if (held.length > 0) return draft.finish('failed', `${done}, but ${held.map(nameGoing).join('; ')}`);
  return finishApplied(draft, watch, purpose.status, {
    headline: done,
    applied: `Revision ${revision} of ${options.release} is applied`,
  });
}

/** Whose objects are whose, seen from a release. */
export function ownershipOf(
  { client }: Context,
  { namespace, release, takeFromRelease: takeFrom, adoptRelease: adopt }: OwnershipInputs,
): Ownership {
  return new Ownership(client, {
    namespace,
    release,
    ...(takeFrom === undefined ? {} : { takeFrom }),
    ...(adopt === undefined ? {} : { adopt }),
  });
}

type OwnershipInputs = Pick<RollOutOptions, 'namespace' | 'release' | 'takeFromRelease' | 'adoptRelease'>;

/** What the next revision has, under each name that it goes by; what is to be removed counts too. */
function refsOfNext({ manifests, alongside = [], idle, surplus }: Purpose, arranged: readonly Manifest[]): ObjectRef[] {
  const objects = [
    ...[...manifests, ...arranged].map(({ object }) => object),
    ...alongside,
    ...surplus,
    ...(idle ?? []),
  ];
  // The other side of the user's own stays for its next turn, also where its files are not given.
  const twins = objects.filter((object) => idle !== undefined && sideOfName(object) !== undefined);
  return [...objects.map(refOf), ...twins.flatMap((object) => bothSides.map((side) => refOnOwn(side, object)))];
}

/** What is to go after a switch; or what an earlier one has left, as long as it does not serve again. */
function retiringOf(
  { retired = [], serving }: Partial<Complete>,
  live: Revision | undefined,
  until: number,
): Revision['retiring'] {
  if (retired.length > 0) return { refs: retired, until: new Date(until).toISOString() };
  if (serving === undefined || live?.retiring === undefined) return undefined;
  const names = new Set(Object.values(serving));
  const refs = live.retiring.refs.filter(({ name }) => !names.has(name));
  return refs.length === 0 ? undefined : { ...live.retiring, refs };
}

const titles: Readonly<Record<string, string>> = { rollback: 'Roll back', promote: 'Promote' };

function finishWaiting(
  draft: Report,
  { release }: RollOutOptions,
  revision: number,
  { candidates }: Extract<Progress, { state: 'waiting' }>,
): RunReport {
  const names = candidates.map(({ name }) => name).join(', ');
  return draft.finish(
    'waiting',
    `Revision ${revision} of ${release} waits as a candidate (${names}): run "promote" to bring it in, or "abort" to take it away`,
  );
}

/** What has got ready at the last moment is asked all the same. */
const leastVerificationMs = 25_000;

function verificationOf(
  { clock, limit }: Context,
  options: RollOutOptions,
  { signal }: GuardedChange,
): VerificationOptions {
  const { checks, namespace } = options;
  return { checks, namespace, signal, deadline: Math.max(limit.until, clock.now() + leastVerificationMs) };
}

function strategyContext(
  context: Context,
  options: RollOutOptions,
  plan: PlanContext,
  change: GuardedChange,
  watch: RolloutWatch,
  draft: Report,
  { command, manifests }: Purpose,
): StrategyContext {
  const { client, clock, limit, reporter } = context;
  const { forceConflicts, timeoutMs } = options;
  const { journal, signal } = change;
  return {
    ...plan,
    client,
    journal,
    force: forceConflicts,
    clock,
    signal,
    deadline: () => limit.until,
    onSettle: (ms) => {
      limit.extend(ms);
    },
    onApplied: (entry, object) => {
      reporter.info(`${describeRef(refOf(object), true)} ${entry.change}`);
    },
    wait: async (written, { holdMs = 0 } = {}) => {
      for (const [entry, object] of command === 'rollback' ? written : []) {
        if (entry.change !== 'unchanged' && waitsForBrokenPods(object))
          await freeStatefulSet(client, refOf(object), undefined, clock);
      }
      const targets = [...written].map(([entry, object]) => ({
        object,
        changed: entry.change !== 'unchanged',
        paused: isPaused(entry.manifest.object),
      }));
      limit.extend(holdMs);
      await watch.wait(targets, { deadline: limit.until, signal, holdMs });
    },
    check: async (objects, { afterWait }) => {
      await watch.check(objects, { signal, timeoutMs, afterWait });
    },
    verifyCandidate: async (candidate) =>
      await verifyCandidate(context, verificationOf(context, options, change), manifests, candidate, draft),
    mark: (text) => {
      draft.mark(text);
    },
    onTraffic: (step) => {
      draft.addTraffic(step);
    },
  };
}

/** Nothing is to be written; but what is there may be broken, and then this is no success. */
async function confirmUnchanged(
  context: Context,
  options: RollOutOptions,
  draft: Report,
  prepared: readonly Prepared[],
  live: Revision,
): Promise<RunReport> {
  const watch = new RolloutWatch(context, options);
  const deadline = context.clock.now() + options.timeoutMs;
  const targets = prepared.flatMap((entry) =>
    entry.live === undefined ? [] : [{ object: entry.live, changed: false }],
  );
  refusePaused(prepared);
  draft.add({ revision: live.revision });
  try {
    await watch.wait(targets, { deadline, signal: context.signal });
    const manifests = prepared.map(({ manifest }) => manifest);
    await verifyApplied(context, { ...options, deadline, signal: context.signal }, manifests, draft, watch);
  } catch (error) {
    if (context.signal.aborted) throw new Cancelled();
    await watch.collectEvidence(error);
    const failure = watch.explain(
      failureOf(error),
      prepared.map(({ manifest }) => manifest),
    );
    reportObjects(draft, prepared, watch);
    draft.add({ failure });
    return draft.finish('failed', `${options.release} is unchanged, but not healthy`);
  }
  reportObjects(draft, prepared, watch);
  await retireLeftover(context, options, live, draft);
  await removeStrays(context, options, live.revision, draft);
  await tellNotOver(context, watch, draft);
  return finishApplied(draft, watch, 'unchanged', {
    headline: `${options.release} is unchanged: revision ${live.revision} is live and healthy`,
    applied: `${options.release} is unchanged: revision ${live.revision} is applied`,
  });
}

/** What pods of the old version answer says nothing of what was applied. */
async function verifyApplied(
  context: Context,
  options: VerificationOptions,
  manifests: readonly Manifest[],
  draft: Report,
  watch: RolloutWatch,
): Promise<void> {
  if (watch.held.length === 0) await verifyRelease(context, options, manifests, draft);
  else if (options.checks.length > 0)
    draft.warn('the checks of "verify" were not made: not all pods have what was applied');
}

/** The release's own namespace must be there before the lock and the journal, which lie in it. */
async function createNamespace(
  { client, reporter }: Context,
  namespace: string,
  missing: ReadonlySet<string>,
  draft: Report,
): Promise<void> {
  if (!missing.has(namespace)) return;
  await client.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager });
  reporter.info(`Namespace "${namespace}" created`);
  draft.mark(`namespace ${namespace} created; an undo would keep it`);
}

function revisionOf(
  context: Context,
  options: RollOutOptions,
  objects: KubernetesObject[],
  revision: number,
  startedAt: string,
  outcome: Outcome,
): Revision {
  const { commit, url, actor } = context.run;
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
        imagesOf(object).map(({ name, image }) => [`${keyOf(refOf(object))}/${name}`, image ?? '']),
      ),
    ),
    objects,
  };
}
