import type { PullRequest } from '../../../src/github/pull-request.ts';
import {
  annotationsOfPreview,
  labelsOfPreview,
  type PreviewFacts,
  type PreviewIdentity,
} from '../../../src/preview/identity.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';

export const head = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';
export const now = Date.parse('2026-03-10T12:00:00Z');
export const hour = 3_600_000;

/** Pull request 7 of repository 42, which anybody with a branch in it may have opened. */
export function pullRequest(overrides: Partial<PullRequest> = {}): PullRequest {
  return {
    number: 7,
    state: 'open',
    merged: false,
    draft: false,
    title: 'Show prices',
    labels: [],
    author: 'octocat',
    head: { sha: head, branch: 'prices', repositoryId: 42 },
    base: { branch: 'main', repositoryId: 42 },
    url: 'https://github.com/acme/shop/pull/7',
    ...overrides,
  };
}

export const fromFork = { head: { sha: head, branch: 'prices', repositoryId: 99 } };

export const identity: PreviewIdentity = { server: 'github.com', repositoryId: 42, number: 7, release: 'shop' };

export function facts(overrides: Partial<PreviewFacts> = {}): PreviewFacts {
  return {
    repository: 'acme/shop',
    sha: head,
    branch: 'prices',
    author: 'octocat',
    pullRequestUrl: 'https://github.com/acme/shop/pull/7',
    runUrl: 'https://github.com/acme/shop/actions/runs/1',
    url: 'https://pr-7-shop.preview.example.com',
    deployedAt: now - hour,
    expiresAt: now + 71 * hour,
    keep: false,
    ...overrides,
  };
}

interface NamespaceOptions {
  identity?: Partial<PreviewIdentity>;
  facts?: Partial<PreviewFacts>;
  labels?: Record<string, string | undefined>;
  annotations?: Record<string, string | undefined>;
  metadata?: Record<string, string | undefined>;
  status?: Record<string, never> | { conditions: Record<string, string>[] };
}

/** The namespace of a preview as the cluster has it; what is undefined is not there. */
export function previewNamespaceObject(options: NamespaceOptions = {}): KubernetesObject {
  const whose = { ...identity, ...options.identity };
  const known = <T>(values: Record<string, T | null | undefined>) =>
    Object.fromEntries(
      Object.entries(values).filter((entry): entry is [string, T] => entry[1] !== undefined && entry[1] !== null),
    );
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: `${whose.release}-pr-${whose.number}`,
      ...known({
        uid: `uid-${whose.number}`,
        resourceVersion: '100',
        creationTimestamp: '2026-03-10T10:00:00Z',
        ...options.metadata,
      }),
      labels: known({ ...labelsOfPreview(whose), ...options.labels }),
      annotations: known({ ...annotationsOfPreview(facts(options.facts)), ...options.annotations }),
    },
    ...(options.status === undefined ? {} : { status: options.status }),
  };
}
