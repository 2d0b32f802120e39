import { describe, expect, test } from '@jest/globals';

import type { PullRequest } from '../../../src/github/pull-request.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { PreviewRules } from '../../../src/preview/decide.ts';
import { readPreview, type Preview } from '../../../src/preview/identity.ts';
import { afterAsking, sweep, type SweepOptions } from '../../../src/preview/sweep.ts';
import { fromFork, hour, identity, now, previewNamespaceObject, pullRequest } from './build.ts';

const rules: PreviewRules = { when: { is: 'always' }, forks: 'skip', until: 'closed' };
const open = (...pulls: PullRequest[]) => ({ state: 'known', pulls }) as const;
const unknown = { state: 'unknown', reason: 'GitHub answered 500' } as const;

const options: SweepOptions = {
  mode: 'all-closed',
  repository: identity,
  open: open(pullRequest()),
  rules,
  keepLabel: 'preview-keep',
  now,
};

const expired = { facts: { expiresAt: now - hour } };
const goesAt = 'it expires at 2026-03-13 11:00 UTC';

/** What becomes of one namespace, without what it says of itself. */
function verdict(namespace: KubernetesObject, use: Partial<SweepOptions> = {}) {
  const [first] = sweep([namespace], { ...options, ...use });
  if (first === undefined) throw new Error('there is no verdict');
  return { ...first, preview: undefined };
}

test('of five previews and two namespaces that look alike, the expired go, the closed one after a question', () => {
  const namespaces = [
    previewNamespaceObject({ identity: { number: 1 }, ...expired }),
    previewNamespaceObject({ identity: { number: 2 }, ...expired }),
    previewNamespaceObject({ identity: { number: 3 } }),
    previewNamespaceObject({ identity: { number: 4 }, facts: { expiresAt: now - hour, keep: true } }),
    previewNamespaceObject({ identity: { number: 5 } }),
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop-pr-6' } },
    previewNamespaceObject({ identity: { number: 7, repositoryId: 43 }, ...expired }),
  ];
  const pulls = open(
    pullRequest({ number: 2 }),
    pullRequest({ number: 4, labels: ['preview-keep'] }),
    pullRequest({ number: 5 }),
  );
  expect(sweep(namespaces, { ...options, open: pulls }).map((one) => [one.namespace, one.do])).toStrictEqual([
    ['shop-pr-1', 'remove'],
    ['shop-pr-2', 'remove'],
    ['shop-pr-3', 'confirm'],
    ['shop-pr-4', 'keep'],
    ['shop-pr-5', 'keep'],
    ['shop-pr-6', 'not-ours'],
    ['shop-pr-7', 'not-ours'],
  ]);
});

describe('time', () => {
  test.each(['expired', 'all-closed'] as const)('alone removes what has expired, in mode %s', (mode) => {
    for (const one of [options.open, unknown]) {
      expect(verdict(previewNamespaceObject(expired), { mode, open: one })).toMatchObject({
        do: 'remove',
        reason: 'it expired at 2026-03-10 11:00 UTC',
      });
    }
  });

  test.each([
    ['a label that is there', ['preview-keep'], false, 'keep'],
    ['a label that was taken away', [], true, 'remove'],
  ])('does not pass by %s: what the pull request has now counts', (_, labels, keep, expected) => {
    const namespace = previewNamespaceObject({ facts: { ...expired.facts, keep } });
    expect(verdict(namespace, { open: open(pullRequest({ labels })) }).do).toBe(expected);
  });

  test('does not pass by a label of the last deploy where GitHub does not answer', () => {
    const namespace = previewNamespaceObject({ facts: { ...expired.facts, keep: true } });
    expect(verdict(namespace, { open: unknown })).toMatchObject({
      do: 'keep',
      reason: 'the pull requests are unknown: GitHub answered 500; its label keeps it',
    });
  });

  test('never removes what does not expire', () => {
    const namespace = previewNamespaceObject({ annotations: { 'gke-rollout/expires-at': undefined } });
    expect(verdict(namespace)).toMatchObject({ do: 'keep', reason: 'the pull request is open; it does not expire' });
  });
});

