import { numberAt } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { hasPods, imagesOf } from '../manifests/pod-template.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { JournalEntry } from '../release/journal-shape.ts';
import { addressesIn } from './addresses.ts';
import type { Report } from './report.ts';
import type { ObjectReport, WorkloadReport } from './run-report.ts';
import type { RolloutWatch } from './watch.ts';

/** What was waited for, as it was seen last. */
type Watched = Pick<RolloutWatch, 'latest' | 'stateOf' | 'durationOf'>;

/** How a workload is, beside what stands in it. */
type WorkloadState = Pick<WorkloadReport, 'state' | 'message' | 'durationMs'>;

/**
 * The row of a workload, as all commands tell of it. What is not counted in pods wanted, such as a DaemonSet, has no replicas.
 * @param object as the command has left it
 * @param before as it was; absent where it is new, or where nothing was to be changed
 */
export function workloadRow(
  object: KubernetesObject,
  { state, message, durationMs }: WorkloadState,
  before?: KubernetesObject,
): WorkloadReport {
  const [from, to] = [before, object].map((one) => numberAt(one, 'spec', 'replicas'));
  return {
    ref: refOf(object),
    containers: containerRows(object, before),
    ...(to === undefined ? {} : { replicas: { after: to, ...(from === undefined ? {} : { before: from }) } }),
    ...(durationMs === undefined ? {} : { durationMs }),
    state,
    message,
  };
}

/** The row of a workload that was taken away: it wants no pods any more. */
export function goneRow(object: KubernetesObject, message: string): WorkloadReport {
  return { ref: refOf(object), containers: containerRows(object), state: 'unchecked', message };
}

function containerRows(object: KubernetesObject, before?: KubernetesObject): WorkloadReport['containers'] {
  const images = new Map(before === undefined ? [] : imagesOf(before).map(({ name, image }) => [name, image]));
  return imagesOf(object).map(({ name, image = '' }) => {
    const old = images.get(name);
    return { name, after: image, ...(old === undefined ? {} : { before: old }) };
  });
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
  report: Pick<Report, 'tellWritten'>,
  prepared: readonly Prepared[],
  written: readonly ObjectReport[],
  watch: Watched,
): void {
  const changed = new Set(written.map(({ ref }) => keyOf(ref)));
  const planned = new Set(prepared.map(({ manifest }) => keyOf(refOf(manifest.object))));
  const unchanged = prepared.filter(({ change }) => change === 'unchanged');
  const isWritten = ({ manifest }: Prepared) => changed.has(keyOf(refOf(manifest.object)));
  const candidates = written
    .filter(({ ref }) => !planned.has(keyOf(ref)))
    .flatMap(({ ref }) => watch.latest(ref) ?? [])
    .filter(hasPods);
  report.tellWritten({
    objects: [...written, ...unchanged.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change }))],
    workloads: [
      ...prepared
        .filter(({ manifest }) => hasPods(manifest.object))
        .flatMap((entry) => (isWritten(entry) ? [writtenRow(entry, watch)] : stableRows(entry))),
      ...candidates.map((object) => awaitedRow(object, watch)),
    ],
    addresses: addressesIn(prepared, watch),
  });
}

/** What a change has written, and how the workloads and Services are that it has. */
export function reportObjects(
  report: Pick<Report, 'tellWritten'>,
  prepared: readonly Prepared[],
  watch: Watched,
): void {
  report.tellWritten({
    objects: prepared.map(({ manifest, change }) => ({ ref: refOf(manifest.object), change })),
    workloads: prepared.filter(({ manifest }) => hasPods(manifest.object)).map((entry) => writtenRow(entry, watch)),
    addresses: addressesIn(prepared, watch),
  });
}

/** The row of a workload that was written. */
function writtenRow({ manifest, live }: Prepared, watch: Watched): WorkloadReport {
  return awaitedRow(watch.latest(refOf(manifest.object)) ?? manifest.object, watch, live);
}

/** The row of a workload that was not touched; none of one that is not there. */
function stableRows({ live }: Prepared): WorkloadReport[] {
  return live === undefined ? [] : [workloadRow(live, { state: 'unchecked', message: 'serves as before' })];
}

function awaitedRow(object: KubernetesObject, watch: Watched, before?: KubernetesObject): WorkloadReport {
  const ref = refOf(object);
  const durationMs = watch.durationOf(ref);
  return workloadRow(object, { ...watch.stateOf(ref), ...(durationMs === undefined ? {} : { durationMs }) }, before);
}
