import { mapConcurrently } from '../base/concurrency.ts';
import { Failure, InvalidInput } from '../base/errors.ts';
import { numberAt, objectAt } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import { isStatus } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import { manifestFrom, type Manifest } from '../manifests/manifest.ts';
import { isConfig, isScalable, keepsData, runsOnce } from '../manifests/kinds.ts';
import { hasPods } from '../manifests/pod-template.ts';
import { setReplicas } from '../manifests/replicas.ts';
import { pausePaths } from '../apply/adopt.ts';
import { refuseAutoscaled } from '../apply/autoscaled.ts';
import { concurrency } from '../apply/apply.ts';
import { formerRefs, isLeft, removalCommands } from '../release/left-behind.ts';
import { leaveToControllers, versionPaths } from '../apply/managers.ts';
import type { Ownership } from '../release/ownership.ts';
import { preflight, readLive, readRefs } from '../apply/preflight.ts';
import { commitOf, liveRevision, problemsOfRevisions, runningRef } from '../release/revision.ts';
import { locking } from '../release/rights.ts';
import { parseUserRules } from '../rollout/readiness/user/parse-rules.ts';
import type { UserRule } from '../rollout/readiness/user/user-rule.ts';
import { blueGreen } from '../strategies/blue-green/blue-green.ts';
import { rollingBackWithRoom } from '../strategies/rolling.ts';
import { describeChangesByHand, type HandChange } from './changes-by-hand.ts';
import type { Context } from '../release/context.ts';
import { listed } from '../report/headline.ts';
import { Report } from '../report/report.ts';
import { changeInputs, command, type OptionsOf } from './command.ts';
import { findWorkload } from './find-workload.ts';
import { settle } from '../release/change.ts';
import { lookFirst, type FirstLook } from '../release/first-look.ts';
import { isHalfDone, leftoverIn } from '../release/leftover.ts';
import { refuseUselessKeepOld } from './keep-old.ts';
import { describeLeftOut, runsTheVersion, sift, type LeftOut, type Running, type Sifted } from './left-out.ts';
import type { RunReport } from '../report/run-report.ts';
import type { Purpose } from './purpose.ts';
import { resumeAll } from './resume-all.ts';
import { ownershipOf } from './look-ahead.ts';
import { suffixOf } from './release-now.ts';
import { rulesOfChange } from '../release/recorded-rules.ts';
import { rollOut } from './roll-out.ts';
import { bringBackBeside } from './sealed-config.ts';
import { madeBeside } from './strays.ts';
import { rollbackWorkload } from './rollback-workload.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { JournalRecord } from '../release/journal-shape.ts';

const inputs = [
  ...changeInputs,
  'await',
  'replicas',
  'keep-old-for',
  'on-low-capacity',
  'restart-on-config',
  'workload',
  'to-revision',
  'prune',
  'force-conflicts',
  'reason',
] as const;

type RollbackOptions = OptionsOf<(typeof inputs)[number]>;

export const rollback = command({
  inputs,
  required: [],
  rights: [...locking, 'autoscalers'],
  run: rollBack,
});

/**
 * Brings back every object of an earlier revision, from what is recorded in the cluster: no checkout is needed. It is a
 * deploy of old objects, and makes a revision of its own; when it fails, it is undone like any other. What this action has
 * never deployed goes back to what its controller keeps.
 */
async function rollBack(context: Context, options: RollbackOptions): Promise<RunReport> {
  const { client } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release } = options;
  const givenRules = parseUserRules(options.await ?? '');
  const report = new Report(context, 'rollback', { release, namespace });
  const look = lookFirst(client, namespace, release);
  const leftover = leftoverIn(...(await Promise.all([look.journal, look.revisions])));
  const unfinished = leftover.state === 'none' ? undefined : leftover.journal.record;
  const isDead = isHalfDone(leftover);
  const undone = isDead ? await settle(context, { ...options, namespace }, 'rollback') : undefined;
  const first = isDead ? lookFirst(client, namespace, release) : look;
  const revisions = await first.revisions;
  for (const problem of problemsOfRevisions(revisions)) report.warn(problem);
  if (options.workload !== undefined || !revisions.some(wasLive)) {
    const workload = await findWorkload(context, { namespace, release, named: options.workload });
    if (workload !== undefined) {
      const { toRevision, replicas } = options;
      const task = { workload, toRevision, replicas, revisions, givenRules };
      return await rollbackWorkload(context, { ...options, namespace }, task, report);
    }
  }
  const live = liveRevision(revisions);
  const running = await readRunning(
    context,
    live,
    revisions.find(({ revision }) => String(revision) === options.toRevision),
  );
  const byHand = live === undefined ? [] : describeChangesByHand(knownOf(live, running), running, live.startedAt);
  const task = { revisions, first, running, namespace, byHand, givenRules };
  const { toRevision } = options;
  const wanted = toRevision === undefined ? revisionBefore(unfinished, revisions, byHand.length > 0) : undefined;
  if (wanted === undefined) return await goTo(context, options, { ...task, wanted: toRevision }, report);
  // Where all is as the live revision has it, what is meant is the one before.
  const whenUnchanged = () => goTo(context, options, { ...task, wanted: undefined }, report);
  if (!isOnItsWay(unfinished, live)) return await goTo(context, options, { ...task, wanted, whenUnchanged }, report);
  // What had begun since is gone meanwhile: that is the step back.
  const ended = await goTo(context, options, { ...task, wanted }, report);
  return undone === undefined ? ended : asRolledBack(ended, unfinished);
}

