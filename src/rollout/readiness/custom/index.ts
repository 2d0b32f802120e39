import type { Rule } from '../rule.ts';
import { argoApplication } from './argo-cd.ts';
import { argoRollout } from './argo-rollout.ts';
import { flux } from './flux.ts';
import { leaderWorkerSet } from './leader-worker-set.ts';

/** The rules of custom resources, in the order of docs/rollout-rules.md. */
export const customRules: readonly Rule[] = [leaderWorkerSet, argoRollout, flux, argoApplication];
