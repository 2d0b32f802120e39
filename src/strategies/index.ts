import { Failure } from '../base/errors.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { blueGreen, switchTo } from './blue-green/blue-green.ts';
import { canary } from './canary/canary.ts';
import { promotionStages } from './canary/promote.ts';
import { rollingWithRoom } from './rolling.ts';
import type { Strategy } from '../plan/plan.ts';
import type { StrategyName } from './traits.ts';
import type { JournalRecord } from '../release/journal-shape.ts';

interface StrategyOptions {
  strategy: StrategyName;
  canarySteps: readonly number[];
  stepDurationMs: number;
  autoPromote: boolean;
  constantTotal: boolean;
}

/**
 * The strategy of a deploy.
 * @param variants the user's own candidates
 * @param ownSides whether the manifests hold one of two sides that are both the user's own
 */
export function strategyOf(options: StrategyOptions, variants: readonly Manifest[], ownSides: boolean): Strategy {
  switch (options.strategy) {
    case 'rolling':
      return rollingWithRoom;
    case 'canary':
      return canary({ ...options, steps: options.canarySteps, variants });
    case 'blue-green':
      return blueGreen({ ...options, ownSides });
  }
}

/**
 * How a candidate that waits is brought in.
 * @param ownSides as it was deployed with
 * @param force without a look at it
 */
export function promotionOf(
  strategy: string,
  { waiting }: JournalRecord,
  { ownSides, force }: { ownSides: boolean; force: boolean },
): Strategy {
  if (waiting === undefined) throw new Failure('there is no waiting candidate');
  if (strategy === 'blue-green') return switchTo(waiting, { ownSides, force });
  return (_, manifests) =>
    Promise.resolve({
      manifests,
      plan: () =>
        Promise.resolve({ stages: promotionStages(manifests, { ...waiting, look: force ? 'none' : 'verify' }) }),
    });
}