/** The undo of what a dead run had left was all that there was to do. */
function asRolledBack(ended: RunReport, unfinished: JournalRecord | undefined): RunReport {
  const { release = '', revision, status } = ended;
  if (status !== 'unchanged' || unfinished === undefined) return ended;
  const headline = `${release}: undid the interrupted "${unfinished.command}"; revision ${revision ?? ''} is live and healthy again`;
  return { ...ended, status: 'rolled-back', headline };
}

/** Of what in a revision it is known whether it is there: where its pods read copies of its config, the config itself need not be. */
function knownOf(revision: Revision, running: Running): KubernetesObject[] {
  const hasCopies = suffixOf(revision) !== undefined;
  return revision.objects.filter((object) => !(hasCopies && isConfig(object)) || running.has(keyOf(refOf(object))));
}

interface Goal {
  revisions: readonly Revision[];
  first: FirstLook;
  /** What was read of the live revision, and of others, by the keys of their objects. */
  running: Running;
  namespace: string;
  /** What was changed by hand since. */
  byHand: readonly HandChange[];
  /** The rules of the input `await`. */
  givenRules: readonly UserRule[];
  /** A revision number; by default the one before the live one. */
  wanted: string | undefined;
  whenUnchanged?: () => Promise<RunReport>;
}

async function goTo(
  context: Context,
  options: RollbackOptions,
  { revisions, first, running: known, namespace, byHand, givenRules, wanted, whenUnchanged }: Goal,
  report: Report,
): Promise<RunReport> {
  const { client, reporter } = context;
  const { release } = options;
  const live = liveRevision(revisions);
  const { target, sifted, surplus } = await reporter.group('Look up revisions', async () => {
    const chosen = chooseRevision(revisions, wanted, release, namespace);
    reporter.info(
      `going back to revision ${chosen.revision} of ${chosen.finishedAt}${chosen.commit === undefined ? '' : ` (commit ${chosen.commit})`}`,
    );
    const running = await readRunning(context, live, chosen, known);
    const ownership = ownershipOf(context, { namespace, release });
    const recorded = manifestsOf(chosen, running);
    await setNumbers(context, namespace, recorded, options.replicas, live);
    const old = await leftToOthers(context, ownership, { manifests: recorded, running }, report);
    for (const text of await resumeAll(context, old, live)) report.warn(text);
    const sealed = new Set<string>();
    const look = async (of: readonly Manifest[]) => {
      const whole = { force: true, claims: replacedByRollback, remake: true, newNamespaces: new Set<string>() };
      const prepared = await preflight(client, of, whole);
      for (const { remake, manifest } of prepared) if (remake === true) sealed.add(keyOf(refOf(manifest.object)));
      return prepared;
    };
    const parted = await sift(old, chosen, running, look);
    refuseWithoutVersion(parted, chosen);
    for (const { kind, from, to } of bringBackBeside(parted.manifests, sealed, chosen.restores ?? chosen.revision)) {
      report.warn(`${kind} "${from}" is immutable; its earlier content is restored as "${to}", which the pods read`);
    }
    const gone = await surplusOf(context, revisions, chosen);
    return { target: chosen, sifted: parted, surplus: await notUsedByOthers(ownership, gone, report) };
  });
  const { manifests, left } = sifted;
  const removed = options.prune ? surplus.filter((object) => !keepsData(object)) : [];
  for (const object of surplus) if (!removed.includes(object)) report.warn(describeKept(object, target));
  // The old side may still be there; and a canary of what has served before would only take time.
  const isSided = live?.strategy === 'blue-green';
  refuseUselessKeepOld(options, live?.strategy ?? 'rolling');
  if (isSided) await context.bounds?.vouchForMadeBeside(target.objects, madeBeside);
  const ownSides = (target.idle ?? live?.idle) !== undefined;
  const ended = await rollOut(
    context,
    {
      ...options,
      // What is recorded is what is to be, whoever has changed it since.
      forceConflicts: true,
      namespace,
      strategy: isSided ? 'blue-green' : 'rolling',
      newNamespaces: new Set(),
      checks: [],
      ...rulesOfChange(givenRules, target, report),
      restartOnConfig: options.restartOnConfig && target.restartOnConfig !== false,
    },
    {
      command: 'rollback',
      status: 'rolled-back',
      manifests,
      strategy: isSided ? blueGreen({ autoPromote: true, ownSides, restores: true }) : rollingBackWithRoom,
      // Without a number it is the candidate that is to go, and that is what "abort" is for.
      ...(options.toRevision === undefined ? {} : { candidate: 'replace' as const }),
      from: { live: live?.revision },
      surplus: removed,
      alongside: left.map(({ manifest }) => manifest.object),
      ...originOf(target, revisions),
      claims: replacedByRollback,
      remake: true,
      ...(whenUnchanged === undefined ? {} : { whenUnchanged }),
      done: `rolled back to revision ${target.revision}`,
      attempt: `rollback to revision ${target.revision}`,
    },
    report,
    first,
  );
  return finishRollback(ended, droppedBy(target, byHand), left, context.reporter);
}