describe('a pull request', () => {
  test('that is open keeps its preview until it expires', () => {
    expect(verdict(previewNamespaceObject())).toStrictEqual({
      do: 'keep',
      namespace: 'shop-pr-7',
      preview: undefined,
      reason: `the pull request is open; ${goesAt}`,
      until: now + 71 * hour,
    });
  });

  test('that is not among the open ones is asked for, also where none is open at all', () => {
    expect(verdict(previewNamespaceObject(), { open: open() }).do).toBe('confirm');
    expect(verdict(previewNamespaceObject(), { open: open(pullRequest({ number: 8 })) }).do).toBe('confirm');
  });

  test("is nobody's business in a sweep by time", () => {
    expect(verdict(previewNamespaceObject(), { mode: 'expired', open: open() })).toMatchObject({
      do: 'keep',
      reason: goesAt,
    });
  });

  test('that is not known keeps its preview (inkeep/agents#2930)', () => {
    expect(verdict(previewNamespaceObject(), { open: unknown })).toMatchObject({
      do: 'keep',
      reason: `the pull requests are unknown: GitHub answered 500; ${goesAt}`,
    });
  });

  test.each([
    ['has lost its label', { is: 'label', label: 'preview' } as const, pullRequest()],
    ['was made a draft again', { is: 'ready' } as const, pullRequest({ draft: true })],
  ])('that %s is asked for, as a closed one is (cabotage/cabotage-app#328)', (_, when, pull) => {
    expect(verdict(previewNamespaceObject(), { rules: { ...rules, when }, open: open(pull) }).do).toBe('confirm');
  });

  test('is not measured by the rules of another release', () => {
    const use = { rules: { ...rules, when: { is: 'label', label: 'preview' } as const }, release: 'shop' };
    const blog = previewNamespaceObject({ identity: { release: 'blog' } });
    expect(verdict(blog, use).do).toBe('keep');
    expect(verdict(blog, { ...use, open: open() }).do).toBe('confirm');
    expect(verdict(previewNamespaceObject(), use).do).toBe('confirm');
  });

  test('from a fork that was let in keeps its preview', () => {
    expect(verdict(previewNamespaceObject(), { open: open(pullRequest(fromFork)) }).do).toBe('keep');
  });
});

describe('the answer of GitHub', () => {
  const reading = readPreview(previewNamespaceObject());
  if (reading.state !== 'preview') throw new Error('the builder made no preview');
  const preview: Preview = reading.preview;
  const closed = pullRequest({ state: 'closed', merged: true });
  const byBranch: SweepOptions = { ...options, rules: { ...rules, until: 'branch-deleted' } };

  test.each([
    ['it is closed', { state: 'found', pull: closed } as const, options, 'remove', 'the pull request was merged'],
    [
      'it was opened again meanwhile',
      { state: 'found', pull: pullRequest() } as const,
      options,
      'keep',
      `the pull request is open; ${goesAt}`,
    ],
    [
      'it has the label by now',
      { state: 'found', pull: pullRequest({ labels: ['preview-keep'] }) } as const,
      options,
      'keep',
      'the pull request is open; its label keeps it',
    ],
    [
      'it shows none',
      { state: 'missing' } as const,
      options,
      'keep',
      `GitHub shows no pull request of this number, maybe for lack of permission; ${goesAt}`,
    ],
    [
      'it answers with something else',
      { state: 'unknown', reason: 'it answered 403' } as const,
      options,
      'keep',
      `the pull request is unknown: it answered 403; ${goesAt}`,
    ],
    [
      'it answers for another one',
      { state: 'found', pull: { ...closed, number: 70 } } as const,
      options,
      'keep',
      `GitHub returned another pull request; ${goesAt}`,
    ],
    [
      'the branch is gone',
      { state: 'found', pull: closed, hasBranch: false } as const,
      byBranch,
      'remove',
      'the pull request was merged and its branch was deleted',
    ],
    [
      'the branch is there',
      { state: 'found', pull: closed, hasBranch: true } as const,
      byBranch,
      'keep',
      `the pull request is closed, but its branch is there; ${goesAt}`,
    ],
    [
      'nobody knows of the branch',
      { state: 'found', pull: closed } as const,
      byBranch,
      'keep',
      `the pull request is closed, but its branch may be there; ${goesAt}`,
    ],
  ])('that %s', (_, answer, use, expected, reason) => {
    expect(afterAsking(preview, answer, use)).toMatchObject({ do: expected, reason, namespace: 'shop-pr-7' });
  });
});

