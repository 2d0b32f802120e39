import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isScaledToZero } from '../manifests/pod-template.ts';
import { pausedBy } from '../rollout/pause.ts';
import { describeWithoutNode } from '../rollout/readiness/daemon-set.ts';
import type { Report } from '../report/report.ts';
import type { RunReport, Status } from '../report/run-report.ts';
import type { RolloutWatch } from '../report/watch.ts';

/**
 * The end of a change that went as it was meant to. Where a workload keeps its pods from it, because it is paused or by its
 * update strategy, the status is `paused`, and the headline says how far the pods are (kubernetes/website#28884). What is scaled to
 * 0, and a DaemonSet that no node wants, is ready by any rule, and serves nobody: the headline says so.
 * @param headline for a change that all pods have: `shop: web 1.0.0 → 2.0.0, live in 42s (revision 7)`
 * @param applied for one that some have not: `shop: web 1.0.0 → 2.0.0 applied as revision 7`
 * @param faults why it is no success although all is in, one sentence each
 * @param remarks what keeps it from being well altogether, one sentence each
 */
export function finishApplied(
  report: Report,
  watch: RolloutWatch,
  status: Status,
  {
    headline,
    applied,
    faults = [],
    remarks = [],
  }: { headline: string; applied: string; faults?: readonly string[]; remarks?: readonly string[] },
): RunReport {
  if (faults.length > 0) return report.finish('failed', `${applied}, but ${faults.join('; ')}`);
  const { held } = watch;
  if (held.length > 0) {
    return report.finish('paused', `${applied}, but not all pods run it: ${held.join('; ')}`);
  }
  for (const object of watch.paused) {
    report.warn(
      `${describeRef(refOf(object), true)} is paused ${pausedBy(object)}: its pods stay as they are until it is resumed`,
    );
  }
  // A candidate that has given its place back is awaited at 0 as well: it is none of those that are told of.
  const told = new Set(report.workloads.map(({ ref }) => keyOf(ref)));
  const awaited = watch.awaited.map(({ object }) => object).filter((object) => told.has(keyOf(refOf(object))));
  const scaled = awaited.filter(isScaledToZero);
  const emptied = scaled.length === 0 ? [] : [describeEmpty(scaled)];
  const empty = [...emptied, ...describeWithoutNode(awaited), ...remarks];
  return report.finish(status, empty.length === 0 ? headline : `${applied}; ${empty.join('; ')}`);
}

/** `Deployment "web" is scaled to 0 and has no pods` */
export function describeEmpty(objects: readonly KubernetesObject[]): string {
  const names = objects.map((object) => describeRef(refOf(object))).join(', ');
  return objects.length === 1 ? `${names} is scaled to 0 and has no pods` : `${names} are scaled to 0 and have no pods`;
}