/** What of these a rollback takes back: what its target has not stays deleted. */
export function droppedBy({ objects }: Pick<Revision, 'objects'>, byHand: readonly HandChange[]): string[] {
  const keys = new Set(objects.map((object) => keyOf(refOf(object))));
  return byHand.filter(({ deleted }) => deleted === undefined || keys.has(deleted)).map(({ text }) => text);
}

/** What a rollback leaves that its target has not, and how it goes. */
export function describeKept(object: KubernetesObject, { revision }: Pick<Revision, 'revision'>): string {
  const ref = refOf(object);
  const kept = `${describeRef(ref, true)} is not in revision ${revision} and was kept`;
  return keepsData(ref)
    ? `${kept}, because it may hold data. If it is not needed, remove it with ${removalCommands([ref])}.`
    : `${kept}; "prune: true" removes it`;
}

/** What a revision says of where its objects come from. */
function originOf(target: Revision, revisions: readonly Revision[]): Pick<Purpose, 'restores' | 'commit' | 'idle'> {
  return {
    restores: target.restores ?? target.revision,
    commit: commitOf(target, revisions),
    ...(target.idle === undefined ? {} : { idle: target.idle }),
  };
}

/**
 * Where to go without a number when what is in the cluster is not what is recorded as live: back to that, and not to what was
 * live before it (helm/helm#1796). A dead run has left its change half done; a failed one was left as it is, or could not be
 * undone completely; or somebody has made another version of it by hand.
 */
export function revisionBefore(
  unfinished: JournalRecord | undefined,
  revisions: readonly Revision[],
  changedByHand = false,
): string | undefined {
  const live = liveRevision(revisions);
  if (live === undefined) return undefined;
  const isLeft = revisions.some((revision) => revision.revision > live.revision && hasLeftSomething(revision));
  return isOnItsWay(unfinished, live) || isLeft || changedByHand ? String(live.revision) : undefined;
}

/**
 * Whether a run had begun to bring another revision in than the one that is live. One that was itself to go back is no step that is
 * to be taken back: whoever asks again wants what it was to do.
 */
function isOnItsWay(unfinished: JournalRecord | undefined, live: Revision | undefined): boolean {
  if (unfinished?.revision === undefined || unfinished.waiting !== undefined) return false;
  if (unfinished.command === 'rollback' || unfinished.command === 'abort') return false;
  return unfinished.revision !== live?.revision;
}

function hasLeftSomething({ outcome, kept = [] }: Revision): boolean {
  return outcome === 'failed' || kept.length > 0;
}

/**
 * The revision to go back to. Without a number: the last one that was live before the version that is live now, so that
 * rolling back twice goes further back and not forward again (kubernetes/kubernetes#49701).
 */
