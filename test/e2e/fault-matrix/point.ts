import type { ApiServer } from '../../support/api-server.ts';
import type { Fault } from '../../support/faults.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import { deleteNamespace, testKubeconfig } from '../../support/kubectl.ts';
import type { Phase } from '../../support/phases.ts';
import { changes, portable, snapshot, type Snapshot } from '../../support/snapshot.ts';
import type { StepResult } from '../../support/step.ts';
import { prepare, release, runToEnd, start } from '../crash-matrix/runs.ts';
import { disorder, wrongPods } from '../crash-matrix/witness.ts';
import type { Action } from './actions.ts';

export interface Limits {
  /** Seconds. */
  timeout: number;
  undoTimeout: number;
}

export interface Point {
  action: Action;
  phase: Phase;
  fault: Fault;
  limits: Limits;
}

export interface PointResult {
  /** `503 from "write 1" on` */
  name: string;
  /** Fully new although there was a fault, fully as before at once or with the next run, or neither. */
  ended: 'survived' | 'undone' | 'wrong';
  problems: string[];
  /** Main and post step together. */
  seconds: number;
  /** Beyond `timeout + undo-timeout + 60 s`; negative when it ended in time. */
  overrunSeconds: number;
  log: string;
}

/** Beside the two time limits: for what is looked at before, and said afterwards. */
const slackSeconds = 60;

/** What the namespace holds when all has gone well: after an undisturbed run. */
export type Reference = Snapshot;

export async function referenceOf(api: ApiServer, { scenario }: Action): Promise<Reference> {
  const namespace = await prepare(scenario);
  try {
    const result = await runToEnd(scenario.killed, namespace, testKubeconfig());
    if (result.exit !== 0) throw new Error(`${scenario.name} fails without a fault: ${result.log}`);
    return await snapshot(api, namespace);
  } finally {
    await deleteNamespace(namespace);
  }
}

interface Ended {
  main: StepResult;
  post: StepResult;
  before: Snapshot;
  after: Snapshot;
}

/** Tries one point in a namespace of its own, and asks the cluster what became of it. */
export async function tryPoint(api: ApiServer, point: Point, reference: Reference): Promise<PointResult> {
  const { action, phase, fault, limits } = point;
  const name = `${fault.name} from "${phase}" on`;
  const namespace = await prepare(action.scenario);
  try {
    const ended = await runThrough(api, point, namespace);
    const { main, post } = ended;
    const seconds = (main.durationMs + post.durationMs) / 1000;
    const overrunSeconds = seconds - limits.timeout - limits.undoTimeout - slackSeconds;
    const problems = [
      ...claimsOf(action, ended, reference),
      ...(await settle(api, point, namespace, ended, reference)),
    ];
    if (overrunSeconds > 0) problems.push(`took ${seconds.toFixed(0)} s, ${overrunSeconds.toFixed(0)} s too long`);
    const good = main.exit === 0 ? ('survived' as const) : ('undone' as const);
    return {
      name,
      ended: problems.length === 0 ? good : 'wrong',
      problems: problems.map((problem) => `${action.name}, ${name}: ${problem}`),
      seconds,
      overrunSeconds,
      log: `${main.log}\n--- post\n${post.log}`,
    };
  } finally {
    await deleteNamespace(namespace);
  }
}

/** Main and post step with the fault. @throws Error when its phase never comes */
async function runThrough(api: ApiServer, { action, phase, fault, limits }: Point, namespace: string): Promise<Ended> {
  // Two of three speak HTTP/2, as an API server does; load balancers in between may not.
  const protocol = (phase.length + fault.name.length) % 3 === 0 ? 'HTTP/1.1' : 'HTTP/2';
  await using proxy = await FaultProxy.start(api, protocol);
  const before = await snapshot(api, namespace);
  const { inputs, ...rest } = action.scenario.killed;
  const times = { timeout: `${limits.timeout}s`, 'undo-timeout': `${limits.undoTimeout}s` };
  using run = start(
    { ...rest, inputs: { ...inputs, ...times } },
    namespace,
    proxy.kubeconfig,
    runnerClock(fault.runnerAheadMs),
  );
  proxy.arm({ phase, fault });
  const main = await run.step.main();
  if (!proxy.hasBegun) throw new Error(`"${phase}" never comes, only ${proxy.phases.join(', ')}: ${main.log}`);
  const post = await run.step.post();
  await proxy.happened();
  return { main, post, before, after: await snapshot(api, namespace) };
}