test('what GitHub answers is not measured by the rules of another release either', () => {
  const use: SweepOptions = { ...options, rules: { ...rules, when: { is: 'ready' } }, release: 'shop' };
  const answer = { state: 'found', pull: pullRequest({ draft: true }) } as const;
  const outcomes = ['shop', 'blog'].map((release) => {
    const reading = readPreview(previewNamespaceObject({ identity: { release } }));
    return reading.state === 'preview' ? afterAsking(reading.preview, answer, use).do : reading.state;
  });
  expect(outcomes).toStrictEqual(['remove', 'keep']);
});

describe('a namespace', () => {
  test.each([
    ['of another repository', { repositoryId: 43 }, 'it is a preview of acme/shop on github.com'],
    ['of another server', { server: 'git.example.com' }, 'it is a preview of acme/shop on git.example.com'],
  ])('%s is never touched, however expired', (_, other, reason) => {
    expect(verdict(previewNamespaceObject({ identity: other, ...expired }))).toMatchObject({ do: 'not-ours', reason });
  });

  test.each([
    [{ labels: { 'gke-rollout/repository-id': undefined } }, 'it has no label "gke-rollout/repository-id"'],
    [{ annotations: { 'gke-rollout/expires-at': '1970' } }, 'it has "gke-rollout/expires-at", which is not a time'],
    [
      { annotations: { 'gke-rollout/keep': 'please' } },
      'it has the annotation "gke-rollout/keep", which is neither true nor false',
    ],
  ])('that cannot be read is kept: %j', (broken, reason) => {
    expect(verdict(previewNamespaceObject({ ...broken }), { open: open() })).toMatchObject({
      do: 'keep',
      reason: `${reason}, so its owner or expiry is uncertain`,
    });
  });

  test('that is going is told with what it waits for, and not deleted once more (kubernetes/kubernetes#72244)', () => {
    const namespace = previewNamespaceObject({
      ...expired,
      metadata: { deletionTimestamp: '2026-03-09T11:00:00Z' },
      status: {
        conditions: [
          {
            type: 'NamespaceDeletionDiscoveryFailure',
            status: 'True',
            reason: 'DiscoveryFailed',
            message: 'unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1',
          },
          {
            type: 'NamespaceFinalizersRemaining',
            status: 'True',
            reason: 'SomeFinalizersRemain',
            message: 'service.kubernetes.io/load-balancer-cleanup in 1 resource instances',
          },
          {
            type: 'NamespaceContentRemaining',
            status: 'False',
            reason: 'ContentRemoved',
            message: 'All content removed',
          },
        ],
      },
    });
    expect(verdict(namespace)).toMatchObject({
      do: 'stuck',
      reason:
        'it has been terminating since 2026-03-09 11:00 UTC; ' +
        'the API server cannot reach one of its extensions: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1; ' +
        'finalizers are left: service.kubernetes.io/load-balancer-cleanup in 1 resource instances',
    });
  });

  test('that has just begun to go says no more than that', () => {
    const namespace = previewNamespaceObject({ metadata: { deletionTimestamp: '2026-03-10T11:59:00Z' } });
    expect(verdict(namespace)).toMatchObject({
      do: 'stuck',
      reason: 'it has been terminating since 2026-03-10 11:59 UTC',
    });
  });
});
