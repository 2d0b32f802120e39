import { Failure, InvalidInput } from '../base/errors.ts';
import { describeRef, refOf } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { JournalRecord } from '../release/journal.ts';
import { blueGreen, switchTo } from './blue-green.ts';
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
      refuseOwnSides(variants);
      return blueGreen(options);
  }
}

/** How a candidate that waits is brought in. */
export function promotionOf(strategy: string, { waiting }: JournalRecord): Strategy {
  if (waiting === undefined) throw new Failure('there is no candidate that waits');
  if (strategy === 'blue-green') return switchTo(waiting.candidates);
  return (_, manifests) =>
    Promise.resolve({
      manifests,
      plan: () =>
        Promise.resolve({
          run: async (context) => {
            await promoteCanary(context, manifests, waiting);
            return { state: 'complete' };
          },
        }),
    });
}

/** @throws InvalidInput because nothing may be left out silently */
function refuseOwnSides(variants: readonly Manifest[]): void {
  const [variant] = variants;
  if (variant === undefined) return;
  throw new InvalidInput(`${describeRef(refOf(variant.object))} is a side of your own, which is not supported yet`, {
    location: variant.source.locate([]),
    hint: 'Give the manifest of one Deployment, without "-blue" or "-green" in the name of its file: the other side is made from it.',
  });
}