/** Moves what the action takes for the time. */
function runnerClock(aheadMs: number | undefined): Record<string, string> {
  if (aheadMs === undefined) return {};
  const program = `const Real = Date; globalThis.Date = class extends Real {
    constructor(...given) { if (given.length === 0) super(Real.now() + ${aheadMs}); else super(...given); }
    static now() { return Real.now() + ${aheadMs}; }
  };`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(program)}` };
}

/** What the run says that is not so. */
function claimsOf(action: Action, { main, post, before, after }: Ended, reference: Reference): string[] {
  const log = main.log + post.log;
  const problems: string[] = [];
  if (/\b(TypeError|SyntaxError|ReferenceError|RangeError)\b|^ +at .+:\d+:\d+/m.test(log))
    problems.push('speaks JavaScript');
  if (main.exit === 0) {
    if (action.fails === true) problems.push('says that it has succeeded');
    // The new version is in; what is left of the old one is said, and the next run must deal with it.
    const wrong = saysWhatIsSurplus.test(log) ? [] : changes(portable(reference), portable(after));
    return [...problems, ...wrong.map((line) => `says that it has succeeded, but ${line}`)];
  }
  if (!log.includes('::error')) problems.push('failed without a word');
  const wrong = changes(before, after);
  const isUndone = [main, post].some(({ outputs }) => outputs['status'] === 'undone');
  if (isUndone) return [...problems, ...wrong.map((line) => `says that it is undone, but ${line}`)];
  const isLeft = wrong.length > 0;
  if (isLeft && !after.records.some((record) => record.endsWith('.journal'))) {
    return [...problems, ...wrong.map((line) => `nothing knows any more that ${line}`)];
  }
  if (isLeft && !saysWhatIsLeft.test(log)) problems.push(`does not say what is left undone: ${wrong.join('; ')}`);
  return problems;
}

const saysWhatIsSurplus = /::warning.*(still runs, the next deploy takes it over|the next run tries again)/;
const saysWhatIsLeft = /left for the next run|next run (undoes|tries)|could not be undone|cannot be undone now/;

/** What is not in order after the next plain run, where the run has left anything to settle. */
async function settle(
  api: ApiServer,
  { action }: Point,
  namespace: string,
  { main, before, after }: Ended,
  reference: Reference,
): Promise<string[]> {
  const { from, to } = action.scenario;
  const isNew = main.exit === 0;
  const isWhole = changes(isNew ? portable(reference) : before, isNew ? portable(after) : after).length === 0;
  const state = isNew ? to : from;
  if (isWhole && disorder(after, state).length === 0) return await wrongPods(api, namespace, state);
  // As if the 15 s had passed for which a dead holder keeps its lock.
  const lease = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/gke-rollout.${release}`;
  await api.mergeIfThere(lease, { spec: { leaseDurationSeconds: 1 } });
  const next = await runToEnd(action.next, namespace, testKubeconfig());
  const isRefusal = next.exit !== 0 && action.mayRefuse?.test(next.log) === true;
  if (next.exit !== 0 && !isRefusal) return [`the next run fails: ${next.log}`];
  const settled = await snapshot(api, namespace);
  // One that has nothing to do does not take the lock; that of the dead run has run out.
  const orderly = isRefusal || next.outputs['status'] === 'unchanged' ? { ...settled, holders: [] } : settled;
  return [
    ...changes(portable(reference), portable(settled)).map((line) => `after the next run ${line}`),
    ...disorder(orderly, to).map((line) => `after the next run ${line}`),
    ...(await wrongPods(api, namespace, to)),
  ];
}
