import { numberAt } from '../base/json.ts';
import { isGoing } from '../kubernetes/going.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { isScaledToZero } from '../manifests/pod-template.ts';
import { collectEvidence } from '../rollout/diagnosis.ts';
import type { Evidence } from '../rollout/evidence.ts';
import { excerptFor } from '../rollout/log-excerpt.ts';
import { lookAt, type Look, type Seen } from '../rollout/look.ts';
import { isPaused, pausedBy } from '../rollout/pause.ts';
import { followedBy } from '../rollout/readiness/index.ts';
import type { UserRule } from '../rollout/readiness/user/user-rule.ts';
import { familyOf } from '../rollout/family.ts';
import { versionsAmong, versionsOf } from '../rollout/versions.ts';
import type { Context } from '../release/context.ts';
import type { HealthProblem, HealthReport, StartReport } from '../report/run-report.ts';

/** One object with what it is meant to be. */
export interface Examined {
  object: KubernetesObject;
  /** As it was recorded; absent of what this action has not deployed. */
  recorded?: KubernetesObject;
  /** An autoscaler may take its last pod away, too. */
  mayBeEmpty?: boolean;
}

export interface Examination {
  seen: Seen[];
  /** What has failed, cannot heal, or has been missing for too long. */
  problems: HealthProblem[];
  /** What is not ready, and may need nothing but time. */
  starting: StartReport[];
  versions: HealthReport['versions'];
  evidence: Evidence[];
  /** Kinds that may not be listed, so that causes may stay unknown. */
  blind: string[];
}

interface ExamineOptions {
  /** Of the input `await`, as the release was brought in by them. */
  userRules?: readonly UserRule[];
  /** Whether a run waits for it, and ends by itself what takes too long. */
  isWatched?: (ref: ObjectRef) => boolean;
}

/** Without a run that waits for it, a start of more than this is taken for stuck, ms; as Kubernetes' progressDeadlineSeconds. */
const patienceMs = 600_000;

/** Looks at objects once, with the rules and the diagnosis of a deploy, and at the logs of what is not well. */
export async function examine(
  context: Context,
  examined: readonly Examined[],
  { userRules = [], isWatched = () => false }: ExamineOptions = {},
): Promise<Examination> {
  const { client, clock } = context;
  const look = await lookAt(
    client,
    examined.map(({ object }) => object),
    clock,
    userRules,
  );
  const now = serverNow(client, clock);
  const isCalm = (one: Seen) => isStarting(one, { now, isWatched: isWatched(refOf(one.object)) });
  const sick = look.seen.flatMap((one, index) => {
    const problem = isCalm(one) ? undefined : problemOf(one, examined[index]);
    return problem === undefined ? [] : [{ one, problem }];
  });
  const evidence = await evidenceOf(
    context,
    look,
    sick.map(({ one }) => one),
  );
  return {
    seen: look.seen,
    problems: sick.map(({ one: { cause }, problem }) => {
      const log = cause === undefined ? undefined : excerptFor(cause, evidence);
      return log === undefined ? problem : { ...problem, log };
    }),
    starting: look.seen.filter(isCalm).map(startOf),
    versions: versionsIn(look),
    evidence,
    blind: look.blind,
  };
}

/** Whether an object is on its way, so that whoever looks has nothing to do but to wait. */
function isStarting({ verdict, patience }: Seen, { now, isWatched }: { now: number; isWatched: boolean }): boolean {
  if (verdict.state !== 'progressing' || patience === undefined) return false;
  return isWatched || (patience.since !== undefined && now - patience.since < patienceMs);
}

function startOf({ object, verdict }: Seen): StartReport {
  return { ref: refOf(object), message: withName(object, verdict.state === 'failed' ? '' : verdict.message) };
}

/** A pod's cause names its workload already. */
function withName(object: KubernetesObject, text: string): string {
  const name = describeRef(refOf(object));
  return text.startsWith(name) ? text : `${name}: ${text}`;
}

