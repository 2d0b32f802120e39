import { Failure } from '../base/errors.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { JournalRecord } from '../release/journal.ts';
import { canary, promoteCanary } from './canary.ts';
import { rolling } from './rolling.ts';
import type { Strategy } from './strategy.ts';

export interface StrategyOptions {
  strategy: 'rolling' | 'canary' | 'blue-green';
  canarySteps: readonly number[];
  stepDurationMs: number;
  autoPromote: boolean;
  constantTotal: boolean;
}

/** The strategy of a deploy. @param variants the user's own candidates */
export function strategyOf(options: StrategyOptions, variants: readonly Manifest[]): Strategy {
  switch (options.strategy) {
    case 'rolling':
      return rolling;
    case 'canary':
      return canary({ ...options, steps: options.canarySteps, variants });
    case 'blue-green':
      throw new Failure('the strategy "blue-green" is not available yet');
  }
}

/** How a candidate that waits is brought in. */
export function promotionOf(strategy: string, { waiting }: JournalRecord): Strategy {
  if (strategy !== 'canary' || waiting === undefined) {
    throw new Failure(`what waits was deployed with the strategy "${strategy}", which this version does not know`);
  }
  return (_, prepared) =>
    Promise.resolve({
      run: async (context) => {
        const manifests = prepared.map(({ manifest }) => manifest);
        await promoteCanary(context, manifests, waiting);
        return { state: 'complete' };
      },
    });
}
