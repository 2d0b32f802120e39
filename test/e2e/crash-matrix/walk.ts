import { randomBytes } from 'node:crypto';

import { mapConcurrently } from '../../../src/base/concurrency.ts';
import { changes, portable, snapshot, type Snapshot } from '../../support/snapshot.ts';
import { CrashProxy, type Moment } from '../../support/crash-proxy.ts';
import { deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { shareOf } from '../../support/share.ts';
import { Step, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import type { FollowUp, Run, Scenario, State } from './scenarios.ts';
import { anyPods, disorder, wrongPods } from './witness.ts';

/** Points under way at once: most of a point is waiting for pods. */
const parallel = 4;
const release = 'shop';

export interface Reference {
  /** How many writes the run makes when nobody kills it. */
  writes: number;
  /** What the cluster then holds. */
  after: Snapshot;
}

export interface Point {
  write: number;
  moment: Moment;
}

export interface PointResult {
  /** `killed after write 7 (PATCH secrets/…): ConfigMap/config …` */
  problems: string[];
  ended: 'from' | 'to';
}

/** Runs a scenario undisturbed: how many writes there are, and what "fully new" is. */
export async function referenceOf(scenario: Scenario): Promise<Reference> {
  await using proxy = await CrashProxy.start();
  const namespace = await prepare(scenario);
  try {
    proxy.arm(undefined);
    const result = await runToEnd(scenario.killed, namespace, proxy.kubeconfig);
    if (result.exit !== 0) throw new Error(`${scenario.name} fails without a kill: ${result.log}`);
    return { writes: proxy.writes.length, after: await snapshot(namespace) };
  } finally {
    await deleteNamespace(namespace);
  }
}

/** Every write of a run, killed before it and after it; or a share of them. */
export function pointsOf({ writes }: Reference, name: string): Point[] {
  const all = Array.from({ length: writes }, (_, index): Point[] => [
    { write: index + 1, moment: 'before' },
    { write: index + 1, moment: 'after' },
  ]).flat();
  return shareOf(all, ({ write, moment }) => `${name} ${write} ${moment}`);
}

export async function walk(
  scenario: Scenario,
  followUp: FollowUp,
  reference: Reference,
  points: readonly Point[],
): Promise<PointResult[]> {
  return await mapConcurrently(points, parallel, async (point) => await tryPoint(scenario, followUp, reference, point));
}

async function tryPoint(
  scenario: Scenario,
  followUp: FollowUp,
  reference: Reference,
  point: Point,
): Promise<PointResult> {
  await using proxy = await CrashProxy.start();
  const namespace = await prepare(scenario);
  let trace = '';
  try {
    const before = await snapshot(namespace);
    using run = start(scenario.killed, namespace, proxy.kubeconfig);
    proxy.arm({
      ...point,
      kill: () => {
        run.step.signal('SIGKILL');
      },
    });
    const killed = await run.step.main();
    await proxy.settled();
    const last = proxy.writes.at(-1) ?? '';
    trace = `killed ${point.moment} write ${point.write} (${last})`;
    if (!proxy.hasCrashed && killed.exit !== 0) return failed([`failed by itself: ${killed.log}`], trace);
    const wasLive = isLiveAgain(before, await snapshot(namespace));

    proxy.arm(undefined);
    const next = await follow(followUp, namespace, run.step);
    const isRefusal = next.exit !== 0 && followUp.mayRefuse?.test(next.log) === true;
    // A post step says by its exit code that the run was not what it should have been.
    const isExpected = next.exit === 0 || followUp.next === undefined || isRefusal;
    if (!isExpected) return failed([`the next run fails: ${next.log}`], trace);

    const ends = followUp.ends === 'either' ? (wasLive ? 'to' : 'from') : followUp.ends;
    const after = withoutTolerated(await snapshot(namespace), followUp, before);
    const state = ends === 'from' ? scenario.from : scenario.to;
    const left = ends === 'from' ? changes(before, after) : changes(portable(reference.after), portable(after));
    const problems = [...left, ...disorder(after), ...(await podsOf(namespace, state))];
    return { problems: problems.map((problem) => `${trace}: ${problem}`), ended: ends };
  } catch (error) {
    return failed([error instanceof Error ? (error.stack ?? error.message) : String(error)], trace);
  } finally {
    await deleteNamespace(namespace);
  }
}

function failed(problems: readonly string[], trace: string): PointResult {
  return { problems: problems.map((problem) => `${trace}: ${problem}`), ended: 'from' };
}

/** Whether the killed run had come so far that its version counts as live. */
function isLiveAgain(before: Snapshot, after: Snapshot): boolean {
  return [...after.revisions].some(([revision, outcome]) => outcome === 'live' && !before.revisions.has(revision));
}

/** What comes after the kill: another run, straight to the API server, or the post step of the killed one. */
async function follow(followUp: FollowUp, namespace: string, step: Step): Promise<StepResult> {
  if (followUp.next === undefined) return await step.post();
  await letLockExpire(namespace);
  return await runToEnd(followUp.next, namespace, testKubeconfig());
}

/** As if the 15 s had passed for which a dead holder keeps its lock; that it does end after them, other suites show. */
async function letLockExpire(namespace: string): Promise<void> {
  const patch = '{"spec":{"leaseDurationSeconds":1}}';
  const name = `lease/gke-rollout.${release}`;
  await kubectl(['patch', name, '-n', namespace, '--type=merge', `--patch=${patch}`]).catch((error: unknown) => {
    // Killed before it took the lock.
    if (!String(error).includes('NotFound')) throw error;
  });
}

function withoutTolerated(after: Snapshot, { tolerates = [] }: FollowUp, before: Snapshot): Snapshot {
  const names = tolerates.map((object) => {
    const { kind, metadata } = object as { kind: string; metadata: { name: string } };
    return `${kind}/${metadata.name}`;
  });
  const objects = [...after.objects].filter(([name]) => before.objects.has(name) || !names.includes(name));
  return { ...after, objects: new Map(objects) };
}

async function podsOf(namespace: string, state: State): Promise<string[]> {
  return state === 'nothing' ? await anyPods(namespace) : await wrongPods(namespace, state);
}

/** A namespace of its own with what is there before. */
async function prepare(scenario: Scenario): Promise<string> {
  const namespace = `crash-${randomBytes(4).toString('hex')}`;
  await kubectl(['create', 'namespace', namespace]);
  for (const run of scenario.before) {
    const result = await runToEnd(run, namespace, testKubeconfig());
    if (result.exit !== 0) throw new Error(`what is there before ${scenario.name} fails: ${result.log}`);
  }
  return namespace;
}

interface Started extends Disposable {
  step: Step;
}

function start({ inputs, manifests }: Run, namespace: string, kubeconfig: string): Started {
  const workspace = createWorkspace(manifests === undefined ? {} : { 'app.yaml': manifests });
  const common = { namespace, release, kubeconfig, ...(manifests === undefined ? {} : { manifests: '.' }) };
  const step = new Step({ ...common, timeout: '60s', ...inputs }, { workspace });
  return {
    step,
    [Symbol.dispose]: () => {
      step.dispose();
      removeWorkspace(workspace);
    },
  };
}

async function runToEnd(run: Run, namespace: string, kubeconfig: string): Promise<StepResult> {
  using started = start(run, namespace, kubeconfig);
  return await started.step.main();
}
