import type { Repository } from '../github/github.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { stringAt, stringsAt } from '../base/json.ts';

/** What says whose preview a namespace is; all of it is in its labels. */
export interface PreviewIdentity {
  /** The host of GitHub: ids of repositories are unique on one server only. */
  server: string;
  /** The numeric id, which a renamed repository keeps. */
  repositoryId: number;
  /** Of the pull request. */
  number: number;
  release: string;
}

/** What else a preview says about itself; times in ms since the epoch. */
export interface PreviewFacts {
  /** `acme/shop` */
  repository: string;
  /** The full hash of the commit that was deployed last. */
  sha: string;
  branch: string;
  author?: string;
  /** Where people look at the pull request. */
  pullRequestUrl: string;
  /** The run that deployed last. */
  runUrl?: string;
  /** Where the preview answers. */
  url?: string;
  deployedAt: number;
  /** Absent: never. */
  expiresAt?: number;
  /** It had the label that keeps it from expiring. */
  keep: boolean;
}

/** A preview as its namespace tells of it. */
export interface Preview extends PreviewIdentity, Partial<PreviewFacts> {
  namespace: string;
  /** Both are to be preconditions of a deletion. */
  uid: string;
  resourceVersion: string;
  createdAt: number;
  keep: boolean;
  /** Since when it is being deleted. */
  goingSince?: number;
}

export const previewLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  preview: 'gke-rollout/preview',
  server: 'gke-rollout/github-server',
  repositoryId: 'gke-rollout/repository-id',
  number: 'gke-rollout/pull-request',
  release: 'gke-rollout/release',
} as const;

export const previewAnnotations = {
  repository: 'gke-rollout/repository',
  sha: 'gke-rollout/head-sha',
  branch: 'gke-rollout/branch',
  author: 'gke-rollout/author',
  pullRequestUrl: 'gke-rollout/pull-request-url',
  runUrl: 'gke-rollout/run-url',
  url: 'gke-rollout/url',
  deployedAt: 'gke-rollout/deployed-at',
  expiresAt: 'gke-rollout/expires-at',
  keep: 'gke-rollout/keep',
} as const;

const manager = 'gke-rollout';

export function identityOf(repository: Repository, number: number, release: string): PreviewIdentity {
  // The value of a label has no colon.
  const server = new URL(repository.url).host.replaceAll(':', '_');
  return { server, repositoryId: repository.id, number, release };
}

/** The labels of its namespace. */
export function labelsOfPreview(identity: PreviewIdentity): Record<string, string> {
  const { server, repositoryId, number, release } = identity;
  return {
    ...labelsOfRepository({ server, repositoryId }),
    [previewLabels.number]: String(number),
    [previewLabels.release]: release,
  };
}

/** What all previews of a repository have: to list them by. */
export function labelsOfRepository({
  server,
  repositoryId,
}: Pick<PreviewIdentity, 'server' | 'repositoryId'>): Record<string, string> {
  return {
    [previewLabels.managedBy]: manager,
    [previewLabels.preview]: 'true',
    [previewLabels.server]: server,
    [previewLabels.repositoryId]: String(repositoryId),
  };
}

/**
 * The annotations of its namespace: what the value of a label cannot hold. One that is null is to be taken away, as a merge
 * patch does it.
 */
export function annotationsOfPreview(facts: PreviewFacts): Record<string, string | null> {
  const at = (time: number | undefined) => (time === undefined ? null : new Date(time).toISOString());
  return {
    [previewAnnotations.repository]: facts.repository,
    [previewAnnotations.sha]: facts.sha,
    [previewAnnotations.branch]: facts.branch,
    [previewAnnotations.author]: facts.author ?? null,
    [previewAnnotations.pullRequestUrl]: facts.pullRequestUrl,
    [previewAnnotations.runUrl]: facts.runUrl ?? null,
    [previewAnnotations.url]: facts.url ?? null,
    [previewAnnotations.deployedAt]: at(facts.deployedAt),
    [previewAnnotations.expiresAt]: at(facts.expiresAt),
    [previewAnnotations.keep]: facts.keep ? 'true' : null,
  };
}

export type PreviewReading =
  | { state: 'preview'; preview: Preview }
  /** It is one, but what it says cannot be believed; `reason` goes on after its name. */
  | { state: 'unreadable'; reason: string }
  | { state: 'none' };

/** What a namespace tells of the preview that it is. Anybody may have changed its labels and annotations. */
export function readPreview(namespace: KubernetesObject): PreviewReading {
  if (!claimsToBePreview(namespace)) return { state: 'none' };
  try {
    return { state: 'preview', preview: { ...identityIn(namespace), ...placeOf(namespace), ...factsIn(namespace) } };
  } catch (error) {
    if (error instanceof Unreadable) return { state: 'unreadable', reason: error.message };
    throw error;
  }
}

