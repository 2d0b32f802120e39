import type { Holder } from '../preview/limit.ts';

/** The preview of a pull request, as a run has left it. */
export interface PreviewReport {
  /** The number of the pull request. */
  pullRequest: number;
  /** Where people look at it: `https://github.com/acme/shop/pull/7`. */
  pullRequestUrl?: string;
  /** The full hash of the commit that the run is about. */
  commit?: string;
  /** Where it answers, without a slash at its end; absent as long as it does not. */
  url?: string;
  /** Who has got an answer there: this run, or only the cluster itself. */
  answers?: 'runner' | 'cluster';
  /** ISO 8601; absent: it does not expire, or is not there. */
  expiresAt?: string;
  /** A label of the pull request by which it does not expire; `isKept` where that has it. */
  keepLabel?: string;
  isKept?: boolean;
  /** How the manifests of the checkout were changed for it, a sentence each. */
  adapted: readonly string[];
  /** Why there is none, or not this one: a sentence without its end. */
  reason?: string;
  /** Who holds the places, where there is none left. */
  holders?: readonly Holder[];
  /** What goes on running where this run has failed. */
  serving?: { commit?: string; url?: string };
}

/** What a sweep has found, and done. */
export interface SweepReport {
  /** Nothing was removed: it was only told what would be. */
  isDryRun: boolean;
  entries: readonly SweptPreview[];
}

export interface SweptPreview {
  namespace: string;
  pullRequest?: number;
  pullRequestUrl?: string;
  release?: string;
  outcome: 'removed' | 'kept' | 'stuck' | 'foreign';
  /** Why, as a sentence without its end. */
  reason: string;
}
