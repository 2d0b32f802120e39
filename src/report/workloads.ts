import { numberAt } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { imagesOf, isWorkload } from '../manifests/pod-template.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { JournalEntry } from '../release/journal-shape.ts';
import { addressesIn } from './addresses.ts';
import type { Report } from './report.ts';
import type { ObjectReport, WorkloadReport } from './run-report.ts';
import type { RolloutWatch } from './watch.ts';

/** A workload that was not touched. */
function stableReport({ manifest, live }: Prepared): WorkloadReport[] {
  if (live === undefined || !isWorkload(manifest.object)) return [];
  const replicas = numberAt(live, 'spec', 'replicas');
  return [
    {
      ref: refOf(live),
      containers: imagesOf(live).map(({ name, image = '' }) => ({ name, before: image, after: image })),
      ...(replicas === undefined ? {} : { replicas: { before: replicas, after: replicas } }),
      state: 'unchecked',
      message: 'serves as before',
    },
  ];
}

/** What has really been written so far. */
export function writtenOf(entries: readonly JournalEntry[]): ObjectReport[] {
  const changes = new Map<string, ObjectReport>();
  for (const { ref, before, done } of entries) {
    const key = keyOf(ref);
    if (done && !changes.has(key)) changes.set(key, { ref, change: before === null ? 'created' : 'configured' });
  }
  return [...changes.values()];
}

/**
 * How far a change has come that is not whole, because it waits or has failed: what it has really written, and beside that what
 * serves as before.
 */
export function reportAttempt(
  report: Report,
  prepared: readonly Prepared[],
  written: readonly ObjectReport[],
  watch: RolloutWatch,
): void {
  const changed = new Set(written.map(({ ref }) => keyOf(ref)));
  const planned = new Set(prepared.map(({ manifest }) => keyOf(refOf(manifest.object))));
  const unchanged = prepared.filter(({ change }) => change === 'unchanged');
  const isWritten = ({ manifest }: Prepared) => changed.has(keyOf(refOf(manifest.object)));
  const candidates = written
    .filter(({ ref }) => !planned.has(keyOf(ref)))
    .flatMap(({ ref }) => watch.latest(ref) ?? [])
    .filter(isWorkload);
  report.add({
    objects: [...written, ...unchanged.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change }))],
    workloads: [
      ...prepared
        .filter(({ manifest }) => isWorkload(manifest.object))
        .flatMap((entry) => (isWritten(entry) ? workloadReport(entry, watch) : stableReport(entry))),
      ...candidates.map((object) => reportOf(object, undefined, watch)),
    ],
    addresses: addressesIn(prepared, watch),
  });
}

/** What a change has written, and how the workloads and Services are that it has. */
export function reportObjects(report: Report, prepared: readonly Prepared[], watch: RolloutWatch): void {
  report.add({
    objects: prepared.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change })),
    workloads: prepared
      .filter(({ manifest }) => isWorkload(manifest.object))
      .map((entry) => workloadReport(entry, watch)),
    addresses: addressesIn(prepared, watch),
  });
}

function workloadReport({ manifest, live }: Prepared, watch: RolloutWatch): WorkloadReport {
  return reportOf(watch.latest(refOf(manifest.object)) ?? manifest.object, live, watch);
}

/** @param live the workload before the change */
function reportOf(object: KubernetesObject, live: KubernetesObject | undefined, watch: RolloutWatch): WorkloadReport {
  const ref = refOf(object);
  const before = new Map(live === undefined ? [] : imagesOf(live).map(({ name, image }) => [name, image]));
  const after = numberAt(object, 'spec', 'replicas');
  const replicasBefore = live === undefined ? undefined : numberAt(live, 'spec', 'replicas');
  const duration = watch.durationOf(ref);
  return {
    ref,
    containers: imagesOf(object).map(({ name, image }) => {
      const old = before.get(name);
      return { name, after: image ?? '', ...(old === undefined ? {} : { before: old }) };
    }),
    ...(after === undefined
      ? {}
      : { replicas: { after, ...(replicasBefore === undefined ? {} : { before: replicasBefore }) } }),
    ...(duration === undefined ? {} : { durationMs: duration }),
    ...watch.stateOf(ref),
  };
}
