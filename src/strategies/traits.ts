import type { VariantName } from '../manifests/variants.ts';

interface Traits {
  /** Manifests that are its own by the names of their files. */
  variants: readonly VariantName[];
  /** The inputs that have an effect with it, and not with every strategy. */
  inputs: readonly string[];
}

/** The one list of strategies: their names, as the input "strategy" and the records in the cluster have them, and what is theirs alone. */
export const strategies = {
  rolling: { variants: [], inputs: [] },
  canary: {
    variants: ['canary'],
    inputs: ['canary-steps', 'step-duration', 'auto-promote', 'constant-total', 'on-low-capacity'],
  },
  'blue-green': { variants: ['blue', 'green'], inputs: ['auto-promote', 'keep-old-for', 'on-low-capacity'] },
} as const satisfies Readonly<Record<string, Traits>>;

export type StrategyName = keyof typeof strategies;

/** In the order in which they are documented. */
export const strategyNames = Object.keys(strategies) as readonly StrategyName[];

type StrategyInput = (typeof strategies)[StrategyName]['inputs'][number];

/** What any strategy takes: whoever offers a choice of them takes all of these. */
export const strategyInputs: readonly StrategyInput[] = [
  ...new Set(strategyNames.flatMap((name): readonly StrategyInput[] => strategies[name].inputs)),
];
