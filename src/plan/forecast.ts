import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { podsOf } from '../manifests/pod-template.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { PlannedPods, PlannedStep, PlannedWrite } from '../report/plan-report.ts';
import { Imagined } from './imagined.ts';
import type { End, Plan, PlanContext } from './plan.ts';
import type { Step } from './step.ts';

interface Forecast {
  steps: PlannedStep[];
  end: End;
  pods: PlannedPods[];
  extraPods: number;
}

interface ForecastOptions {
  /** The objects of the release, compared with the cluster. */
  compared: readonly Prepared[];
  /** There is something to verify by. */
  hasChecks: boolean;
  /** How long the side that served before stays after a switch. */
  keepOldForMs: number;
  /** A dead run has left something half done, which is undone first. */
  isHalfDone: boolean;
}

/**
 * What carrying a plan out will do, step by step, when nobody else is at work: each stage is decided by the cluster as the
 * stages before it will leave it.
 */
export async function forecast(
  plan: Plan,
  context: PlanContext,
  { compared, hasChecks, keepOldForMs, isHalfDone }: ForecastOptions,
): Promise<Forecast> {
  const imagined = new Imagined(context.client, compared);
  const counter = new PodCounter(compared);
  const steps: PlannedStep[] = [];
  let end: End = { state: 'live' };
  for (const stage of plan.stages.filter(({ guard }) => guard === undefined || !isHalfDone)) {
    const decision = await stage.decide({ ...context, client: imagined.client });
    for (const step of decision.steps) {
      const writes = await writesOf(step, imagined);
      for (const { ref } of writes) counter.take(ref, await imagined.read(ref));
      if (isTold(step, hasChecks)) steps.push(describeStep(step, writes));
    }
    end = decision.end ?? end;
    if (end.state === 'waiting') break;
  }
  const last = afterwards(plan, end, keepOldForMs);
  for (const { ref } of last.flatMap(({ writes }) => writes)) counter.drop(ref);
  return { steps: [...steps, ...last], end, pods: counter.pods, extraPods: counter.extra };
}

/** What comes once the new revision is live. */
function afterwards({ temporary = [] }: Plan, end: End, keepOldForMs: number): PlannedStep[] {
  if (end.state === 'waiting') return [];
  const removed = temporary.map((ref): PlannedWrite => ({ ref, change: 'remove' }));
  const retired = (end.retired ?? []).map((of): PlannedWrite => ({
    ref: of,
    change: 'change',
    field: 'spec.replicas',
    to: 0,
  }));
  const hold = keepOldForMs > 0 ? { holdsMs: keepOldForMs } : {};
  return [
    ...(removed.length === 0 ? [] : [{ title: 'Remove what only the candidate needed', writes: removed }]),
    ...(retired.length === 0 ? [] : [{ title: 'Remove the old side', writes: retired, ...hold }]),
  ];
}

function isTold(step: Step, hasChecks: boolean): boolean {
  if (step.do === 'route') return step.services.length > 0;
  return step.do !== 'note' && (step.do !== 'verify' || hasChecks);
}

async function writesOf(step: Step, imagined: Imagined): Promise<PlannedWrite[]> {
  if (step.do === 'apply') return await imagined.apply(step);
  if (step.do === 'set') return await imagined.set(step);
  return step.do === 'remove' ? step.objects.map((object) => ({ ref: refOf(object), change: 'remove' })) : [];
}

function describeStep(step: Step, writes: PlannedWrite[]): PlannedStep {
  const waitsUntil = waitsOf(step);
  return {
    title: step.title,
    writes,
    ...(waitsUntil === undefined ? {} : { waitsUntil }),
    ...(step.do === 'hold' && step.forMs > 0 ? { holdsMs: step.forMs } : {}),
  };
}

function waitsOf(step: Step): string | undefined {
  switch (step.do) {
    case 'apply':
      return 'everything is ready';
    case 'set':
      return step.until === 'ready' ? 'everything is ready' : undefined;
    case 'remove':
      return 'it is gone';
    case 'verify':
      return 'the checks of "verify" have passed';
    // Its title says what it waits for.
    case 'route':
    case 'hold':
    case 'check':
    case 'note':
      return undefined;
  }
}

/** How many pods Deployments are to have after each step. */
class PodCounter {
  readonly #numbers = new Map<string, { ref: ObjectRef; numbers: number[] }>();
  #now = 0;
  #most = 0;

  constructor(compared: readonly Prepared[]) {
    for (const { live } of compared)
      if (live !== undefined && isDeployment(live)) this.#begin(refOf(live), podsOf(live));
  }

  #begin(ref: ObjectRef, pods: number): void {
    this.#numbers.set(keyOf(ref), { ref, numbers: [pods] });
    this.#now += pods;
    this.#most = Math.max(this.#most, this.#now);
  }

  take(ref: ObjectRef, object: KubernetesObject | undefined): void {
    if (object === undefined || !isDeployment(object)) return;
    const pods = podsOf(object);
    const known = this.#numbers.get(keyOf(ref)) ?? { ref, numbers: [0] };
    this.#numbers.set(keyOf(ref), known);
    const before = known.numbers.at(-1) ?? 0;
    if (pods === before) return;
    known.numbers.push(pods);
    this.#now += pods - before;
    this.#most = Math.max(this.#most, this.#now);
  }

  /** A workload that ends without pods. */
  drop(ref: ObjectRef): void {
    const known = this.#numbers.get(keyOf(ref));
    if (known !== undefined && known.numbers.at(-1) !== 0) known.numbers.push(0);
  }

  get pods(): PlannedPods[] {
    return [...this.#numbers.values()].filter(({ numbers }) => numbers.length > 1);
  }

  get extra(): number {
    const first = [...this.#numbers.values()].reduce((sum, { numbers }) => sum + (numbers[0] ?? 0), 0);
    return Math.max(0, this.#most - first);
  }
}
