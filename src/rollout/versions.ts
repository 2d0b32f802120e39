import { stringAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { containersOf } from '../manifests/pod-template.ts';
import { isReadyPod } from './failures/pod.ts';
import { isSidecar } from './lasting-statuses.ts';
import { podsOf } from './ownership.ts';

/** How many pods of a workload run the same images. */
export interface RunningVersion {
  images: string[];
  pods: number;
  /** How many of them are ready. */
  ready: number;
}

/**
 * What the pods of a workload really run, those of older versions included, the most frequent first. Pods that are about to
 * end, and those that have ended, run nothing any more.
 */
export function versionsOf(
  workload: KubernetesObject,
  pods: readonly KubernetesObject[],
  replicaSets: readonly KubernetesObject[],
): RunningVersion[] {
  return versionsAmong(podsOf(workload, pods, replicaSets));
}

/** The same of pods that are known to belong together. */
export function versionsAmong(pods: readonly KubernetesObject[]): RunningVersion[] {
  const own = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !['Succeeded', 'Failed'].includes(stringAt(pod, 'status', 'phase') ?? ''),
  );
  const groups = Map.groupBy(own, (pod) => JSON.stringify(imagesOf(pod)));
  return [...groups.values()]
    .map((group) => ({
      images: group[0] === undefined ? [] : imagesOf(group[0]),
      pods: group.length,
      ready: group.filter(isReadyPod).length,
    }))
    .sort((left, right) => right.ready - left.ready || right.pods - left.pods);
}

/** Of the containers that run all the time, native sidecars last; without repetitions. */
function imagesOf(pod: KubernetesObject): string[] {
  const containers = containersOf({ ...pod, apiVersion: 'v1', kind: 'Pod' });
  const { main = [], init = [] } = Object.groupBy(containers, ({ path }) =>
    path.includes('initContainers') ? 'init' : 'main',
  );
  const running = [...main, ...init.filter(({ container }) => isSidecar(container))];
  return [...new Set(running.flatMap(({ image }) => image ?? []))];
}

/** `2 pods run web:1.0.0, 1 pod web:2.0.0 (not ready)`; `no pods` where there are none. */
export function describeVersions(versions: readonly RunningVersion[]): string {
  if (versions.length === 0) return 'no pods';
  return versions
    .map(({ images, pods, ready }, index) => {
      const count = pods === 1 ? '1 pod' : `${pods} pods`;
      const verb = index > 0 ? '' : pods === 1 ? ' runs' : ' run';
      const state = ready === pods ? '' : ready === 0 ? ' (not ready)' : ` (${ready} ready)`;
      return `${count}${verb} ${images.join(' + ')}${state}`;
    })
    .join(', ');
}
