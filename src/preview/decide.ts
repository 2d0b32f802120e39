import { isFromFork, type PullRequest } from '../github/pull-request.ts';

/** What the workflow says about which pull requests get a preview. */
export interface PreviewRules {
  when: PreviewWhen;
  /** `approved`: only for the very commit that the workflow names, which somebody has agreed to. */
  forks: 'skip' | 'approved';
  until: 'closed' | 'branch-deleted';
}

export type PreviewWhen = { is: 'always' } | { is: 'ready' } | { is: 'label'; label: string };

/** What a run was started for. */
export interface Asked {
  /** The event of the workflow: `pull_request`, `merge_group`, `schedule`… */
  event: string;
  /** The full hash of the commit that this run would bring in; absent: the newest. */
  sha?: string;
  /** Whether the run has anything to sign in to the cluster with. */
  hasCredentials: boolean;
  /** Whether the branch of the pull request is still there; absent where nobody has asked. */
  hasBranch?: boolean;
}

/** What is wanted of a preview. Each reason is a sentence without its full stop. */
export type Want =
  | { state: 'present'; sha: string }
  /** There is to be none; one that is there goes. `over`: so is the pull request, and not only the reason to have one. */
  | { state: 'absent'; reason: string; over: boolean }
  /** This run does nothing: one that is there stays as it is until it expires. */
  | { state: 'skipped'; reason: string }
  /** The same, since another run is there for what is wanted now. */
  | { state: 'superseded'; reason: string; head: string };

/**
 * What is wanted of the preview of a pull request as it is now, whatever event has started the run: so the order of events, and
 * events that are lost or come twice, change nothing of what it ends with. Ask before the first write, under the lock, and once
 * more before its URL is told.
 *
 * A draft under `ready`, and a pull request without the label, want none: one that was made a draft again, or lost the label,
 * loses its preview. If it kept it, what is there would depend on what happened before and not on what holds, a sweep could not
 * tell it from one that was left behind, and nobody would know what it costs. Who wants previews of drafts says `always`.
 * @param pull undefined where GitHub has confirmed that there is none
 */
export function decide(pull: PullRequest | undefined, rules: PreviewRules, asked: Asked): Want {
  if (asked.event === 'merge_group') {
    return skipped('a merge queue tests a commit that belongs to no single pull request, so it gets no preview');
  }
  if (pull === undefined) return absent('there is no such pull request', true);
  return (
    withoutCredentials(pull, asked) ??
    ended(pull, rules, asked) ??
    notMeant(pull, rules) ??
    unapproved(pull, rules, asked) ??
    outdated(pull, asked) ?? { state: 'present', sha: pull.head.sha }
  );
}

/**
 * Dependabot pushes to the repository itself, but its runs get none of the secrets (KSXGitHub/perfectionist#93, allxsmith/bestax#450):
 * who the author is does not say it, since people push to its branches, too. Nor does a run of a fork get any.
 */
function withoutCredentials(pull: PullRequest, { hasCredentials }: Asked): Want | undefined {
  if (hasCredentials) return undefined;
  if (pull.author === 'dependabot[bot]') {
    return skipped(
      'Dependabot opened this pull request, and its runs get no repository secrets, so it cannot sign in to the cluster',
    );
  }
  if (isFromFork(pull)) {
    return skipped(
      'this pull request comes from a fork, whose runs get no secrets, so it cannot sign in to the cluster',
    );
  }
  return undefined;
}

/** A closed one wants no preview, unless it is to live as long as the branch (kortix-ai/suna#7023). */
function ended(pull: PullRequest, { until }: PreviewRules, { hasBranch }: Asked): Want | undefined {
  if (pull.state === 'open') return undefined;
  const how = pull.merged ? 'merged' : 'closed';
  if (until === 'closed') return absent(`the pull request was ${how}`, true);
  // Only branches of the repository itself can be asked for.
  if (isFromFork(pull)) return absent(`the pull request was ${how}, and its branch is in a fork`, true);
  if (hasBranch === undefined) {
    return skipped(`the pull request was ${how}, but it is unknown whether its branch still exists`);
  }
  return hasBranch
    ? skipped(`the pull request was ${how}, and its preview stays until its branch is deleted`)
    : absent(`the pull request was ${how} and its branch was deleted`, true);
}

function notMeant(pull: PullRequest, { when }: PreviewRules): Want | undefined {
  if (when.is === 'ready' && pull.draft) {
    return absent('the pull request is a draft, and only those ready for review get a preview', false);
  }
  if (when.is === 'label' && !hasLabel(pull, when.label)) {
    return absent(`the pull request does not have the label "${when.label}"`, false);
  }
  return undefined;
}

/**
 * Code of a fork runs only where somebody has agreed to this very commit: a label would hold for whatever is pushed next
 * (Comfy-Org/workflow_templates#965, frankbria/auto-author#191).
 */
function unapproved(pull: PullRequest, { forks }: PreviewRules, { sha }: Asked): Want | undefined {
  if (!isFromFork(pull)) return undefined;
  if (forks === 'skip') return skipped('this pull request comes from a fork, and forks get no preview here');
  if (sha === undefined) {
    return skipped('this pull request comes from a fork, and the run does not say which commit was approved');
  }
  return undefined;
}

function outdated(pull: PullRequest, { sha }: Asked): Want | undefined {
  if (sha === undefined || sha === pull.head.sha) return undefined;
  const [ours, head] = [sha, pull.head.sha].map(shortSha);
  return {
    state: 'superseded',
    reason: `this run is for commit ${ours ?? ''}, but the newest commit is now ${head ?? ''}`,
    head: pull.head.sha,
  };
}

/** GitHub takes labels that differ in case alone for one. */
export function hasLabel({ labels }: Pick<PullRequest, 'labels'>, label: string): boolean {
  return labels.some((one) => one.toLowerCase() === label.toLowerCase());
}

/** As people write it: the first seven digits. */
export function shortSha(sha: string): string {
  return sha.slice(0, 7);
}

function absent(reason: string, over: boolean): Want {
  return { state: 'absent', reason, over };
}

function skipped(reason: string): Want {
  return { state: 'skipped', reason };
}
