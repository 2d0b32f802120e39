import { numberAt, type JsonObject } from '../base/json.ts';
import { describeRef, nameFrom, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { serverNow, serverTimestamp } from '../kubernetes/server-time.ts';
import { isScaledToZero } from '../manifests/pod-template.ts';
import {
  isHeldBack,
  isPaused,
  isPausedByManifest,
  pausedBy,
  pausedByAnnotation,
  pauseManager,
  pauseNote,
  updatedPods,
} from '../rollout/pause.ts';
import { kindsWithHistory, pausableKinds } from '../manifests/kinds.ts';
import { pausedError } from '../rollout/pause.ts';
import type { Context } from '../release/context.ts';
import { locking } from '../release/rights.ts';
import { failureOf } from '../report/failure.ts';
import { Report } from '../report/report.ts';
import { changeInputs, command, waitInputs, type OptionsOf } from './command.ts';
import { commitThatRuns } from './commit-now.ts';
import { finishFailed } from './failed-change.ts';
import { guardedChange } from '../release/change.ts';
import { expectOfWorkloads } from './needs.ts';
import { tellNotOver } from './not-over.ts';
import { describeEmpty, finishApplied } from './held.ts';
import type { RunReport } from '../report/run-report.ts';
import { RolloutWatch } from '../report/watch.ts';
import { workloadRow } from '../report/workloads.ts';
import { deploymentsBeside, releaseWorkloads } from './release-workloads.ts';
import { endOf, noteEvent } from './note-event.ts';
import { refuseRestartWithoutRoom, restartPatch } from './restart-pods.ts';

const pauseInputs = ['workload', 'reason'] as const;

export const pause = command({
  inputs: pauseInputs,
  required: [],
  rights: ['history', 'noting'],
  run: pauseRelease,
});

const resumeInputs = [...waitInputs, 'workload', 'reason'] as const;

export const resume = command({
  inputs: resumeInputs,
  required: [],
  rights: ['history', 'noting', 'causes'],
  run: resumeRelease,
});

const restartInputs = [...changeInputs, 'workload', 'reason'] as const;

export const restart = command({
  inputs: restartInputs,
  required: [],
  rights: locking,
  run: restartRelease,
});

/** A manager of its own: what it sets is no part of the manifests, and the next apply must not remove it. */
const restartManager = 'gke-rollout-restart';

/** What is acted on, and what a custom resource that runs pods needs instead. */
const pausable = { kinds: pausableKinds, instead: 'How its pods are replaced is up to its own controller.' };
const restartable = {
  kinds: kindsWithHistory,
  instead:
    'Deploy it with a change in its pod template, such as a new annotation: its own controller then replaces the pods.',
};

/** How long the controller may take to look at what was paused, and how often that is asked, in ms. */
const observationMs = 10_000;
const pollMs = 200;

/**
 * Stops the rolling update of all Deployments of a release where it is. It takes no lock: the run that it stops holds it,
 * and its clock stands still until the release is resumed. Who has paused is written at each Deployment.
 */
async function pauseRelease(context: Context, options: OptionsOf<(typeof pauseInputs)[number]>): Promise<RunReport> {
  const { client, clock, reporter, run } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const report = new Report(context, 'pause', { release: options.release, namespace });
  const deployments = await releaseWorkloads(context, namespace, options, { ...pausable, command: 'pause', report });
  const toChange = deployments.filter((object) => !isPaused(object));
  await expectOfWorkloads(context, 'pause', deployments, false);
  await context.rights?.require();
  await reporter.group('Pause', async () => {
    for (const object of toChange) {
      await setPaused(context, object, { paused: true, note: pauseNote(run, serverNow(client, clock)) });
      reporter.info(`${nameFrom(namespace, refOf(object))} paused`);
    }
  });
  const current = await Promise.all(deployments.map(async (object) => (await client.read(refOf(object))) ?? object));
  const paused = await untilObserved(context, current);
  describeNow(report, paused);
  const texts = paused.map(describePaused).join('; ');
  if (toChange.length > 0) {
    const what = namesOf(toChange);
    await noteEvent(context, { ...options, namespace }, { command: 'pause', outcome: 'done', what }, report);
    return report.finish('paused', `${options.release}: paused; ${texts}`);
  }
  const since = paused.map((object) => `${describePaused(object)}, paused ${pausedBy(object)}`).join('; ');
  return report.finish('unchanged', `Nothing to do: ${options.release} is already paused; ${since}`);
}

/**
 * Lets the rolling update go on, and waits until it is complete. A side or a candidate that does not serve is resumed too, or the
 * next deploy would find it paused; it is not waited for.
 */
async function resumeRelease(context: Context, options: OptionsOf<(typeof resumeInputs)[number]>): Promise<RunReport> {
  const { client, clock, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const report = new Report(context, 'resume', { release: options.release, namespace });
  const deployments = await releaseWorkloads(context, namespace, options, { ...pausable, command: 'resume', report });
  const names = namesOf(deployments);
  const beside =
    options.workload === undefined ? await deploymentsBeside(context, namespace, options.release, deployments) : [];
  const idle = beside.filter(isPaused);
  const toChange = [...deployments.filter(isPaused), ...idle];
  const watch = new RolloutWatch(context, options);
  await expectOfWorkloads(context, 'resume', [...deployments, ...idle], false);
  await context.rights?.require();
  const targets = await reporter.group(
    'Resume',
    async () =>
      await Promise.all(
        [...deployments, ...idle].map(async (object) => {
          if (!isPaused(object)) return { object, changed: false };
          const resumed = await setPaused(context, object, { paused: null, note: null });
          reporter.info(`${nameFrom(namespace, refOf(object))} resumed; it was paused ${pausedBy(object)}`);
          return { object: resumed, changed: true, paused: false };
        }),
      ),
  );
  if (toChange.length > 0) {
    const what = namesOf(toChange);
    await noteEvent(context, { ...options, namespace }, { command: 'resume', outcome: 'done', what }, report);
  }
  const awaited = targets.slice(0, deployments.length);
  for (const object of toChange.filter(isPausedByManifest)) {
    report.warn(
      `the manifest of ${describeRef(refOf(object), true)} says "paused: true": the next deploy pauses it again`,
    );
  }
  try {
    await watch.wait(awaited, { deadline: clock.now() + options.timeoutMs, signal: context.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    await watch.collectEvidence(error);
    const failure = watch.explain(failureOf(error));
    describe(report, deployments, watch);
    report.tellFailure(failure);
    return report.finish('failed', `${options.release}: resumed, but it did not become ready`);
  }
  describe(report, deployments, watch);
  if (toChange.length === 0) {
    const applied = `Nothing to do: ${names} ${deployments.length === 1 ? 'was' : 'were'} not paused`;
    return finishApplied(report, watch, 'unchanged', { headline: `${applied}; all pods are ready`, applied });
  }
  const applied = `${options.release}: resumed ${namesOf(toChange)}`;
  return finishApplied(report, watch, 'resumed', {
    headline: `${applied}; all pods of ${names} are ready after ${report.elapsed()}`,
    applied,
  });
}

function namesOf(objects: readonly KubernetesObject[]): string {
  return objects.map(({ metadata }) => metadata.name).join(', ');
}

async function setPaused(
  context: Context,
  object: KubernetesObject,
  patch: { paused: true | null; note: string | null },
): Promise<KubernetesObject> {
  const body: JsonObject = {
    metadata: { annotations: { [pausedByAnnotation]: patch.note } },
    spec: { paused: patch.paused },
  };
  const written = await context.client.patch(
    refOf(object),
    { type: 'merge', patch: body },
    { fieldManager: pauseManager },
  );
  return written.object;
}

/**
 * Its controller counts pods a moment later; without it there is nothing to count.
 * @returns each as it is then
 */
async function untilObserved(
  { client, clock, signal }: Context,
  objects: readonly KubernetesObject[],
): Promise<KubernetesObject[]> {
  const until = clock.now() + observationMs;
  return await Promise.all(
    objects.map(async (written) => {
      let object = written;
      while (!isObserved(object) && clock.now() < until) {
        await clock.sleep(pollMs, signal);
        object = (await client.read(refOf(object))) ?? object;
      }
      return object;
    }),
  );
}

function isObserved(object: KubernetesObject): boolean {
  return (numberAt(object, 'status', 'observedGeneration') ?? 0) >= (object.metadata.generation ?? 0);
}

/** `web at 1 of 3 pods updated`, or that none of its pods is of another version. */
function describePaused(object: KubernetesObject): string {
  const { name } = object.metadata;
  return isHeldBack(object) ? `${name} at ${updatedPods(object)}` : `all pods of ${name} run its current version`;
}

/** Makes all pods of a release anew, as `kubectl rollout restart` does, and waits for them; undone when they do not come up. */
async function restartRelease(
  context: Context,
  options: OptionsOf<(typeof restartInputs)[number]>,
): Promise<RunReport> {
  const { client, reporter, clock } = context;
  const { release, namespace = client.defaultNamespace } = options;
  const report = new Report(context, 'restart', { release, namespace });
  const look = () => mayRestart(context, { ...options, namespace }, report);
  let workloads = await look();
  if (workloads.some(isScaledToZero)) return finishEmpty(report, workloads);
  const watch = new RolloutWatch(context, options);
  await expectOfWorkloads(context, 'restart', workloads, options.undoOnFailure);
  const body = restartPatch(serverTimestamp(client, clock));
  const write = async (object: KubernetesObject, dryRun: boolean) =>
    (await client.patch(refOf(object), body, { fieldManager: restartManager, dryRun })).object;
  const outcome = await guardedChange(
    context,
    { ...options, namespace },
    {
      command: 'restart',
      runs: await commitThatRuns(client, { namespace, release }, report),
      work: async (change) => {
        // Another run may have written them until the lock was free, and what a dead one has left was undone.
        workloads = await look();
        if (workloads.some(isScaledToZero)) return;
        const planned = workloads.map(async (object) => {
          return { ref: refOf(object), before: object, after: await write(object, true), done: false };
        });
        await change.journal.plan(await Promise.all(planned));
        const written = await Promise.all(workloads.map((object) => write(object, false)));
        await change.journal.done(written.map((object) => ({ ref: refOf(object), after: object })));
        await reporter.group('Restart', async () => {
          await watch.wait(
            written.map((object) => ({ object, changed: true, paused: false })),
            change,
          );
        });
      },
      beforeUndo: (error) => watch.collectEvidence(error),
    },
  );
  if (workloads.some(isScaledToZero)) return finishEmpty(report, workloads);
  const names = namesOf(workloads);
  describe(report, workloads, watch);
  await noteEvent(context, { namespace, release }, { command: 'restart', ...endOf(outcome), what: names }, report);
  if (outcome.state === 'done') {
    await tellNotOver(context, watch, report);
    return finishApplied(report, watch, 'restarted', {
      headline: `${release}: restarted ${names} in ${report.elapsed()}`,
      applied: `${release}: restart of ${names} applied`,
    });
  }
  const attempt = `${release}: restart of ${names}`;
  return await finishFailed(context, { namespace, release }, { report, watch, failure: outcome.failure, attempt });
}

/**
 * What has pods to be made anew; where there is nothing else, what is scaled to 0.
 * @throws Failure for what is paused, as kubectl does: nothing would be restarted; LowCapacity
 */
async function mayRestart(
  context: Context,
  options: { namespace: string; release: string; workload?: string },
  report: Report,
): Promise<KubernetesObject[]> {
  const { namespace } = options;
  const all = await releaseWorkloads(context, namespace, options, { ...restartable, command: 'restart', report });
  const paused = all.find(isPaused);
  if (paused !== undefined) throw pausedError(paused);
  const empty = all.filter(isScaledToZero);
  if (empty.length === all.length) return empty;
  if (empty.length > 0) report.warn(`nothing to restart: ${describeEmpty(empty)}`);
  const workloads = all.filter((object) => !isScaledToZero(object));
  await refuseRestartWithoutRoom(context, namespace, workloads);
  return workloads;
}

function finishEmpty(report: Report, empty: readonly KubernetesObject[]): RunReport {
  describeNow(report, empty);
  return report.finish('unchanged', `Nothing to restart: ${describeEmpty(empty)}`);
}

/** Workloads as they are, where none is waited for. */
function describeNow(report: Report, workloads: readonly KubernetesObject[]): void {
  report.tellWorkloads(
    workloads.map((object) =>
      workloadRow(object, {
        state: isHeldBack(object) ? 'unchecked' : 'ready',
        message: isPaused(object) ? `paused ${pausedBy(object)}: ${updatedPods(object)}` : '',
      }),
    ),
  );
}

function describe(report: Report, workloads: readonly KubernetesObject[], watch: RolloutWatch): void {
  report.tellWorkloads(workloads.map((object) => workloadRow(object, watch.stateOf(refOf(object)))));
}
