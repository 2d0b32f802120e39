import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { kueueHold } from '../failures/queue.ts';
import { final, mayHeal, startSign, type Sign } from '../failures/sign.ts';
import type { Cause } from '../verdict.ts';
import { workloadOf } from './belongs.ts';
import { standingOf, type Standing } from './standing.ts';

/** Since when a pod has been kept out of its queue for good, milliseconds since the epoch by the server's clock. */
export type BarredSince = Map<string, number>;

interface Look {
  /** Workloads of Kueue, of all namespaces that are looked at. */
  workloads: readonly KubernetesObject[];
  now: number;
  /** How long a queue that will never let a pod in may be mended, ms. */
  graceMs: number;
  barredSince: BarredSince;
}

/** Of texts that nobody here has written. */
const maxTextLength = 500;

/**
 * Says of a pod that waits for Kueue what its Workload says: what it waits for and since when, or why waiting does not help. That
 * ends the wait once it has been so without a break for the grace, since a queue may come with the same deploy, or be mended.
 * @param signs those of `pod`
 */
export function withQueue(pod: KubernetesObject, signs: readonly Sign[], look: Look): Sign[] {
  const hold = kueueHold(pod);
  if (hold === undefined) return [...signs];
  const workload = workloadOf(pod, look.workloads);
  const standing = workload === undefined ? undefined : standingOf(workload);
  const key = `barred by Kueue: ${pod.metadata.uid ?? pod.metadata.name}`;
  if (standing?.state !== 'barred') look.barredSince.delete(key);
  if (standing === undefined) return [...signs];
  const sign = signOf(pod, standing, hold.queue);
  return signs.map((each) => {
    if (each.cause.reason !== 'SchedulingGated') return each;
    if (standing.state !== 'barred') return startSign(sign);
    const since = look.barredSince.get(key) ?? look.now;
    look.barredSince.set(key, since);
    return look.now - since >= look.graceMs ? final(sign) : mayHeal(Infinity, sign);
  });
}

function signOf(pod: KubernetesObject, standing: Standing, queue: string | undefined): Cause {
  const { state, reason, words, message, hint, since } = standing;
  const from = queue === undefined ? '' : ` from queue "${queue}"`;
  const into = queue === undefined ? '' : ` in "${queue}"`;
  const detail = message === '' ? '' : `: ${message.slice(0, maxTextLength)}`;
  const at = since === undefined ? '' : ` since ${new Date(since).toISOString().slice(11, 16)} UTC`;
  const texts = {
    waits: `queued by Kueue${into}${at}, ${words}${detail}`,
    barred: `Kueue will not admit it${from}, ${words}${detail}`,
    admitted: `admitted by Kueue${from}, but still held by its scheduling gate`,
  };
  return {
    reason: state === 'barred' ? reason : 'SchedulingGated',
    message: texts[state],
    hint,
    object: refOf(pod),
    ...(reason === 'ExceedsMaxQuota' ? { path: ['resources'] } : {}),
    ...(since === undefined ? {} : { since }),
  };
}