/** What is wrong with an object; undefined when nothing is. */
export function problemOf(
  { object, verdict, cause }: Seen,
  examined: Examined = { object },
): HealthProblem | undefined {
  const hinted = (message: string, hint: string | undefined): HealthProblem => ({
    ref: refOf(object),
    message: withName(object, message),
    ...(hint === undefined ? {} : { hint }),
  });
  if (verdict.state === 'failed') return hinted(verdict.cause.message, verdict.cause.hint);
  if (verdict.state === 'progressing') return hinted(verdict.message, cause?.hint);
  const empty = emptyProblem(object, examined);
  if (empty !== undefined) return hinted(empty, 'Scale it up with the command "scale", or deploy again.');
  if (verdict.state === 'ready' || !isWorkload(object)) return undefined;
  return unawaitedProblem(object, verdict.message, cause?.message, hinted);
}

/** Of a workload that is not awaited (paused, OnDelete): it is well when all its pods are ready and nothing hangs. */
function unawaitedProblem(
  object: KubernetesObject,
  message: string,
  cause: string | undefined,
  hinted: (message: string, hint: string | undefined) => HealthProblem,
): HealthProblem | undefined {
  if (object.kind === 'Deployment') {
    const text = cause === undefined ? message : `${message}; ${cause}`;
    return hinted(text, 'Run the command "resume" to continue, or "rollback" to go back.');
  }
  if (cause !== undefined) return hinted(`${message}; ${cause}`, undefined);
  const wanted = numberAt(object, 'spec', 'replicas');
  const ready = numberAt(object, 'status', 'readyReplicas') ?? 0;
  return wanted !== undefined && ready < wanted
    ? hinted(`${ready} of ${wanted} pods ready; ${message}`, undefined)
    : undefined;
}

/** With no pods wanted, all of them are ready. */
function emptyProblem(object: KubernetesObject, { recorded, mayBeEmpty = false }: Examined): string | undefined {
  if (!isScaledToZero(object) || mayBeEmpty) return undefined;
  const wanted = recorded === undefined ? undefined : (numberAt(recorded, 'spec', 'replicas') ?? 1);
  if (wanted === 0) return undefined;
  const was = wanted === undefined ? '' : ` (${wanted} in the record)`;
  return `scaled to 0, so no pods run${was}`;
}

/** What keeps pods from having what was applied, a pause or an update strategy, one sentence for each workload. */
export function heldAmong(seen: readonly Pick<Seen, 'object' | 'verdict'>[]): string[] {
  return seen.flatMap(({ object, verdict }) => {
    const name = describeRef(refOf(object));
    if (isPaused(object)) return `${name} is paused ${pausedBy(object)}: run "resume" to continue`;
    const held = verdict.state === 'ready' || verdict.state === 'unchecked' ? verdict.held : undefined;
    return held === undefined ? [] : `${name}: ${held}`;
  });
}

/** What the pods of workloads really run; nothing of those whose pods may not be seen. */
export function versionsIn({ seen, snapshot, blind }: Look): HealthReport['versions'] {
  const { pods, replicaSets } = snapshot;
  if (blind.includes('pods')) return [];
  return seen
    .map(({ object }) => object)
    .filter((object) => keepsItsPods(object) && !isGoing(object))
    .filter(({ kind }) => kind !== 'Deployment' || !blind.includes('replicasets'))
    .flatMap((object) => {
      if (isWorkload(object)) return [{ ref: refOf(object), versions: versionsOf(object, pods, replicaSets) }];
      const family = followedBy(object)?.runsPods === true ? familyOf(object, snapshot) : undefined;
      if (family === undefined || family === 'unknown' || family.isBlind) return [];
      return [{ ref: refOf(object), versions: versionsAmong(family.members.filter(({ kind }) => kind === 'Pod')) }];
    });
}

async function evidenceOf({ client, clock }: Context, { snapshot }: Look, sick: readonly Seen[]): Promise<Evidence[]> {
  const targets = sick.filter(({ object }) => isWorkload(object));
  if (targets.length === 0) return [];
  const causes = targets.flatMap(({ cause }) => cause ?? []);
  return await collectEvidence(client, { outcome: 'failed', causes, targets, snapshot }, clock);
}
