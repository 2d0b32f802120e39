import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isBuiltIn, isWorkload, keepsItsPods } from '../manifests/kinds.ts';
import { conditionsOf, isTrue } from '../kubernetes/conditions.ts';
import { claimsOf } from './failures/claim.ts';
import { pathInWorkload } from './failures/container.ts';
import { controllerSigns } from './failures/controller.ts';
import { eventsOf, type ObjectEvent } from './failures/events.ts';
import { withHeldDevice } from './failures/held-device.ts';
import { isReadyPod, podSigns } from './failures/pod.ts';
import { isFinal, mayHeal, type Sign } from './failures/sign.ts';
import { withSurgeHint } from './failures/surge.ts';
import { unstable } from './instability.ts';
import { lostNodeSigns, withoutLostNodes } from './node-loss.ts';
import { familyOf, makersOf, podsOfAnyVersion, podsOfVersion } from './family.ts';
import { ownedBy, ownedByAny } from './ownership.ts';
import { withQueue } from './queue/sign.ts';
import { describeWorks, tellWorks, worksOf, type Work } from './progress.ts';
import { isPausedMeanwhile } from './readiness/deployment.ts';
import { judge } from './readiness/index.ts';
import type { Facts } from './readiness/rule.ts';
import { remadeSigns } from './remade.ts';
import { unsettled } from './settling.ts';
import { topicOf, type Cause, type Verdict } from './verdict.ts';
import type { Graces } from './failures/graces.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * When each sign was seen first, milliseconds since the epoch by the server's clock, by the text of its cause without the numbers; and since
 * when each custom resource has been judged as it is.
 */
export type FirstSeen = Map<string, number>;

export interface Decision {
  verdict: Verdict;
  /** The most telling sign there is, for a wait that runs out of time. */
  suspicion?: Cause;
  /** What its pods are busy with: it changes too often for a line of its own each time. */
  work?: string;
  /** Nothing that it shows speaks against it, so that it may need nothing but time. */
  patience?: Patience;
}

/** Since when it takes time, milliseconds since the epoch by the server's clock; undefined where that does not show. */
export interface Patience {
  since?: number;
}

/**
 * The verdict over one object: its own rule first, and while that says "progressing", what the pods of the new version and
 * their controller show.
 */
export function decide(
  object: KubernetesObject,
  facts: Facts,
  snapshot: Snapshot,
  firstSeen: FirstSeen,
  graces: Graces,
): Decision {
  // Nobody waits for it, so that nothing beside it has to be seen.
  if (facts.userRule?.isNever === true) return { verdict: judge(object, facts) };
  const family = familyOf(object, snapshot);
  if (family === 'unknown') return { verdict: { state: 'progressing', message: 'looking at what it owns' } };
  const known = family === undefined || family.isBlind ? facts : { ...facts, descendants: family.members };
  const pods = podsOfVersion(object, family, facts, snapshot);
  const shown = settled(judge(object, known), facts, pods);
  const crash = crashingStill(object, shown, facts, pods);
  if (crash !== undefined) return { verdict: { state: 'failed', cause: ofWorkload(object, crash) } };
  const sameMs = sameFor(object, shown, facts, firstSeen);
  const judged = withoutOldTroubles(object, lasting(shown, facts, sameMs), known);
  if (judged.state !== 'progressing' || judged.trouble === undefined) forgetTroubles(object, firstSeen);
  if (judged.state !== 'progressing' && judged.state !== 'failed') return { verdict: named(object, judged) };
  const verdict = withoutLostNodes(object, judged, facts, pods, snapshot);
  if (verdict.state === 'unchecked') return { verdict };
  // Whatever its pods show, what is to be done is to resume it; and whoever has paused it wants to see them as they are.
  if (verdict.state === 'progressing' && isPausedMeanwhile(object, facts)) return { verdict };
  const all = podsOfAnyVersion(object, family, snapshot);
  const makers = makersOf(object, family, snapshot);
  const signs = [
    ...signsOf(object, { pods, all, makers }, snapshot, facts, graces, firstSeen),
    ...(family === undefined ? [] : remadeSigns(pods, firstSeen, facts.now)),
    ...(verdict.state === 'progressing' && verdict.trouble !== undefined
      ? [mayHeal(verdict.trouble.graceMs, verdict.trouble.cause)]
      : []),
  ];
  const sides = { pods, old: oldPods(object, pods, snapshot) };
  const causes = signs.map((sign) => ({ sign, cause: ofWorkload(object, withSurgeHint(object, sign.cause, sides)) }));
  const works = worksOf(pods, snapshot.events, facts.now, snapshot.logs);
  const told = tellWorks(works, all, snapshot.events);
  const [work] = told;
  if (verdict.state === 'failed') return { verdict: named(object, verdict, signs[0]?.cause ?? work) };
  for (const { sign, cause } of causes) {
    const key = `${keyOf(cause.object)} ${topicOf(cause)}`;
    const seen = firstSeen.get(key) ?? facts.now;
    firstSeen.set(key, seen);
    if (isFinal(sign, seen, facts.now, graces.leastMs))
      return { verdict: { state: 'failed', cause: { ...cause, since: Math.min(cause.since ?? seen, seen) } } };
  }
  const heard = causes.filter(({ sign, cause }) => !isOfStart(sign, cause, works));
  const telling = heard.find(({ sign }) => sign.state !== 'diagnostic') ?? heard[0];
  if (telling === undefined) {
    if (work === undefined) return { verdict, patience: {} };
    return {
      verdict,
      work: describeWorks(told),
      suspicion: ofWorkload(object, work),
      patience: patienceFor(works, facts.now),
    };
  }
  const detail = telling.cause.message.replace(`${describeRef(refOf(object))}: `, '');
  const message = detail === verdict.message ? detail : `${verdict.message}; ${detail}`;
  const decision: Decision = { verdict: { state: 'progressing', message }, suspicion: telling.cause };
  const start = telling.sign.state === 'diagnostic' ? telling.sign.start : undefined;
  if (start === undefined) return decision;
  return { ...decision, patience: start.since === undefined ? {} : { since: start.since } };
}

