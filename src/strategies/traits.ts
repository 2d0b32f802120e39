import type { VariantName } from '../manifests/variants.ts';
import type { Made, RuleSetId } from '../release/rights.ts';

interface Traits {
  /** Manifests that are its own by the names of their files. */
  variants: readonly VariantName[];
  /** The inputs that have an effect with it, and not with every strategy. */
  inputs: readonly string[];
  /** What it has to be allowed beside what its command and its objects need. */
  rights: readonly RuleSetId[];
  makes: Made;
}

/** The one list of strategies: their names, as the input "strategy" and the records in the cluster have them, and what is theirs alone. */
export const strategies = {
  rolling: { variants: [], inputs: [], rights: [], makes: {} },
  canary: {
    variants: ['canary'],
    inputs: ['canary-steps', 'step-duration', 'auto-promote', 'constant-total'],
    rights: ['traffic', 'leaving', 'budgets', 'room'],
    makes: { Deployment: 'watched', ConfigMap: 'watched', Secret: 'watched' },
  },
  'blue-green': {
    variants: ['blue', 'green'],
    inputs: ['auto-promote', 'keep-old-for'],
    rights: ['traffic', 'replicaSets', 'leaving', 'networkPolicies', 'room'],
    makes: { Deployment: 'watched', Service: 'unwatched', ConfigMap: 'unwatched', Secret: 'unwatched' },
  },
} as const satisfies Readonly<Record<string, Traits>>;

export type StrategyName = keyof typeof strategies;

/** In the order in which they are documented. */
export const strategyNames = Object.keys(strategies) as readonly StrategyName[];

/** The traits of a strategy by its name in a record; one that nobody knows any more is like the plainest. */
export function traitsOf(name: string): Traits {
  return strategies[strategyNames.find((known) => known === name) ?? 'rolling'];
}

type StrategyInput = (typeof strategies)[StrategyName]['inputs'][number];

/** What any strategy takes: whoever offers a choice of them takes all of these. */
export const strategyInputs: readonly StrategyInput[] = [
  ...new Set(strategyNames.flatMap((name): readonly StrategyInput[] => strategies[name].inputs)),
];
