import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { GitHubClient } from '../../../src/github/client.ts';
import { commentBody } from '../../../src/github/comment-text.ts';
import { authorOfJobs, writeStickyComment, type StickyComment } from '../../../src/github/sticky-comment.ts';
import { FakeGitHub, type FakeGitHubOptions } from '../../support/github/fake-github.ts';
import type { Fault } from '../../support/github/faults.ts';
import type { FakeComment } from '../../support/github/state.ts';
import { clientOf } from './clients.ts';

let fake: FakeGitHub;
let github: GitHubClient;

async function start(options: FakeGitHubOptions = {}): Promise<void> {
  fake = await FakeGitHub.start(options);
  fake.state.open(7);
  github = await clientOf(fake);
}

beforeEach(async () => {
  await start();
});

afterEach(async () => {
  await github.close();
  await fake[Symbol.asyncDispose]();
});

function sticky(head: string, changes: Partial<StickyComment> = {}): StickyComment {
  return { number: 7, release: 'shop', sequence: [5], text: { head, evidence: [] }, ...changes };
}

/** The body of such a comment. */
function bodyOf(head: string, { release = 'shop', sequence = [5], number = 7, repository = 4711 } = {}): string {
  return commentBody({ v: 1, release, repository, number, sequence }, { head, evidence: [] });
}

function ours(head: string, changes: Parameters<typeof bodyOf>[1] = {}): FakeComment {
  return fake.state.say(7, bodyOf(head, changes), authorOfJobs);
}

const bodies = () => fake.state.comments.map(({ body }) => body);
const writes = () => fake.calls.filter(({ method }) => method !== 'GET').map(({ operation }) => operation);

test('the first is created, and then edited in place', async () => {
  expect(await writeStickyComment(github, sticky('one'))).toMatchObject({
    state: 'created',
    comment: { body: bodyOf('one') },
  });
  expect(await writeStickyComment(github, sticky('two'))).toMatchObject({ state: 'edited' });
  expect(bodies()).toEqual([bodyOf('two')]);
});

test('nothing is written where it says the same already', async () => {
  ours('one');
  expect(await writeStickyComment(github, sticky('one'))).toMatchObject({ state: 'unchanged' });
  expect(writes()).toEqual([]);
});

describe('among 250 comments (okteto/deploy-preview looks at the first 30)', () => {
  const fill = (ownAt: number | undefined) => {
    for (let count = 1; count <= 250; count += 1) {
      if (count === ownAt) ours('old');
      else fake.state.say(7, `remark ${count}`, count % 3 === 0 ? authorOfJobs : 'octocat');
    }
  };

  test.each([3, 130])('ours at %d is edited', async (place) => {
    fill(place);
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({ state: 'edited' });
    expect(bodies()[place - 1]).toBe(bodyOf('new'));
    expect(bodies()).toHaveLength(250);
    expect(writes()).toEqual(['issues/update-comment']);
  });

  test('one is created where ours is missing', async () => {
    fill(undefined);
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({ state: 'created' });
    expect(bodies()).toHaveLength(251);
  });

  test('none is created when a page is missing', async () => {
    fill(250);
    fake.after('issues/list-comments', () => {
      fake.fail('issues/list-comments', 'empty page');
    });
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({
      state: 'failed',
      error: { problem: 'unreachable' },
    });
    expect(writes()).toEqual([]);
  });
});

describe('only our own are touched', () => {
  test('not one of a person who quotes ours, marker and all', async () => {
    fake.state.say(7, bodyOf('quoted'), 'octocat');
    fake.state.say(7, `> ${bodyOf('quoted')}\n\nwhat is this?`, authorOfJobs);
    fake.state.say(7, bodyOf('of a ghost'), null);
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({ state: 'created' });
    expect(bodies().slice(0, 3)).toEqual([bodyOf('quoted'), expect.stringContaining('> <!--'), bodyOf('of a ghost')]);
  });

  test.each([
    ['release', { release: 'api' }],
    ['pull request', { number: 8 }],
    ['repository', { repository: 1 }],
  ])('not one of another %s', async (_, changes) => {
    const other = ours('other', changes);
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({ state: 'created' });
    expect(fake.state.comments).toContainEqual(
      expect.objectContaining({ id: other.id, body: bodyOf('other', changes) }),
    );
  });

  test('with another token, those of whom it belongs to', async () => {
    fake.addToken('of-an-app', { login: 'Shop-Deployer[bot]' });
    const app = await clientOf(fake, { token: 'of-an-app' });
    ours('by the job');
    const author = 'shop-deployer[bot]';
    expect(await writeStickyComment(app, sticky('one', { author }))).toMatchObject({ state: 'created' });
    expect(await writeStickyComment(app, sticky('two', { author }))).toMatchObject({ state: 'edited' });
    expect(bodies()).toEqual([bodyOf('by the job'), bodyOf('two')]);
    await app.close();
  });
});

describe('two comments become one (buildinternet/uploads#470, codesandbox/codesandbox-ci-ui#6)', () => {
  test('the oldest is written before the others go', async () => {
    const first = ours('a');
    ours('b');
    ours('c');
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({
      state: 'edited',
      comment: { id: first.id },
    });
    expect(bodies()).toEqual([bodyOf('new')]);
    expect(writes()).toEqual(['issues/update-comment', 'issues/delete-comment', 'issues/delete-comment']);
  });

  test('one that another run creates at the same moment is settled at once', async () => {
    fake.before('issues/create-comment', () => {
      ours('by the other', { sequence: [4] });
    });
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({ state: 'created' });
    expect(bodies()).toEqual([bodyOf('new')]);
  });

  test('a crash between the two leaves what the next run mends', async () => {
    ours('a');
    ours('b');
    fake.failAlways('issues/delete-comment', { status: 500 });
    expect(await writeStickyComment(github, sticky('new'))).toMatchObject({ state: 'failed' });
    expect(bodies()).toEqual([bodyOf('new'), bodyOf('b')]);
    fake.failAlways('issues/delete-comment', undefined);
    await writeStickyComment(github, sticky('new'));
    expect(bodies()).toEqual([bodyOf('new')]);
  });
});