/** What a startup probe still allows takes no longer than it may. */
function patienceFor(works: readonly Work[], now: number): Patience {
  const since = works.map((work) => (work.stage.container?.allowedMs === undefined ? work.since : now));
  const known = since.filter((time) => time !== undefined);
  return known.length < since.length ? {} : { since: Math.min(...known) };
}

/** A trouble that a custom resource shows no more begins anew when it comes back. Signs of workloads and pods are kept. */
function forgetTroubles(object: KubernetesObject, firstSeen: FirstSeen): void {
  if (isWorkload(object)) return;
  const own = `${keyOf(refOf(object))} `;
  for (const key of firstSeen.keys()) if (key.startsWith(own)) firstSeen.delete(key);
}

/** A server that says in its log how far it is does not answer its probes yet. */
function isOfStart(sign: Sign, { reason, object, container }: Cause, works: readonly Work[]): boolean {
  return (
    sign.state === 'diagnostic' &&
    reason === 'Unhealthy' &&
    works.some(
      (work) => work.stage.progress !== undefined && work.object.name === object.name && work.container === container,
    )
  );
}

function signsOf(
  object: KubernetesObject,
  { pods, all, makers }: Record<'pods' | 'all' | 'makers', readonly KubernetesObject[]>,
  snapshot: Snapshot,
  { now, changed, writtenAt }: Facts,
  graces: Graces,
  firstSeen: FirstSeen,
): Sign[] {
  const healthy = pods.filter(isReadyPod).length;
  const current = new Set(pods);
  const old = all.filter((pod) => pod.metadata.deletionTimestamp !== undefined && !current.has(pod));
  // A DaemonSet's old pod on a node that is down stands in the way of the new one.
  const held = object.kind === 'DaemonSet' ? ownedBy(object, snapshot.pods) : pods;
  return [
    ...lostNodeSigns(held, snapshot.nodes ?? []),
    ...makers.flatMap((maker) => controllerSigns(maker, eventsOf(maker, snapshot.events), changed ? writtenAt : 0)),
    ...pods.flatMap((pod) => {
      const events = [...eventsOf(pod, snapshot.events), ...claimEvents(pod, snapshot.events)];
      const signs = podSigns(pod, events, healthy > (isReadyPod(pod) ? 1 : 0), now, graces);
      const { queued: workloads = [] } = snapshot;
      const told = withQueue(pod, signs, { workloads, now, graceMs: graces.unschedulableMs, barredSince: firstSeen });
      return withHeldDevice(pod, told, { old, now, lastHeld: firstSeen });
    }),
  ];
}

/** The pods of a Deployment that are there still and of a version before. */
function oldPods(
  object: KubernetesObject,
  updated: readonly KubernetesObject[],
  { pods, replicaSets }: Snapshot,
): KubernetesObject[] {
  const current = new Set(updated);
  return ownedByAny(ownedBy(object, replicaSets), pods).filter((pod) => !current.has(pod));
}

/** Of the claims that a pod waits for: they say why they are not bound. */
function claimEvents(pod: KubernetesObject, events: readonly ObjectEvent[]): ObjectEvent[] {
  if (isTrue(pod, 'PodScheduled')) return [];
  const claims = claimsOf(pod).map(({ name }) => name);
  if (claims.length === 0) return [];
  return events.filter(({ kind, name }) => kind === 'PersistentVolumeClaim' && claims.includes(name));
}

