/**
 * How many pods of each version give a candidate its share of the requests, where a Service spreads them evenly over pods.
 * See docs/strategies.md for the numbers that come of it.
 */
export interface ReplicaShare {
  candidate: number;
  stable: number;
}

/**
 * The candidate's pods come on top of the stable ones, none of which goes: `c/(N+c)` is nearest to the wanted share, and
 * there is always one. 3 stable pods and 25 % make one more.
 * @param stable pods of the stable version, at least 1
 * @param percent above 0 and below 100
 */
export function addedShare(stable: number, percent: number): ReplicaShare {
  return { candidate: Math.max(1, Math.round((stable * percent) / (100 - percent))), stable };
}

/**
 * As many pods as before in all: each pod of the candidate takes the place of a stable one. Both keep at least one, so that
 * with one stable pod there are two after all (argo-rollouts has none of the candidate for 2 pods at 75 %).
 */
export function constantShare(total: number, percent: number): ReplicaShare {
  const candidate = Math.min(Math.max(1, Math.round((total * percent) / 100)), Math.max(1, total - 1));
  return { candidate, stable: Math.max(1, total - candidate) };
}

/** What share of the pods the candidate has, in percent. */
export function podShare({ candidate, stable }: ReplicaShare): number {
  return (100 * candidate) / (candidate + stable);
}
