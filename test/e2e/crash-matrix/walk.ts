import type { ApiServer } from '../../support/api-server.ts';
import { CrashProxy, type Moment } from '../../support/crash-proxy.ts';
import { deleteNamespace, testKubeconfig } from '../../support/kubectl.ts';
import { shareOf } from '../../support/share.ts';
import { changes, portable, snapshot, uncounted, type Snapshot } from '../../support/snapshot.ts';
import type { Step, StepResult } from '../../support/step.ts';
import { prepare, release, runToEnd, start } from './runs.ts';
import type { FollowUp, Scenario } from './scenarios.ts';
import { Turns } from './turns.ts';
import { disorder, wrongPods } from './witness.ts';

/** Points under way at once, of all scenarios together: most of a point is waiting for pods. */
const turns = new Turns(4);

/** Of one follow-up, in a run that takes a share only. */
const mostOfShare = 1;

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
export async function referenceOf(api: ApiServer, scenario: Scenario): Promise<Reference> {
  await using proxy = await CrashProxy.start(api);
  const namespace = await prepare(scenario);
  try {
    const result = await runToEnd(scenario.killed, namespace, proxy.kubeconfig);
    if (result.exit !== 0) throw new Error(`${scenario.name} fails without a kill: ${result.log}`);
    return { writes: proxy.writes.length, after: await snapshot(api, namespace) };
  } finally {
    await deleteNamespace(namespace);
  }
}

/**
 * Before the first write of a run, and after each of them; or a share of these. Before the next write the cluster is as it is
 * after the last one, so that it is no point of its own.
 */
export function pointsOf({ writes }: Reference, name: string): Point[] {
  const all: Point[] = [
    { write: 1, moment: 'before' },
    ...Array.from({ length: writes }, (_, index): Point => ({ write: index + 1, moment: 'after' })),
  ];
  return shareOf(all, ({ write, moment }) => `${name} ${write} ${moment}`, mostOfShare);
}

/** Tries these points, each in a namespace in which all is as it is before the scenario. */
export async function walk(
  api: ApiServer,
  scenario: Scenario,
  followUp: FollowUp,
  reference: Reference,
  points: readonly Point[],
): Promise<PointResult[]> {
  /** Where a point has ended exactly as before, the next one can begin. */
  const ready: string[] = [];
  const used = new Set<string>();
  try {
    const one = async (point: Point): Promise<PointResult> => {
      const namespace = ready.pop() ?? (await prepare(scenario));
      used.add(namespace);
      const result = await tryPoint({ api, scenario, followUp, reference, namespace }, point);
      if (result.isAsBefore) ready.push(namespace);
      return result;
    };
    return await Promise.all(points.map(async (point) => await turns.take(async () => await one(point))));
  } finally {
    for (const namespace of used) await deleteNamespace(namespace);
  }
}

interface Stage {
  api: ApiServer;
  scenario: Scenario;
  followUp: FollowUp;
  reference: Reference;
  namespace: string;
}

async function tryPoint(stage: Stage, point: Point): Promise<PointResult & { isAsBefore: boolean }> {
  const { api, scenario, followUp, reference, namespace } = stage;
  await using proxy = await CrashProxy.start(api);
  const before = await snapshot(api, namespace);
  using run = start(scenario.killed, namespace, proxy.kubeconfig);
  const kill = () => {
    run.step.signal('SIGKILL');
  };
  proxy.arm({ ...point, kill });
  const killed = await run.step.main();
  await proxy.settled();
  const trace = `killed ${point.moment} write ${point.write} (${proxy.writes.at(-1) ?? 'none'})`;
  const failed = (problem: string) => ({
    problems: [`${trace}: ${problem}`],
    ended: 'from' as const,
    isAsBefore: false,
  });
  if (!proxy.hasCrashed && killed.exit !== 0) return failed(`failed by itself: ${killed.log}`);
  const hadEnded = isLiveNow(before, await snapshot(api, namespace));

  proxy.arm();
  const next = await follow(stage, run.step);
  const isRefusal = next.exit !== 0 && followUp.mayRefuse?.test(next.log) === true;
  // A post step says by its exit code that the run was not what it should have been.
  const isExpected = next.exit === 0 || followUp.next === undefined || isRefusal;
  if (!isExpected) return failed(`the next run fails: ${next.log}`);

  const after = await snapshot(api, namespace);
  const brought = (followUp.brings ?? []).map(nameOf);
  const left = hadEnded ? [...reference.after.objects.keys()].filter((name) => followUp.leaves?.test(name)) : [];
  // Once the killed run had come to its end, what follows is another deploy.
  const asFound = hadEnded ? uncounted : (same: Snapshot) => same;
  const differences = {
    from: changes(asFound(before), asFound(withoutAdded(after, before, [...brought, ...left]))),
    to: changes(portable(reference.after), portable(withoutAdded(after, before, brought))),
  };
  const nearer = differences.to.length < differences.from.length ? 'to' : 'from';
  const ended = followUp.ends === 'either' ? nearer : followUp.ends;
  const state = scenario[ended];
  // One that has nothing to do does not take the lock; that of the dead run has run out.
  const hasWritten = !isRefusal && next.outputs['status'] !== 'unchanged';
  const orderly = hasWritten ? after : { ...after, holders: [] };
  const problems = [...differences[ended], ...disorder(orderly, state), ...(await wrongPods(api, namespace, state))];
  return {
    problems: problems.map((problem) => `${trace}: ${problem}`),
    ended,
    isAsBefore: problems.length === 0 && changes(before, after).length === 0,
  };
}

/** What comes after the kill: another run, straight to the API server, or the post step of the killed one. */
async function follow({ api, followUp, namespace }: Stage, step: Step): Promise<StepResult> {
  if (followUp.next === undefined) return await step.post();
  // As if the 15 s had passed for which a dead holder keeps its lock; that it does end after them, other suites show.
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/gke-rollout.${release}`;
  await api.mergeIfThere(lease, { spec: { leaseDurationSeconds: 1 } });
  return await runToEnd(followUp.next, namespace, testKubeconfig());
}

/** Whether the killed run had come so far that its version counts as live. */
function isLiveNow(before: Snapshot, after: Snapshot): boolean {
  return [...after.revisions].some(
    ([revision, outcome]) => outcome === 'live' && before.revisions.get(revision) !== 'live',
  );
}

function withoutAdded(after: Snapshot, before: Snapshot, names: readonly string[]): Snapshot {
  const objects = [...after.objects].filter(([name]) => before.objects.has(name) || !names.includes(name));
  return { ...after, objects: new Map(objects) };
}

function nameOf(object: object): string {
  const { kind, metadata } = object as { kind: string; metadata: { name: string } };
  return `${kind}/${metadata.name}`;
}
