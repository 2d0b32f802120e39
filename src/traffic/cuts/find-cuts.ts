import { formatDuration } from '../../base/clock.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isService } from '../services.ts';
import { secondsOf, type Cut } from './cut.ts';
import { cutByPods } from './pods.ts';
import { cutByRoutes } from './routes.ts';

interface Limits {
  /** How long the longest request takes; 0: nobody says. */
  longestMs: number;
  /** How long the side that served before stays after a switch; undefined where nothing switches in this run. */
  keepOldForMs?: number;
}

/**
 * What in these manifests would cut long requests: when a pod is replaced, or at a load balancer. Without a longest request only
 * model servers are judged, and only by what needs no number.
 */
export function findCuts(manifests: readonly Manifest[], { longestMs, keepOldForMs }: Limits): Cut[] {
  const services = manifests.map(({ object }) => object).filter(isService);
  return [
    ...manifests.flatMap((manifest) => cutByPods(manifest, services, longestMs)),
    ...(longestMs === 0 ? [] : cutByRoutes(manifests, longestMs)),
    ...(keepOldForMs === undefined || keepOldForMs >= longestMs ? [] : [cutByRemoval(keepOldForMs, longestMs)]),
  ];
}

function cutByRemoval(keepOldForMs: number, longestMs: number): Cut {
  const longest = formatDuration(longestMs);
  return {
    text: `"keep-old-for: ${formatDuration(keepOldForMs)}" removes the old side while it may still answer requests of up to ${longest}, which then have only its grace period: set "keep-old-for: ${secondsOf(longestMs)}s"`,
  };
}