/** Whether a namespace is provably the preview of one pull request. Only one that is may be written to or deleted. */
export type Ownership =
  | { is: 'ours' }
  /** `reason` goes on after its name. */
  | { is: 'other-repository' | 'other-preview' | 'not-a-preview'; reason: string };

export function ownership(namespace: KubernetesObject, identity: PreviewIdentity): Ownership {
  if (!claimsToBePreview(namespace)) {
    return { is: 'not-a-preview', reason: 'is not a preview: it does not have the labels of one' };
  }
  try {
    const found = identityIn(namespace);
    const repository = stringsAt(namespace, 'metadata', 'annotations')[previewAnnotations.repository];
    if (!isSameRepository(found, identity)) {
      const whose = repository === undefined ? `of id ${found.repositoryId}` : `"${repository}"`;
      return { is: 'other-repository', reason: `is a preview of another repository, ${whose} on ${found.server}` };
    }
    if (found.number !== identity.number || found.release !== identity.release) {
      return {
        is: 'other-preview',
        reason: `is the preview of pull request ${found.number}, release "${found.release}"`,
      };
    }
    return { is: 'ours' };
  } catch (error) {
    if (error instanceof Unreadable) return { is: 'not-a-preview', reason: error.message };
    throw error;
  }
}

export function isSameRepository(
  left: Pick<PreviewIdentity, 'server' | 'repositoryId'>,
  right: Pick<PreviewIdentity, 'server' | 'repositoryId'>,
): boolean {
  return left.server === right.server && left.repositoryId === right.repositoryId;
}

class Unreadable extends Error {}

function claimsToBePreview(namespace: KubernetesObject): boolean {
  const labels = stringsAt(namespace, 'metadata', 'labels');
  return labels[previewLabels.managedBy] === manager && labels[previewLabels.preview] === 'true';
}

function identityIn(namespace: KubernetesObject): PreviewIdentity {
  const labels = stringsAt(namespace, 'metadata', 'labels');
  const server = labels[previewLabels.server];
  const release = labels[previewLabels.release];
  if (server === undefined || server === '') throw new Unreadable(`has no label "${previewLabels.server}"`);
  if (release === undefined || release === '') throw new Unreadable(`has no label "${previewLabels.release}"`);
  return {
    server,
    repositoryId: wholeNumber(labels, previewLabels.repositoryId),
    number: wholeNumber(labels, previewLabels.number),
    release,
  };
}

function wholeNumber(labels: Record<string, string>, label: string): number {
  const text = labels[label];
  if (text === undefined) throw new Unreadable(`has no label "${label}"`);
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new Unreadable(`has the label "${label}", which is not a number`);
  return Number(text);
}

function placeOf({ metadata }: KubernetesObject) {
  const { name, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  if (uid === undefined || resourceVersion === undefined) throw new Unreadable('has no uid or no resourceVersion');
  if (creationTimestamp === undefined) throw new Unreadable('does not say when it was created');
  return {
    namespace: name,
    uid,
    resourceVersion,
    createdAt: timeIn(creationTimestamp, 'creationTimestamp'),
    ...(deletionTimestamp === undefined ? {} : { goingSince: timeIn(deletionTimestamp, 'deletionTimestamp') }),
  };
}

function factsIn(namespace: KubernetesObject): Partial<PreviewFacts> & { keep: boolean } {
  const text = (annotation: string) => stringAt(namespace, 'metadata', 'annotations', annotation);
  const texts = (['repository', 'sha', 'branch', 'author', 'pullRequestUrl', 'runUrl', 'url'] as const).flatMap(
    (fact): [string, string][] => {
      const value = text(previewAnnotations[fact]);
      return value === undefined ? [] : [[fact, value]];
    },
  );
  const times = (['deployedAt', 'expiresAt'] as const).flatMap((fact): [string, number][] => {
    const value = text(previewAnnotations[fact]);
    return value === undefined ? [] : [[fact, timeIn(value, previewAnnotations[fact])]];
  });
  const keep = text(previewAnnotations.keep);
  if (keep !== undefined && keep !== 'true' && keep !== 'false') {
    throw new Unreadable(`has the annotation "${previewAnnotations.keep}", which is neither true nor false`);
  }
  return { ...Object.fromEntries<string | number>([...texts, ...times]), keep: keep === 'true' };
}

function timeIn(text: string, where: string): number {
  const time = /^\d{4}-\d\d-\d\dT[\d:.]{8,18}Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new Unreadable(`has "${where}", which is not a time`);
  return time;
}
