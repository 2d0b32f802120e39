import type { Holder } from '../../preview/limit.ts';

/** What the comment of a preview tells. Texts may be anybody's; times are ms since the epoch. */
export type CommentView = PreviewFactsShown & PreviewOutcome;

interface PreviewFactsShown {
  release: string;
  /** What the run was for. */
  commit?: CommitLink;
  /** With their tags or digests. */
  images?: readonly string[];
  namespace?: string;
  deployedAt?: number;
  /** Absent: never, or not known. */
  expiresAt?: number;
  /** Its label keeps it from expiring. */
  isKept?: boolean;
  runUrl?: string;
  /** What of the manifests is different in the preview, and what it is kept within. */
  changes?: readonly string[];
  objects?: readonly { kind: string; name: string; state: string }[];
  warnings?: readonly string[];
  /** How to end it, keep it or bring it back: a sentence for each. */
  advice?: readonly string[];
}

export type PreviewOutcome =
  /** `url` is absent where nothing of it is reached from outside. */
  | { state: 'ready'; url?: string; reach?: Reach }
  | { state: 'deploying'; serving: Serving }
  | { state: 'failed'; failure: ShownFailure; serving: Serving }
  | { state: 'waiting'; reason: string; serving: Serving }
  /** `holders` where it is for want of a place. */
  | { state: 'skipped'; reason: string; holders?: readonly Holder[] }
  | { state: 'superseded'; reason: string; serving: Serving }
  | { state: 'torn-down'; reason: string; at: number };

/** Whether the URL has answered: `not-from-runner` where only the cluster itself reaches it. */
export type Reach = 'answered' | 'not-from-runner';

export interface CommitLink {
  /** The full hash. */
  sha: string;
  url: string;
}

/** What answers while a new version does not. */
export type Serving =
  | { state: 'nothing' }
  /** What the run has changed was not taken back. */
  | { state: 'left' }
  | { state: 'previous'; commit?: CommitLink; url?: string };

export interface ShownFailure {
  /** One sentence. */
  cause: string;
  hint?: string;
  /** What was done about it: `everything that this run changed is as it was before`. */
  undone?: string;
  evidence: readonly { title: string; lines: readonly string[] }[];
}
