import { describe, expect, test } from '@jest/globals';

import { decide, type Asked, type PreviewRules } from '../../../src/preview/decide.ts';
import { fromFork, head, pullRequest } from './build.ts';

const rules: PreviewRules = { when: { is: 'always' }, forks: 'skip', until: 'closed' };
const asked: Asked = { event: 'pull_request', sha: head, hasCredentials: true };
const older = 'ffffffffffffffffffffffffffffffffffffffff';
const labelled: PreviewRules = { ...rules, when: { is: 'label', label: 'preview' } };
const ready: PreviewRules = { ...rules, when: { is: 'ready' } };
const byBranch: PreviewRules = { ...rules, until: 'branch-deleted' };
const approved: PreviewRules = { ...rules, forks: 'approved' };

const present = { state: 'present', sha: head };
const absent = (reason: string, over = true) => ({ state: 'absent', reason, over });
const skipped = (reason: string) => ({ state: 'skipped', reason: expect.stringContaining(reason) });

test('an open pull request gets a preview of its newest commit', () => {
  expect(decide(pullRequest(), rules, asked)).toStrictEqual(present);
  expect(decide(pullRequest(), rules, { event: 'workflow_dispatch', hasCredentials: true })).toStrictEqual(present);
});

test('a pull request that does not exist has none (apache/answer#118)', () => {
  expect(decide(undefined, rules, asked)).toStrictEqual(absent('there is no such pull request'));
});

describe('a closed pull request', () => {
  test.each([
    ['merged', true, 'the pull request was merged'],
    ['closed', false, 'the pull request was closed'],
  ])('that was %s has none, whatever event has asked (KeeperHub/keeperhub#1548)', (_, merged, reason) => {
    const pull = pullRequest({ state: 'closed', merged });
    for (const event of ['pull_request', 'pull_request_target', 'schedule', 'workflow_dispatch']) {
      expect(decide(pull, rules, { ...asked, event })).toStrictEqual(absent(reason));
    }
  });

  test('has none even where it is a draft, a fork, without its label or at another commit', () => {
    const pull = pullRequest({ ...fromFork, state: 'closed', draft: true });
    expect(decide(pull, { ...labelled, forks: 'skip' }, { ...asked, sha: older })).toStrictEqual(
      absent('the pull request was closed'),
    );
  });

  test.each([
    [true, skipped('was merged, and its preview stays until its branch is deleted')],
    [false, absent('the pull request was merged and its branch was deleted')],
    [undefined, skipped('it is unknown whether its branch still exists')],
  ])(
    'keeps it as long as its branch where the workflow says so: branch there %s (kortix-ai/suna#7023)',
    (hasBranch, want) => {
      const pull = pullRequest({ state: 'closed', merged: true });
      const ask = { ...asked, ...(hasBranch === undefined ? {} : { hasBranch }) };
      expect(decide(pull, byBranch, ask)).toStrictEqual(want);
    },
  );

  test('of a fork has none, since nobody tells whether its branch is there', () => {
    const pull = pullRequest({ ...fromFork, state: 'closed' });
    expect(decide(pull, { ...byBranch, forks: 'approved' }, { ...asked, hasBranch: true })).toStrictEqual(
      absent('the pull request was closed, and its branch is in a fork'),
    );
  });
});

describe('which pull requests are meant', () => {
  test('a draft is, unless they have to be ready', () => {
    expect(decide(pullRequest({ draft: true }), rules, asked)).toStrictEqual(present);
    expect(decide(pullRequest(), ready, asked)).toStrictEqual(present);
  });

  test('one that was made a draft again loses it, as if it had always been one', () => {
    expect(decide(pullRequest({ draft: true }), ready, asked)).toStrictEqual(
      absent('the pull request is a draft, and only those ready for review get a preview', false),
    );
  });

  test.each(['preview', 'Preview'])('one with the label "%s" is', (label) => {
    expect(decide(pullRequest({ labels: ['size/L', label] }), labelled, asked)).toStrictEqual(present);
  });

  test('one whose label was taken away loses it (ans-group/docs.ukfast.co.uk#929)', () => {
    expect(decide(pullRequest({ labels: ['preview-keep'] }), labelled, asked)).toStrictEqual(
      absent('the pull request does not have the label "preview"', false),
    );
  });
});

describe('a fork', () => {
  test('is skipped', () => {
    expect(decide(pullRequest(fromFork), rules, asked)).toStrictEqual(skipped('forks get no preview here'));
  });

  test('that was deleted meanwhile is one still', () => {
    const pull = pullRequest({ head: { sha: head, branch: 'prices' } });
    expect(decide(pull, rules, asked)).toStrictEqual(skipped('comes from a fork'));
  });

  test('gets one for the commit that was approved', () => {
    expect(decide(pullRequest(fromFork), approved, asked)).toStrictEqual(present);
  });

  test('gets none for what was pushed after the approval (frankbria/auto-author#191)', () => {
    expect(decide(pullRequest(fromFork), approved, { ...asked, sha: older })).toMatchObject({ state: 'superseded' });
  });

  test('gets none where nobody says what was approved', () => {
    const want = decide(pullRequest(fromFork), approved, { event: 'workflow_dispatch', hasCredentials: true });
    expect(want).toStrictEqual(skipped('does not say which commit was approved'));
  });

  test('has no secrets in its own runs, not even to tear down', () => {
    const none = { ...asked, hasCredentials: false };
    expect(decide(pullRequest(fromFork), approved, none)).toStrictEqual(skipped('whose runs get no secrets'));
    const closed = pullRequest({ ...fromFork, state: 'closed' });
    expect(decide(closed, approved, none)).toStrictEqual(skipped('whose runs get no secrets'));
  });
});

describe('a pull request of Dependabot', () => {
  const pull = pullRequest({ author: 'dependabot[bot]' });

  test.each(['open', 'closed'] as const)(
    'that is %s is skipped where there is nothing to sign in with (KSXGitHub/perfectionist#93)',
    (state) => {
      const want = decide({ ...pull, state }, rules, { ...asked, hasCredentials: false });
      expect(want).toStrictEqual(skipped('Dependabot opened this pull request'));
    },
  );

  test('gets one where a person has pushed, or the secrets of Dependabot are set', () => {
    expect(decide(pull, rules, asked)).toStrictEqual(present);
  });

  test.each(['dependabot', 'renovate[bot]', 'octocat', undefined])(
    'is not what %s opens: that signs in and fails',
    (author) => {
      const other = pullRequest();
      const want = decide({ ...other, ...(author === undefined ? {} : { author }) }, rules, {
        ...asked,
        hasCredentials: false,
      });
      expect(want).toStrictEqual(present);
    },
  );
});

test('a merge queue gets none (nickel-lang/nickel#1277, vm0-ai/vm0#10865)', () => {
  expect(decide(undefined, rules, { ...asked, event: 'merge_group' })).toStrictEqual(skipped('a merge queue'));
  expect(decide(pullRequest(), rules, { ...asked, event: 'merge_group' })).toStrictEqual(skipped('a merge queue'));
});

test('a run for a commit that is not the newest any more leaves the rest to the run of the newest', () => {
  expect(decide(pullRequest(), rules, { ...asked, sha: older })).toStrictEqual({
    state: 'superseded',
    reason: 'this run is for commit fffffff, but the newest commit is now a1b2c3d',
    head,
  });
});