describe('an older run does not overwrite a newer one (vuphongle/oss-pr-reviewer#21)', () => {
  test('what has a greater sequence stays', async () => {
    ours('newer', { sequence: [6] });
    expect(await writeStickyComment(github, sticky('older', { sequence: [5, 9] }))).toMatchObject({ state: 'stale' });
    expect(bodies()).toEqual([bodyOf('newer', { sequence: [6] })]);
    expect(writes()).toEqual([]);
  });

  test('also where the newer one stands in a second comment', async () => {
    ours('oldest', { sequence: [1] });
    ours('newer', { sequence: [6] });
    expect(await writeStickyComment(github, sticky('older'))).toMatchObject({ state: 'stale' });
    expect(writes()).toEqual([]);
  });

  test('the same run writes as often as it likes', async () => {
    ours('ready', { sequence: [5] });
    expect(await writeStickyComment(github, sticky('failed'))).toMatchObject({ state: 'edited' });
  });
});

describe('people may do with it what they like', () => {
  test('one that was edited is set right', async () => {
    const comment = ours('one');
    comment.body = `${bodyOf('one')}\n\nI was here`;
    expect(await writeStickyComment(github, sticky('one'))).toMatchObject({ state: 'edited' });
    expect(bodies()).toEqual([bodyOf('one')]);
  });

  test('one that was deleted is created again, also when that happens just now', async () => {
    ours('one');
    fake.before('issues/update-comment', () => {
      fake.state.comments = [];
    });
    expect(await writeStickyComment(github, sticky('two'))).toMatchObject({ state: 'created' });
    expect(bodies()).toEqual([bodyOf('two')]);
  });
});

test('where only one that is there is to be set right, none is created', async () => {
  expect(await writeStickyComment(github, sticky('good again', { onlyExisting: true }))).toEqual({ state: 'absent' });
  ours('failed');
  expect(await writeStickyComment(github, sticky('good again', { onlyExisting: true }))).toMatchObject({
    state: 'edited',
  });
});

describe('what GitHub does not allow is told, not thrown (chmonitor/chmonitor#2715)', () => {
  test('a token that can only read', async () => {
    fake.addToken('of-a-fork', { permissions: { 'pull-requests': 'read' } });
    const fork = await clientOf(fake, { token: 'of-a-fork' });
    expect(await writeStickyComment(fork, sticky('one'))).toMatchObject({
      state: 'failed',
      error: { problem: 'missing-right', permission: 'pull-requests: write', status: 403 },
    });
    await fork.close();
  });

  test('a locked conversation', async () => {
    const pull = fake.state.pullRequests.get(7);
    if (pull !== undefined) pull.locked = true;
    expect(await writeStickyComment(github, sticky('one'))).toMatchObject({
      state: 'failed',
      error: { problem: 'refused', status: 403, message: expect.stringContaining('issue is locked') },
    });
  });

  test('issues that are switched off', async () => {
    fake.state.repository.withoutIssues = true;
    expect(await writeStickyComment(github, sticky('one'))).toMatchObject({
      state: 'failed',
      error: { problem: 'refused', status: 410, message: expect.stringContaining('Issues are disabled') },
    });
  });
});

describe('faults', () => {
  test.each<Fault>(['lost answer', 'lost to a gateway'])('%s: it is written once all the same', async (fault) => {
    fake.fail('issues/create-comment', fault);
    expect(await writeStickyComment(github, sticky('one'))).toMatchObject({ state: 'created' });
    expect(bodies()).toEqual([bodyOf('one')]);
    expect(writes()).toEqual(['issues/create-comment']);
  });

  test.each<Fault>(['reset', { status: 500 }])('%j: it is created then', async (fault) => {
    fake.fail('issues/create-comment', fault);
    expect(await writeStickyComment(github, sticky('one'))).toMatchObject({ state: 'created' });
    expect(bodies()).toEqual([bodyOf('one')]);
  });

  test.each<Fault>([
    { status: 500 },
    { status: 403, message: 'You have exceeded a secondary rate limit' },
    { html: 200 },
    'empty',
  ])('where the list ends in %j, nothing is written', async (fault) => {
    fake.failAlways('issues/list-comments', fault);
    expect(await writeStickyComment(github, sticky('one'))).toMatchObject({ state: 'failed' });
    expect(writes()).toEqual([]);
  });
});

test('the longest text is taken (vebr/jest-lcov-reporter#14, easybuilders/easybuild-easyconfigs#24647)', async () => {
  const text = { head: '### Failed', evidence: ['x'.repeat(40_000), 'y'.repeat(40_000)] };
  expect(await writeStickyComment(github, sticky('', { text }))).toMatchObject({ state: 'created' });
  const longer = { ...text, evidence: ['z'.repeat(50_000), 'y'.repeat(40_000)] };
  expect(await writeStickyComment(github, sticky('', { text: longer }))).toMatchObject({ state: 'edited' });
  expect(bodies()).toEqual([expect.stringContaining('zzz')]);
});

test('all of it works on GitHub Enterprise Server', async () => {
  await github.close();
  await fake[Symbol.asyncDispose]();
  await start({ basePath: '/api/v3' });
  expect(await writeStickyComment(github, sticky('one'))).toMatchObject({ state: 'created' });
  expect(await writeStickyComment(github, sticky('two'))).toMatchObject({ state: 'edited' });
});