/** A workload is not ready while a container of it runs only since a moment ago. */
function settled(verdict: Verdict, { changed, now }: Facts, pods: readonly KubernetesObject[]): Verdict {
  if (verdict.state !== 'ready' || !changed) return verdict;
  const message = unsettled(pods, now);
  return message === undefined ? verdict : { state: 'progressing', message };
}

/**
 * Nobody waits for pods to settle where nothing was written: those of a custom resource that is ready may crash again and again all the
 * same. A command lists those of Kubernetes' own workloads itself.
 */
function crashingStill(
  object: KubernetesObject,
  verdict: Verdict,
  { changed, now }: Facts,
  pods: readonly KubernetesObject[],
): Cause | undefined {
  if (changed || verdict.state !== 'ready' || verdict.held !== undefined || isWorkload(object)) return undefined;
  return keepsItsPods(object) ? unstable(pods, now) : undefined;
}

/**
 * A custom resource that this run has not touched and that was broken before is named and not waited for: an undo would not mend it.
 * What it shows now has to be what it would have been judged by before.
 */
function withoutOldTroubles(object: KubernetesObject, verdict: Verdict, facts: Facts): Verdict {
  const cause = causeOf(verdict);
  if (cause === undefined || facts.isUntouched !== true || isBuiltIn(object)) return verdict;
  const before = causeOf(judge(facts.asWritten, { ...facts, changed: false }));
  if (before?.reason !== cause.reason) return verdict;
  return { state: 'unchecked', message: `already failing before this run: ${cause.message}` };
}

function causeOf(verdict: Verdict): Cause | undefined {
  if (verdict.state === 'failed') return verdict.cause;
  return verdict.state === 'progressing' ? verdict.trouble?.cause : undefined;
}

/**
 * For how long nothing of an object has changed, or it has been judged as it is now, ms: its status may be written anew at every poll of
 * its controller without any news in it.
 */
function sameFor(object: KubernetesObject, verdict: Verdict, { now, quietMs }: Facts, firstSeen: FirstSeen): number {
  if (isBuiltIn(object)) return quietMs;
  const own = `judged ${keyOf(refOf(object))} `;
  const needed = 'quietMs' in verdict ? (verdict.quietMs ?? 0) : 0;
  const text = verdict.state === 'failed' ? verdict.cause.message : verdict.message;
  const key = `${own}${verdict.state} ${needed} ${text}`;
  const known = [...firstSeen.keys()].filter((one) => one.startsWith(own));
  for (const one of known) if (one !== key) firstSeen.delete(one);
  const since = firstSeen.get(key) ?? (known.length === 0 ? now - quietMs : now);
  firstSeen.set(key, since);
  return Math.max(quietMs, now - since);
}

/** Some statuses count only once they have said the same for a while. */
function lasting(verdict: Verdict, { changed, now, writtenAt }: Facts, sameMs: number): Verdict {
  if (verdict.state !== 'ready' && verdict.state !== 'unchecked') return verdict;
  const isOldEnough = sameMs >= (verdict.quietMs ?? 0) && now - writtenAt >= (verdict.sinceWriteMs ?? 0);
  if (!changed || isOldEnough) return verdict;
  return { state: 'progressing', message: `${verdict.message}; checking that it stays so` };
}

/** When a condition of it has changed last, milliseconds since the epoch. */
function lastChange(object: KubernetesObject): number | undefined {
  const times = conditionsOf(object).flatMap(({ updatedAt }) => updatedAt ?? []);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** A failure that the object itself tells, with its name, and with what its pods tell beside it. */
function named(object: KubernetesObject, verdict: Verdict, sign?: Cause): Verdict {
  if (verdict.state !== 'failed') return verdict;
  const { message, since = sign?.since ?? lastChange(object), container = sign?.container, ...cause } = verdict.cause;
  const told = `${describeRef(refOf(object))}: ${message}${sign === undefined ? '' : `; ${sign.message}`}`;
  const known = { ...(container === undefined ? {} : { container }), ...(since === undefined ? {} : { since }) };
  return { state: 'failed', cause: { ...cause, message: told, ...known } };
}

/** Names the workload, and says where in its manifest the field stands. */
function ofWorkload(workload: KubernetesObject, cause: Cause): Cause {
  const named = { ...cause, message: `${describeRef(refOf(workload))}: ${cause.message}` };
  if (cause.path === undefined || !isWorkload(workload)) return named;
  return { ...named, path: pathInWorkload(workload, cause.path) };
}