export function chooseRevision(
  revisions: readonly Revision[],
  wanted: string | undefined,
  release: string,
  namespace: string,
): Revision {
  if (revisions.length === 0) {
    throw new InvalidInput(`there is no revision of release "${release}" in namespace "${namespace}"`, {
      hint: 'Check the inputs "release" and "namespace"; there is no other workload to roll back either.',
    });
  }
  const numbered = revisions.filter(({ revision }) => revision > 0);
  const listed = `there are ${numbered.map(({ revision, outcome }) => `${revision} (${outcome})`).join(', ')}`;
  if (wanted !== undefined) {
    const found = revisions.find(({ revision }) => String(revision) === wanted);
    if (found !== undefined && found.objects.length > 0) return found;
    if (found !== undefined) {
      throw new InvalidInput(
        `revision ${wanted} of release "${release}" has no recorded objects: ${found.problem ?? 'its run was cancelled'}`,
        { hint: 'Set the input "to-revision" to another one.' },
      );
    }
    throw new InvalidInput(`there is no revision ${wanted} of release "${release}": ${listed}`, {
      hint: 'Set the input "to-revision" to one of them.',
    });
  }
  const live = liveRevision(revisions);
  const origin = live === undefined ? Number.POSITIVE_INFINITY : (live.restores ?? live.revision);
  const previous = revisions.filter(wasLive).findLast((revision) => (revision.restores ?? revision.revision) < origin);
  if (previous !== undefined) return previous;
  throw new InvalidInput(`release "${release}" has no earlier revision that was live: ${listed}`, {
    hint: 'Set the input "to-revision" to use one of them anyway, or "workload" to use the revisions that Kubernetes keeps of one.',
  });
}

function wasLive({ outcome }: Revision): boolean {
  return outcome === 'live' || outcome === 'superseded';
}

/** What a rollback puts back as a whole, whoever has written there; a pause would keep the pods from following. */
const replacedByRollback = [...versionPaths, ...pausePaths];

/** What runs of the objects of these revisions, by the keys that they have there. @param known what was read already */
async function readRunning(
  { client }: Context,
  live: Revision | undefined,
  target: Revision | undefined,
  known: Running = new Map(),
): Promise<Map<string, KubernetesObject>> {
  const objects = [live, target].flatMap((one) => one?.objects ?? []);
  const refs = new Map(
    objects.map((object) => [keyOf(refOf(object)), live === undefined ? refOf(object) : runningRef(live, object)]),
  );
  const unread = [...refs].flatMap(([key, ref]) => (known.has(key) ? [] : [ref]));
  const found = await readRefs(client, unread);
  return new Map(
    [...refs].flatMap(([key, ref]) => {
      const running = known.get(key) ?? found.get(keyOf(ref));
      return running === undefined ? [] : [[key, running]];
    }),
  );
}

/**
 * The recorded objects; the number of pods stays what it is, unless the input says otherwise, and what a controller of the
 * cluster has written stays too.
 */
function manifestsOf(revision: Revision, running: Running): Manifest[] {
  const file = `revision ${revision.revision}`;
  const manifests = structuredClone(revision.objects).map((object) => manifestFrom(object, file));
  for (const { object } of manifests) {
    const live = running.get(keyOf(refOf(object)));
    if (live === undefined) continue;
    leaveToControllers(object, live);
    const current = numberAt(live, 'spec', 'replicas');
    if (isScalable(object) && current !== undefined && numberAt(object, 'spec', 'replicas') !== undefined)
      object['spec'] = { ...objectAt(object, 'spec'), replicas: current };
  }
  return manifests;
}

/** @throws InvalidInput for a number of pods that an autoscaler would change back */
async function setNumbers(
  { client }: Context,
  namespace: string,
  manifests: readonly Manifest[],
  replicas: readonly string[],
  live: Revision | undefined,
): Promise<void> {
  const scaled = new Set(setReplicas(manifests, replicas).map(({ workload }) => keyOf(workload)));
  const objects = manifests.map(({ object }) => object);
  const changed = objects.filter((object) => scaled.has(keyOf(refOf(object))));
  const running = changed.map((object) => (live === undefined ? refOf(object) : runningRef(live, object)));
  await refuseAutoscaled(client, namespace, [...changed.map(refOf), ...running], objects);
}

/** Objects that another release has taken since stay with it: a rollback is of what is ours. */
async function leftToOthers(
  { client }: Context,
  ownership: Ownership,
  { manifests, running }: { manifests: readonly Manifest[]; running: Running },
  report: Report,
): Promise<Manifest[]> {
  const known = new Map([...running.values()].map((object) => [keyOf(refOf(object)), object]));
  const unread = manifests.filter(({ object }) => !known.has(keyOf(refOf(object))));
  // A kind that is not served any more is told of by the preflight.
  const there = await readLive(client, unread, new Set());
  const own = await Promise.all(
    manifests.map(async (manifest) => {
      const ref = refOf(manifest.object);
      const live = known.get(keyOf(ref)) ?? there.get(keyOf(ref));
      const owner = live === undefined ? undefined : await ownership.otherOwner(live);
      if (owner === undefined) return manifest;
      report.warn(`${describeRef(ref, true)} is left as it is: it belongs to ${await ownership.describe(owner)} now`);
      return undefined;
    }),
  );
  return own.filter((manifest) => manifest !== undefined);
}

