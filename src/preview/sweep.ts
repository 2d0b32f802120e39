import type { PullRequest } from '../github/pull-request.ts';
import { isGoing } from '../kubernetes/going.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { decide, hasLabel, type PreviewRules } from './decide.ts';
import { isExpired, utc } from './expiry.ts';
import { whatHangs } from './hanging.ts';
import { isSameRepository, readPreview, type Preview, type PreviewIdentity } from './identity.ts';

export interface SweepOptions {
  /** `expired`: by time alone; `all-closed`: those that their pull request wants no more as well. */
  mode: 'expired' | 'all-closed';
  /** Whose previews are looked at. */
  repository: Pick<PreviewIdentity, 'server' | 'repositoryId'>;
  open: OpenPullRequests;
  rules: PreviewRules;
  /** Whose `rules.when` it is: other releases of the repository may have another. Absent: that of all. */
  release?: string;
  /** A pull request with this label keeps its preview from expiring. */
  keepLabel?: string;
  /** Ms since the epoch. */
  now: number;
}

/** All pull requests that are open, or that GitHub did not tell them: then nothing follows from a pull request not being there. */
export type OpenPullRequests =
  | { state: 'known'; pulls: readonly PullRequest[] }
  /** `reason` completes "the pull requests are unknown: …". */
  | { state: 'unknown'; reason: string };

/** What becomes of a namespace. Each `reason` is a sentence without its full stop; only `remove` deletes. */
export type SweepVerdict =
  | { do: 'remove'; namespace: string; preview: Preview; reason: string }
  /** Ask GitHub for this pull request, and then `afterAsking`. */
  | { do: 'confirm'; namespace: string; preview: Preview }
  | { do: 'keep'; namespace: string; preview?: Preview; reason: string; until?: number }
  /** Never touched. */
  | { do: 'not-ours'; namespace: string; reason: string }
  /** Being deleted already. */
  | { do: 'stuck'; namespace: string; preview?: Preview; reason: string };

/**
 * What a sweep does with each namespace. It is what a preview ends by for sure, since the event of a closed pull request may never
 * come (Activiti/activiti-cloud-application#803, kamp-us/phoenix#2299), and so it fails closed: on any doubt nothing is deleted
 * (inkeep/agents#2930). That a pull request is not among the open ones proves nothing, such as with an empty page: it is asked for.
 */
export function sweep(namespaces: readonly KubernetesObject[], options: SweepOptions): SweepVerdict[] {
  return namespaces.map((namespace) => judge(namespace, options));
}

function judge(namespace: KubernetesObject, options: SweepOptions): SweepVerdict {
  const { name } = namespace.metadata;
  const reading = readPreview(namespace);
  if (reading.state === 'none')
    return { do: 'not-ours', namespace: name, reason: 'it does not have the labels of a preview' };
  if (reading.state === 'unreadable') {
    return {
      do: 'keep',
      namespace: name,
      reason: `it ${reading.reason}, so its owner or expiry is uncertain`,
    };
  }
  const { preview } = reading;
  if (!isSameRepository(preview, options.repository)) {
    const whose = preview.repository ?? `the repository of id ${preview.repositoryId}`;
    return { do: 'not-ours', namespace: name, reason: `it is a preview of ${whose} on ${preview.server}` };
  }
  if (isGoing(namespace)) return { do: 'stuck', namespace: name, preview, reason: `it ${whatHangs(namespace)}` };
  return judgeOurs(preview, options);
}

function judgeOurs(preview: Preview, options: SweepOptions): SweepVerdict {
  const { mode, open, keepLabel, now } = options;
  const pull = open.state === 'known' ? open.pulls.find(({ number }) => number === preview.number) : undefined;
  const isKept = pull === undefined || keepLabel === undefined ? preview.keep : hasLabel(pull, keepLabel);
  if (isExpired(preview, now, isKept)) return remove(preview, expiredSince(preview));
  if (mode === 'expired') return keep(preview, stays(preview, isKept), isKept);
  if (open.state === 'unknown') {
    return keep(preview, `the pull requests are unknown: ${open.reason}; ${stays(preview, isKept)}`, isKept);
  }
  const isWanted = pull !== undefined && whyUnwanted(pull, rulesFor(preview, options)) === undefined;
  return isWanted
    ? keep(preview, `the pull request is open; ${stays(preview, isKept)}`, isKept)
    : { do: 'confirm', namespace: preview.namespace, preview };
}

/** What GitHub has answered to the question for one pull request. */
export type Answer =
  /** `hasBranch` where the rules ask for the branch, and it is one of the repository. */
  | { state: 'found'; pull: PullRequest; hasBranch?: boolean }
  /** It shows none of that number. */
  | { state: 'missing' }
  | { state: 'unknown'; reason: string };

/** The last word on a preview whose pull request seems to want it no more. */
export function afterAsking(preview: Preview, answer: Answer, options: SweepOptions): SweepVerdict {
  const { keepLabel } = options;
  if (answer.state === 'unknown') {
    return keep(
      preview,
      `the pull request is unknown: ${answer.reason}; ${stays(preview, preview.keep)}`,
      preview.keep,
    );
  }
  if (answer.state === 'missing') {
    // A token without the right to see pull requests gets the same answer.
    return keep(
      preview,
      `GitHub shows no pull request of this number, maybe for lack of permission; ${stays(preview, preview.keep)}`,
      preview.keep,
    );
  }
  const { pull, hasBranch } = answer;
  if (pull.number !== preview.number) {
    return keep(preview, `GitHub returned another pull request; ${stays(preview, preview.keep)}`, preview.keep);
  }
  const isKept = keepLabel === undefined ? preview.keep : hasLabel(pull, keepLabel);
  const why = whyUnwanted(pull, rulesFor(preview, options), hasBranch);
  if (why !== undefined) return remove(preview, why);
  const state =
    pull.state === 'open'
      ? 'the pull request is open'
      : `the pull request is closed, but its branch ${hasBranch === true ? 'is' : 'may be'} there`;
  return keep(preview, `${state}; ${stays(preview, isKept)}`, isKept);
}

/** Why a pull request wants no preview; undefined where it wants one, or where that is not certain. */
function whyUnwanted(pull: PullRequest, rules: PreviewRules, hasBranch?: boolean): string | undefined {
  const want = decide(pull, rules, {
    event: 'schedule',
    hasCredentials: true,
    ...(hasBranch === undefined ? {} : { hasBranch }),
  });
  return want.state === 'absent' ? want.reason : undefined;
}

function rulesFor(preview: Preview, { rules, release = preview.release }: SweepOptions): PreviewRules {
  return release === preview.release ? rules : { ...rules, when: { is: 'always' } };
}

function expiredSince({ expiresAt }: Preview): string {
  return expiresAt === undefined ? 'it has expired' : `it expired at ${utc(expiresAt)}`;
}

function stays({ expiresAt }: Preview, isKept: boolean): string {
  if (isKept) return 'its label keeps it';
  return expiresAt === undefined ? 'it does not expire' : `it expires at ${utc(expiresAt)}`;
}

function remove(preview: Preview, reason: string): SweepVerdict {
  return { do: 'remove', namespace: preview.namespace, preview, reason };
}

function keep(preview: Preview, reason: string, isKept: boolean): SweepVerdict {
  const { namespace, expiresAt } = preview;
  return { do: 'keep', namespace, preview, reason, ...(isKept || expiresAt === undefined ? {} : { until: expiresAt }) };
}
