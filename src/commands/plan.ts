import type { Prepared } from '../apply/prepared.ts';
import { describeRef, keyOf, nameFrom, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { keepsData } from '../manifests/kinds.ts';
import { describeFields } from '../plan/describe-diff.ts';
import { forecast } from '../plan/forecast.ts';
import type { Context } from '../release/context.ts';
import type { Leftover } from '../release/leftover.ts';
import { assertRoomForRecords } from '../release/record-room.ts';
import { nextRevision } from '../release/revision.ts';
import { MissingRights } from '../release/rights-check.ts';
import type { PlannedObject, PlannedStep, PlanReport } from '../report/plan-report.ts';
import { nameChanges } from '../report/headline.ts';
import { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { formatDuration } from '../base/clock.ts';
import { changesIn, plannedObjects } from './changes.ts';
import { command } from './command.ts';
import { deploy, readDeploy, tellCuts, type DeployOptions } from './deploy.ts';
import { lookAhead, type Ahead } from './look-ahead.ts';
import type { RollOutOptions } from './purpose.ts';
import { planOf } from './roll-out.ts';
import { isSettled, sameRevision } from './unchanged.ts';

export const plan = command({
  inputs: deploy.inputs,
  required: ['manifests'],
  // What is missing of them is told.
  rights: deploy.rights,
  asks: 'deploy',
  run: planRelease,
});

/**
 * What `deploy` with the same inputs would do: objects with their fields, the steps in order, pods, rights. Nothing is written,
 * and no lock is needed.
 * @throws Failure, Failures for everything for which a deploy would be refused
 */
async function planRelease(context: Context, options: DeployOptions): Promise<RunReport> {
  const namespace = options.namespace ?? context.client.defaultNamespace;
  const { release, strategy } = options;
  const report = new Report(context, 'plan', { release, namespace, strategy });
  const read = await readDeploy(context, options, report);
  tellCuts(read.purpose, options, report);
  const ahead = await lookAhead(context, read.options, read.purpose, report);
  tellLeftover(ahead, release, report);
  const namespaces = namespacesMade(read.options, ahead.prepared);
  const objects = [...namespaces.map((ref): PlannedObject => ({ ref, change: 'create' })), ...objectsOf(ahead)];
  const written = [
    ...namespaces.map((ref) => ({ ref, change: 'created' as const })),
    ...ahead.prepared.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change })),
  ];
  report.tellWritten({ objects: written, workloads: [], addresses: [] });
  if (
    (await isSettled(context, read.options, read.purpose, ahead)) &&
    sameRevision(read.purpose, ahead) !== undefined
  ) {
    report.tellPlan({ objects, steps: [], pods: [], extraPods: 0, end: 'live', stays: [] });
    return report.finish('unchanged', `Plan for ${release}: a deploy would change nothing`);
  }
  const made = await planOf(context, read.options, read.purpose, ahead);
  const next = { release, revision: nextRevision(ahead.revisions) };
  await assertRoomForRecords(context.client, namespace, next, ahead.prepared);
  const found = await forecast(made, ahead.plan, {
    compared: ahead.prepared,
    hasChecks: read.options.checks.length > 0,
    keepOldForMs: read.options.keepOldForMs,
    isHalfDone: isUndoneFirst(ahead.leftover),
  });
  const missing = await missingRights(context);
  const steps = [...beforehand(ahead, namespaces), ...found.steps];
  const told: PlanReport = {
    objects,
    steps,
    pods: found.pods,
    extraPods: found.extraPods,
    end: found.end.state,
    ...(missing === undefined ? {} : { missingRights: missing }),
    stays: stayingOf(ahead.prepared, read.options.newNamespaces),
  };
  report.tellPlan(told);
  if (missing !== undefined) report.warn(`a deploy would be refused: ${missing.message}`);
  tell(context, namespace, told);
  await tellRole(context);
  return report.finish('planned', headlineOf(release, nameChanges(changesIn(ahead.prepared)), told));
}

/** A deploy first undoes what a dead run has left; what it finds then may be another state. */
function tellLeftover({ leftover: left }: Ahead, release: string, report: Report): void {
  if (left.state === 'dead' && !left.journal.record.undoOnFailure)
    report.warn(
      `an earlier run of release "${release}" is in progress or was killed: a deploy waits for it, or starts from what it left ("undo-on-failure" was false)`,
    );
  else if (left.state === 'dead')
    report.warn(
      `an earlier run of "${release}" is in progress or was killed: a deploy first waits for it or undoes it; the plan shows the state now`,
    );
  else if (left.state === 'waiting')
    report.warn(`a deploy would first remove the waiting candidate (revision ${left.candidate.revision})`);
}

function objectsOf({ prepared, left }: Ahead): PlannedObject[] {
  return [...plannedObjects(prepared), ...left.there.map((ref): PlannedObject => ({ ref, change: 'leave' }))];
}

/** @returns undefined where the run may do all that the plan needs */
async function missingRights({ rights }: Context): Promise<PlanReport['missingRights']> {
  try {
    await rights?.require();
    return undefined;
  } catch (error) {
    if (!(error instanceof MissingRights)) throw error;
    return { message: error.message, manifest: error.manifest };
  }
}