/** What another release has live is not removed with what this one has no more. */
async function notUsedByOthers(
  ownership: Ownership,
  surplus: readonly KubernetesObject[],
  report: Report,
): Promise<KubernetesObject[]> {
  const own = await Promise.all(
    surplus.map(async (object) => {
      const user = await ownership.otherUser(object);
      if (user === undefined) return object;
      const text = `${describeRef(refOf(object), true)} is left: ${await ownership.describe(user)} has it too`;
      report.warn(text);
      return undefined;
    }),
  );
  return own.filter((object) => object !== undefined);
}

/** @throws Failure when nothing that runs the version can go back: config alone would only mix two versions */
function refuseWithoutVersion({ manifests, left }: Sifted, target: Revision): void {
  const workloads = left.filter(runsTheVersion);
  const [first] = workloads;
  const isLeft = ({ object }: Manifest) => hasPods(object) && !runsOnce(object);
  if (first === undefined || manifests.some(isLeft)) return;
  throw new Failure(`revision ${target.revision} cannot be restored: ${first.reason}`, {
    hint: 'Fix that, or set the input "to-revision" to another one.',
  });
}

/**
 * Says what of the report is not as the revision has it, and whose changes are gone. What was applied is so too where a workload
 * keeps its pods from it.
 */
export function finishRollback(
  report: RunReport,
  byHand: readonly string[],
  left: readonly LeftOut[],
  reporter: Pick<Reporter, 'warning'>,
): RunReport {
  const isHeld = report.status === 'paused';
  const isBack = report.status === 'rolled-back' || isHeld;
  const dropped = isBack ? byHand.map((text) => `a manual change was dropped: ${text}`) : [];
  for (const text of dropped) reporter.warning(text);
  const warnings = [...report.warnings, ...dropped];
  if (left.length === 0) return { ...report, warnings };
  const text = describeLeftOut(left);
  const details = left.map(({ manifest, reason }) => ({ ref: refOf(manifest.object), reason }));
  const names = listed(details.map(({ ref }) => describeRef(ref)));
  const headline = isHeld ? `${report.headline}; not rolled back: ${names}` : `${report.headline}, except ${names}`;
  if (!isBack) return { ...report, warnings, left: details };
  if (!left.some(runsTheVersion)) {
    reporter.warning(text);
    return { ...report, headline, warnings, left: details };
  }
  const failure = { message: text, causes: [], problems: [], evidence: [] };
  return { ...report, status: 'failed', headline, warnings, left: details, failure };
}

/**
 * What the live revision has and the target has not, and what revisions in between have brought and left, also those that have
 * failed: as far as it is still there.
 */
async function surplusOf(
  { client }: Context,
  revisions: readonly Revision[],
  target: Revision,
): Promise<KubernetesObject[]> {
  const live = liveRevision(revisions);
  // What takes turns with what is wanted, and what its files held, is no surplus.
  const own = [...target.objects, ...(target.idle ?? [])].map(refOf);
  const turns = live === undefined ? [] : target.objects.map((object) => runningRef(live, object));
  const wanted = new Set([...own, ...turns].map(keyOf));
  const added = (live?.objects ?? []).map(refOf).filter((ref) => !wanted.has(keyOf(ref)));
  const known = new Set(added.map(keyOf));
  const between = formerRefs(laterThan(revisions, target), [...own, ...turns]).filter((ref) => !known.has(keyOf(ref)));
  const read = (refs: readonly ObjectRef[]) => mapConcurrently(refs, concurrency, (ref) => readIfServed(client, ref));
  const [ofLive, ofOthers] = await Promise.all([read(added), read(between)]);
  return [...ofLive, ...ofOthers.filter((object) => object !== undefined && isLeft(object))].filter(
    (object) => object !== undefined,
  );
}

/** What has come since a version; what waits is its candidate's to take away. */
function laterThan(revisions: readonly Revision[], { revision, restores = revision }: Revision): Revision[] {
  return revisions.filter((one) => one.revision > restores && one.outcome !== 'waiting');
}

/** Undefined too for what the server does not know or may not show: nothing can be done about that here. */
async function readIfServed(client: KubernetesClient, ref: ObjectRef): Promise<KubernetesObject | undefined> {
  try {
    return await client.read(ref);
  } catch (error) {
    if (isStatus(error, 403) || error instanceof UnknownKind) return undefined;
    throw error;
  }
}
