import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isReadyPod } from './failures/pod.ts';
import { final, type Sign } from './failures/sign.ts';

/** So often a pod is made again under its name before that counts. */
const limit = 3;

/**
 * Pods that are deleted and made again under the same name, and not ready: whoever recreates a whole group as soon as one container
 * restarts (LeaderWorkerSet's RecreateGroupOnPodRestart) leaves no pod that restarts often enough to be seen to crash.
 * @param seen when each pod of a name was seen first; what is new is added
 */
export function remadeSigns(pods: readonly KubernetesObject[], seen: Map<string, number>, now: number): Sign[] {
  for (const pod of pods) {
    const key = `${prefixOf(pod)}${pod.metadata.uid ?? ''}`;
    if (!seen.has(key)) seen.set(key, now);
  }
  const known = Map.groupBy(seen.keys(), (key) => key.slice(0, key.lastIndexOf(' ') + 1));
  return pods.flatMap((pod) => {
    if (isReadyPod(pod) || pod.metadata.deletionTimestamp !== undefined) return [];
    const times = (known.get(prefixOf(pod))?.length ?? 0) - 1;
    if (times < limit) return [];
    return final({
      reason: 'RecreatedAgain',
      message: `pod "${pod.metadata.name}" has been recreated ${times} times and is not ready`,
      topic: `pod "${pod.metadata.name}" has been recreated and is not ready`,
      hint: 'Check the logs of its containers: its controller recreates it as soon as one of them fails.',
      object: refOf(pod),
    });
  });
}

function prefixOf({ metadata }: KubernetesObject): string {
  return `remade ${metadata.namespace ?? ''}/${metadata.name} `;
}
