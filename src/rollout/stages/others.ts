import { formatDuration } from '../../base/clock.ts';
import { condition, timeOf } from '../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { ObjectEvent } from '../failures/events.ts';
import { isReadyPod } from '../failures/pod.ts';
import { imageIn, type Stage } from './stage.ts';

/** Stages that begin with the start of a container, or follow it. */
const afterStart: readonly Stage['name'][] = ['init', 'weights', 'compile', 'serving', 'answering'];

/**
 * What a stage took with other pods of the workload, of the new version or an old one, in brackets or behind a semicolon; empty
 * where none of them tells.
 * @param others pods of the same workload
 * @param events those of all pods
 */
export function othersTook(stage: Stage, others: readonly KubernetesObject[], events: readonly ObjectEvent[]): string {
  if (stage.name === 'image') return describePulls(stage.image ?? '', others, events);
  if (!afterStart.includes(stage.name)) return '';
  const times = others.flatMap((pod) => readyAfterMs(pod) ?? []);
  const typical = middleOf(times);
  if (typical === undefined) return '';
  return `; ${times.length === 1 ? 'another pod was' : 'other pods were'} ready ${formatDuration(typical)} after creation`;
}

function describePulls(image: string, others: readonly KubernetesObject[], events: readonly ObjectEvent[]): string {
  const uids = new Set(others.map(({ metadata }) => metadata.uid));
  const pulls = events.filter(
    ({ reason, uid, message }) =>
      reason === 'Pulled' && uids.has(uid) && repositoryOf(imageIn(message)) === repositoryOf(image),
  );
  const own = pulls.filter(({ message }) => imageIn(message) === image);
  const size = (own.length > 0 ? own : pulls).flatMap(({ message }) => sizeIn(message) ?? []).at(-1);
  const times = pulls.flatMap(({ message }) => durationIn(message) ?? []);
  const typical = middleOf(times);
  const told = [
    ...(size === undefined ? [] : [`${own.length > 0 ? '' : 'about '}${size}`]),
    ...(typical === undefined
      ? []
      : [`${times.length === 1 ? 'another pod' : 'other pods'} took ${formatDuration(typical)}`]),
  ];
  return told.length === 0 ? '' : ` (${told.join('; ')})`;
}

/** A pod that was unready later makes it longer than its start was: the middle of several is nearest to it. */
function readyAfterMs(pod: KubernetesObject): number | undefined {
  if (!isReadyPod(pod)) return undefined;
  const [from, to] = [timeOf(pod.metadata.creationTimestamp), condition(pod, 'Ready')?.updatedAt];
  return from === undefined || to === undefined || to <= from ? undefined : to - from;
}

function middleOf(values: readonly number[]): number | undefined {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)];
}

/** `registry.test/web:2` → `registry.test/web` */
function repositoryOf(image: string): string {
  const [name = ''] = image.split('@', 1);
  const tag = name.indexOf(':', name.lastIndexOf('/') + 1);
  return tag === -1 ? name : name.slice(0, tag);
}

/** `Successfully pulled image "…" in 1m2.5s (1m2.5s including waiting). Image size: 123 bytes.` (kubernetes pkg/kubelet/images) */
function durationIn(message: string): number | undefined {
  const parts = / in (?:(?<h>\d+)h)?(?:(?<m>\d+)m)?(?:(?<rest>\d+(?:\.\d+)?)(?<unit>ms|s))?(?: |$)/.exec(
    message,
  )?.groups;
  if (parts === undefined) return undefined;
  const { h = '0', m = '0', rest = '0', unit = 's' } = parts;
  const ms = Number(h) * 3_600_000 + Number(m) * 60_000 + Number(rest) * (unit === 'ms' ? 1 : 1000);
  return ms > 0 ? ms : undefined;
}

/** `14.2 GB`, as registries count */
function sizeIn(message: string): string | undefined {
  const bytes = Number(/Image size: (?<bytes>\d+) bytes/.exec(message)?.groups?.['bytes']);
  if (!(bytes > 0)) return undefined;
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${Math.max(1, Math.round(bytes / 1e6))} MB`;
}
