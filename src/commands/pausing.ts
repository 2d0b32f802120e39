import { booleanAt, numberAt, type JsonObject } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { imagesOf } from '../manifests/pod-template.ts';
import { kindsWithHistory } from '../rollout/workload-history.ts';
import type { ChangeOptions, Context } from './context.ts';
import { Draft, failureOf } from './draft.ts';
import { finishFailed } from './failed-change.ts';
import { guardedChange } from './guarded-change.ts';
import { expectOfWorkloads } from './needs.ts';
import { releaseWorkloads, type WorkloadOptions } from './release-workloads.ts';
import type { RunReport } from './report.ts';
import { RolloutWatch } from './rollout-watch.ts';

type PausingOptions = ChangeOptions & WorkloadOptions;

/** A manager of its own: what these commands set is no part of the manifests, and the next apply must not remove it. */
const pauseManager = 'gke-rollout-pause';
const restartManager = 'gke-rollout-restart';

/**
 * Stops the rolling update of all Deployments of a release where it is. It takes no lock: the run that it stops holds it,
 * and goes on waiting until the release is resumed or its time is up.
 */
export async function pause(context: Context, options: PausingOptions): Promise<RunReport> {
  return await setPaused(context, options, true);
}

/** Lets the rolling update go on, and waits until it is complete. */
export async function resume(context: Context, options: PausingOptions): Promise<RunReport> {
  return await setPaused(context, options, false);
}

async function setPaused(context: Context, options: PausingOptions, paused: boolean): Promise<RunReport> {
  const { client, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const command = paused ? 'pause' : 'resume';
  const draft = new Draft(context, command, { release: options.release, namespace });
  const deployments = await releaseWorkloads(context, namespace, options, ['Deployment']);
  const toChange = deployments.filter((object) => (booleanAt(object, 'spec', 'paused') ?? false) !== paused);
  const names = deployments.map(({ metadata }) => metadata.name).join(', ');
  const watch = new RolloutWatch(context, options);
  await expectOfWorkloads(context, deployments, { undone: false, waits: !paused });
  await context.rights?.require();
  const written: KubernetesObject[] = [];
  await reporter.group(paused ? 'Pause' : 'Resume', async () => {
    for (const object of toChange) {
      const patch = { spec: { paused: paused ? true : null } };
      written.push(
        (await client.patch(refOf(object), { type: 'merge', patch }, { fieldManager: pauseManager })).object,
      );
      reporter.info(`${describeRef(refOf(object), true)} ${paused ? 'paused' : 'resumed'}`);
    }
  });
  if (paused) {
    describe(draft, deployments, watch);
    return toChange.length === 0
      ? draft.finish('unchanged', `${names} of ${options.release} is paused already`)
      : draft.finish('paused', `Paused ${names} of ${options.release}`);
  }
  const targets = deployments.map((object) => {
    const fresh = written.find(({ metadata }) => metadata.uid === object.metadata.uid);
    return { object: fresh ?? object, changed: fresh !== undefined };
  });
  try {
    await watch.wait(targets, { deadline: context.clock.now() + options.timeoutMs, signal: context.signal });
  } catch (error) {
    context.signal.throwIfAborted();
    await watch.collectEvidence(error);
    const failure = watch.explain(failureOf(error));
    describe(draft, deployments, watch);
    draft.add({ failure });
    return draft.finish('failed', `${options.release} was resumed, but did not get ready`);
  }
  describe(draft, deployments, watch);
  return toChange.length === 0
    ? draft.finish('unchanged', `${names} of ${options.release} was not paused, and is ready`)
    : draft.finish('resumed', `Resumed ${names} of ${options.release}; it is ready after ${draft.elapsed()}`);
}

/** Makes all pods of a release anew, as `kubectl rollout restart` does, and waits for them; undone when they do not come up. */
export async function restart(context: Context, options: PausingOptions): Promise<RunReport> {
  const { client, reporter, clock } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release } = options;
  const draft = new Draft(context, 'restart', { release, namespace });
  const workloads = await releaseWorkloads(context, namespace, options, kindsWithHistory);
  const names = workloads.map(({ kind, metadata }) => `${kind} ${metadata.name}`).join(', ');
  const watch = new RolloutWatch(context, options);
  await expectOfWorkloads(context, workloads, { undone: options.undoOnFailure, waits: true });
  const annotations: JsonObject = { 'kubectl.kubernetes.io/restartedAt': new Date(clock.now()).toISOString() };
  const patch = { spec: { template: { metadata: { annotations } } } };
  const write = async (object: KubernetesObject, dryRun: boolean) => {
    const body = { type: 'merge', patch } as const;
    return (await client.patch(refOf(object), body, { fieldManager: restartManager, dryRun })).object;
  };
  const outcome = await guardedChange(
    context,
    { ...options, namespace },
    {
      command: 'restart',
      work: async (change) => {
        const planned = workloads.map(async (object) => {
          return { ref: refOf(object), before: object, after: await write(object, true), done: false };
        });
        await change.journal.plan(await Promise.all(planned));
        const written = await Promise.all(workloads.map((object) => write(object, false)));
        await change.journal.done(written.map((object) => ({ ref: refOf(object), after: object })));
        await reporter.group('Restart', async () => {
          await watch.wait(
            written.map((object) => ({ object, changed: true })),
            change,
          );
        });
      },
      beforeUndo: (error) => watch.collectEvidence(error),
    },
  );
  describe(draft, workloads, watch);
  if (outcome.state === 'done') return draft.finish('restarted', `Restarted ${names} in ${draft.elapsed()}`);
  return finishFailed(draft, watch, outcome.failure, `Restart of ${names}`);
}

function describe(draft: Draft, workloads: readonly KubernetesObject[], watch: RolloutWatch): void {
  draft.add({
    workloads: workloads.map((object) => ({
      ref: refOf(object),
      containers: imagesOf(object).map(({ name, image }) => ({ name, before: image ?? '', after: image ?? '' })),
      replicas: { after: numberAt(object, 'spec', 'replicas') ?? 0 },
      ...watch.stateOf(refOf(object)),
    })),
  });
}