/** All that the deploy and its undo have to be allowed, for whoever makes the Role. */
async function tellRole({ reporter, rights }: Context): Promise<void> {
  const role = await rights?.role();
  if (role === undefined) return;
  await reporter.group('Role for this deploy', () => {
    for (const line of role.trimEnd().split('\n')) reporter.info(line);
    return Promise.resolve();
  });
}

function isUndoneFirst(left: Leftover): left is Extract<Leftover, { state: 'dead' }> {
  return left.state === 'dead' && left.journal.record.undoOnFailure;
}

/** What a deploy does before its own steps. */
function beforehand({ leftover: left }: Pick<Ahead, 'leftover'>, namespaces: readonly ObjectRef[]): PlannedStep[] {
  const steps: PlannedStep[] = [];
  if (isUndoneFirst(left) || left.state === 'waiting') {
    const { entries } = left.journal.record;
    const title =
      left.state === 'dead'
        ? 'Undo what an earlier run left half done'
        : `Remove the waiting candidate (revision ${left.candidate.revision})`;
    const writes = new Map(
      entries.map(({ ref, before }) => [keyOf(ref), { ref, change: before === null ? 'remove' : 'change' } as const]),
    );
    steps.push({ title, writes: [...writes.values()], waitsUntil: 'the previous state is ready' });
  }
  if (namespaces.length > 0)
    steps.push({
      title: 'Create the namespace of the release',
      writes: namespaces.map((ref) => ({ ref, change: 'create' })),
    });
  return steps;
}

/** The release's own namespace, where a deploy makes it and no manifest has it. */
function namespacesMade({ namespace, newNamespaces }: RollOutOptions, prepared: readonly Prepared[]): ObjectRef[] {
  const ref: ObjectRef = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  const isBrought = prepared.some(({ manifest }) => keyOf(refOf(manifest.object)) === keyOf(ref));
  return newNamespaces.has(namespace) && !isBrought ? [ref] : [];
}

/** What an undo of this deploy would leave. */
function stayingOf(prepared: readonly Prepared[], newNamespaces: ReadonlySet<string>): PlanReport['stays'] {
  const created = prepared.filter(({ live }) => live === undefined).map(({ manifest }) => manifest.object);
  const kept = created.filter(keepsData).map(refOf);
  const own = new Set(kept.map(keyOf));
  const spaces = [...newNamespaces]
    .map((name): ObjectRef => ({ apiVersion: 'v1', kind: 'Namespace', name }))
    .filter((ref) => !own.has(keyOf(ref)));
  const isJob = ({ kind, apiVersion }: KubernetesObject) => kind === 'Job' && apiVersion.startsWith('batch/');
  return [
    ...[...kept, ...spaces].map((ref) => ({ ref, reason: 'it may hold data' })),
    ...created
      .filter(isJob)
      .map((job) => ({ ref: refOf(job), reason: 'its effects outside the cluster cannot be undone' })),
  ];
}

function tell({ reporter }: Context, namespace: string, { objects, steps, pods, extraPods, stays }: PlanReport): void {
  for (const { ref, change, diff } of objects) {
    if (change === 'unchanged') continue;
    reporter.info(`${nameFrom(namespace, ref)}: ${change}`);
    for (const line of diff === undefined ? [] : describeFields(diff)) reporter.info(`    ${line}`);
  }
  for (const [index, { title, writes, waitsUntil, holdsMs }] of steps.entries()) {
    const hold = holdsMs === undefined ? '' : ` (${formatDuration(holdsMs)})`;
    reporter.info(`${index + 1}. ${title}${hold}${waitsUntil === undefined ? '' : `, until ${waitsUntil}`}`);
    for (const { ref, change, field, to } of writes) {
      const what = field === undefined ? '' : `: ${field} = ${JSON.stringify(to)}`;
      reporter.info(`    ${change} ${describeRef(ref)}${what}`);
    }
  }
  for (const { ref, numbers } of pods) reporter.info(`pods of ${describeRef(ref)}: ${numbers.join(' → ')}`);
  if (extraPods > 0)
    reporter.info(
      `${extraPods} ${extraPods === 1 ? 'pod' : 'pods'} more than now at the same time, not counting surge pods of rolling updates`,
    );
  for (const { ref, reason } of stays) reporter.info(`an undo would leave ${nameFrom(namespace, ref)}: ${reason}`);
}

function headlineOf(release: string, changes: string, { objects, steps, end }: PlanReport): string {
  const count = (wanted: PlannedObject['change']) => objects.filter(({ change }) => change === wanted).length;
  const parts = [
    ['to create', count('create')],
    ['to change', count('change')],
    ['unchanged', count('unchanged')],
    ['left as they are', count('leave')],
  ] as const;
  const list = parts.filter(([, number]) => number > 0).map(([word, number]) => `${number} ${word}`);
  const ending = end === 'waiting' ? ', then it waits for approval' : '';
  const what = [changes, list.join(', '), steps.length === 1 ? '1 step' : `${steps.length} steps`];
  return `Plan for ${release}: ${what.filter((text) => text !== '').join('; ')}${ending}`;
}
