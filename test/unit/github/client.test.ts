import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { GitHubClient } from '../../../src/github/client.ts';
import type { NewDeployment } from '../../../src/github/github.ts';
import { FakeGitHub } from '../../support/github/fake-github.ts';
import { secondaryLimit, type Fault } from '../../support/github/faults.ts';
import { hashOf } from '../../support/github/state.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { clientOf, problemOf } from './clients.ts';

let fake: FakeGitHub;
let github: GitHubClient;

beforeEach(async () => {
  fake = await FakeGitHub.start();
  github = await clientOf(fake);
});

afterEach(async () => {
  await github.close();
  await fake[Symbol.asyncDispose]();
});

const deployment: NewDeployment = {
  ref: hashOf(7),
  task: 'preview:pr-7:shop',
  environment: 'preview',
  description: 'revision 3',
  transient: true,
  payload: { release: 'shop' },
};

/** Every way of the client, with what the job has to grant for it. */
const calls: [string, string, (client: GitHubClient) => Promise<unknown>][] = [
  ['pullRequest', 'pull-requests: read', (client) => client.pullRequest(7)],
  ['openPullRequests', 'pull-requests: read', (client) => client.openPullRequests()],
  ['hasBranch', 'contents: read', (client) => client.hasBranch('change-7')],
  ['comments', 'pull-requests: read', (client) => client.comments(7)],
  ['createComment', 'pull-requests: write', (client) => client.createComment(7, 'text')],
  ['updateComment', 'pull-requests: write', (client) => client.updateComment(1001, 'text')],
  ['deleteComment', 'pull-requests: write', (client) => client.deleteComment(1001)],
  ['deployments', 'deployments: read', (client) => client.deployments({ environment: 'preview' })],
  ['deploymentStatuses', 'deployments: read', (client) => client.deploymentStatuses(1002)],
  ['createDeployment', 'deployments: write', (client) => client.createDeployment(deployment)],
  [
    'createDeploymentStatus',
    'deployments: write',
    (client) => client.createDeploymentStatus(1002, { state: 'success', description: '' }),
  ],
];

/** What the calls above find. */
function fill({ state }: FakeGitHub): void {
  state.open(7);
  state.say(7, 'hello', 'github-actions[bot]');
  state.deploy({ ...deployment, sha: hashOf(7), production: false, creator: 'github-actions[bot]' });
}

describe('pull requests', () => {
  test('one is read as it is now', async () => {
    fake.state.open(7, { draft: true, labels: ['preview'], title: 'Say "hi" <b>', author: 'hubot' });
    expect(await github.pullRequest(7)).toEqual({
      number: 7,
      state: 'open',
      merged: false,
      draft: true,
      title: 'Say "hi" <b>',
      labels: ['preview'],
      author: 'hubot',
      head: { sha: hashOf(7), branch: 'change-7', repositoryId: 4711 },
      base: { branch: 'main', repositoryId: 4711 },
      url: `${fake.serverUrl}/acme/shop/pull/7`,
    });
    fake.state.close(7, 'merged');
    expect(await github.pullRequest(7)).toMatchObject({ state: 'closed', merged: true });
  });

  test('the repository of its branch is missing when the fork was deleted', async () => {
    fake.state.open(7, { head: { sha: hashOf(7), branch: 'patch-1', repositoryId: null } });
    expect((await github.pullRequest(7))?.head).toEqual({ sha: hashOf(7), branch: 'patch-1' });
  });

  test('there is none only when the repository and its pull requests can be seen', async () => {
    expect(await github.pullRequest(8)).toBeUndefined();
    expect(fake.asked).toEqual(['pulls/get', 'repos/get', 'pulls/list']);
  });

  test('to a token that may not see them, a pull request is not missing', async () => {
    fake.state.repository.private = true;
    fake.state.open(7);
    fake.addToken('blind', { permissions: { contents: 'read' }, hides: true });
    const error = await problemOf((await clientOf(fake, { token: 'blind' })).pullRequest(7));
    expect(error).toMatchObject({ problem: 'missing-right', permission: 'pull-requests: read', status: 404 });
  });

  test('in a repository that was made anew under the same name, none is missing', async () => {
    const client = await clientOf(fake, { repository: { owner: 'acme', name: 'shop', id: 99 } });
    expect(await problemOf(client.pullRequest(8))).toMatchObject({ problem: 'refused' });
    fake.state.open(7);
    expect(await problemOf(client.pullRequest(7))).toMatchObject({ problem: 'unreachable' });
  });

  test('all open ones are listed, whatever the number of pages', async () => {
    for (let number = 1; number <= 230; number += 1) fake.state.open(number);
    fake.state.close(120);
    const found = await github.openPullRequests();
    expect(found.map(({ number }) => number)).toEqual(
      Array.from({ length: 230 }, (_, index) => index + 1).filter((number) => number !== 120),
    );
    expect(fake.calls.map(({ query }) => query['page'])).toEqual(['1', '2', '3']);
  });

  test('a list with a page missing is an error and no shorter list', async () => {
    for (let number = 1; number <= 150; number += 1) fake.state.open(number);
    fake.after('pulls/list', () => {
      fake.fail('pulls/list', 'empty page');
    });
    expect(await problemOf(github.openPullRequests())).toMatchObject({ problem: 'unreachable' });
  });
});

describe('branches', () => {
  test('one with slashes is found, and one that is gone is not', async () => {
    fake.state.branches.set('feature/a b', hashOf(1));
    expect(await github.hasBranch('feature/a b')).toBe(true);
    expect(await github.hasBranch('feature/a')).toBe(false);
  });

  test('to a token that may not see them, a branch is not missing', async () => {
    fake.state.repository.private = true;
    fake.addToken('blind', { permissions: { 'pull-requests': 'read' }, hides: true });
    const error = await problemOf((await clientOf(fake, { token: 'blind' })).hasBranch('gone'));
    expect(error).toMatchObject({ problem: 'missing-right', permission: 'contents: read' });
  });
});

describe('comments', () => {
  test('all of 250 are listed, oldest first, with deleted accounts (okteto/deploy-preview finds its own on the first page only)', async () => {
    fake.state.open(7);
    for (let count = 0; count < 249; count += 1) fake.state.say(7, `remark ${count}`, 'octocat');
    fake.state.say(7, 'last', null);
    const found = await github.comments(7);
    expect(found).toHaveLength(250);
    expect(found[0]).toMatchObject({ body: 'remark 0', author: 'octocat' });
    expect(found[249]).not.toHaveProperty('author');
  });

  test('one is written, edited and deleted, and deleting it again is no error', async () => {
    fake.state.open(7);
    const { id } = await github.createComment(7, 'one');
    expect(await github.updateComment(id, 'two')).toMatchObject({ id, body: 'two', author: 'github-actions[bot]' });
    await github.deleteComment(id);
    await github.deleteComment(id);
    expect(fake.state.comments).toEqual([]);
    expect(await problemOf(github.updateComment(id, 'three'))).toMatchObject({ problem: 'refused', status: 404 });
  });

  test('one whose answer got lost is not written twice', async () => {
    fake.state.open(7);
    fake.fail('issues/create-comment', 'lost answer');
    const error = await problemOf(github.createComment(7, 'one'));
    expect(error.problem).toBe('unreachable');
    expect(error.message).toContain('whether it was carried out anyway is unknown');
    expect(fake.state.comments).toHaveLength(1);
  });
});

describe('deployment records', () => {
  test('one never merges and waits for no check (drevops/vortex#1903, chrnorm/deployment-action#1)', async () => {
    const made = await github.createDeployment(deployment);
    expect(fake.calls[0]?.body).toMatchObject({
      auto_merge: false,
      required_contexts: [],
      production_environment: false,
    });
    expect(fake.state.deployments).toMatchObject([
      {
        id: made.id,
        ref: hashOf(7),
        task: 'preview:pr-7:shop',
        environment: 'preview',
        transient: true,
        production: false,
      },
    ]);
  });

  test('descriptions are cut to 140 characters, never within one', async () => {
    const description = `${'x'.repeat(138)}🚀 and more`;
    const { id } = await github.createDeployment({ ...deployment, description });
    await github.createDeploymentStatus(id, { state: 'failure', description });
    const [record] = fake.state.deployments;
    expect(record?.description).toBe(`${'x'.repeat(138)}…`);
    expect(record?.statuses[0]?.description).toBe(`${'x'.repeat(138)}…`);
  });

  test('they are listed by environment and task, newest first', async () => {
    const first = await github.createDeployment(deployment);
    await github.createDeployment({ ...deployment, task: 'preview:pr-8:shop' });
    const second = await github.createDeployment(deployment);
    const found = await github.deployments({ environment: 'preview', task: 'preview:pr-7:shop' });
    expect(found.map(({ id }) => id)).toEqual([second.id, first.id]);
  });

  test('a status ends no record of another release in the same environment', async () => {
    const shared = { ...deployment, environment: 'staging', transient: false };
    const api = await github.createDeployment({ ...shared, task: 'deploy:api' });
    await github.createDeploymentStatus(api.id, { state: 'success', description: '' });
    const web = await github.createDeployment({ ...shared, task: 'deploy:web' });
    const links = { environmentUrl: 'https://web.example.com', logUrl: 'https://github.com/acme/shop/actions/runs/1' };
    await github.createDeploymentStatus(web.id, { state: 'success', description: '', ...links });
    expect((await github.deploymentStatuses(api.id)).map(({ state }) => state)).toEqual(['success']);
    expect(await github.deploymentStatuses(web.id)).toMatchObject([{ state: 'success', logUrl: links.logUrl }]);
  });

  test.each<Fault>(['lost answer', 'lost to a gateway'])(
    'one is made once although its answer was %s',
    async (fault) => {
      fake.fail('repos/create-deployment', fault);
      const made = await github.createDeployment(deployment);
      expect(fake.state.deployments.map(({ id }) => id)).toEqual([made.id]);
    },
  );

  test('one that was not made is made then', async () => {
    await github.createDeployment(deployment);
    fake.fail('repos/create-deployment', { status: 500 });
    const made = await github.createDeployment(deployment);
    expect(fake.state.deployments.map(({ id }) => id)).toContain(made.id);
    expect(fake.state.deployments).toHaveLength(2);
  });

  test('a commit that is gone is refused with the words of GitHub', async () => {
    fake.state.lostCommits.add(hashOf(7));
    const error = await problemOf(github.createDeployment(deployment));
    expect(error).toMatchObject({ problem: 'refused', status: 422 });
    expect(error.message).toContain(`No ref found for: ${hashOf(7)}`);
  });
});

describe('rights', () => {
  const without = (permission: string) => {
    const [name = ''] = permission.split(':');
    const level = permission.endsWith('write') ? 'read' : 'none';
    return { contents: 'write', deployments: 'write', 'pull-requests': 'write', [name]: level } as const;
  };

  test.each(calls)('%s without "%s" says so', async (_, permission, call) => {
    fake.state.repository.private = true;
    fill(fake);
    for (const hides of [false, true]) {
      fake.addToken('narrow', { permissions: without(permission), hides });
      const client = await clientOf(fake, { token: 'narrow' });
      const error = await problemOf(call(client));
      expect(error).toMatchObject({ problem: 'missing-right', permission });
      expect(error.hint).toContain(`"${permission}"`);
      await client.close();
    }
  });

  test('a token that nobody accepts is no matter of permissions', async () => {
    const error = await problemOf((await clientOf(fake, { token: 'expired' })).comments(7));
    expect(error).toMatchObject({ problem: 'refused', status: 401, permission: undefined });
  });

  test.each([
    'Unable to create comment because issue is locked.',
    'Repository was archived so is read-only.',
    'Resource protected by organization SAML enforcement.',
  ])('nor is 403 "%s"', async (message) => {
    fake.fail('issues/create-comment', { status: 403, message });
    fake.state.open(7);
    expect(await problemOf(github.createComment(7, 'x'))).toMatchObject({ problem: 'refused', permission: undefined });
  });

  test('a token may have any form and length (dessant/lock-threads#55)', async () => {
    const long = `${'a'.repeat(200)}.${'b'.repeat(200)}.${'c-_9'.repeat(30)}`;
    fake.addToken(long);
    fake.state.open(7);
    expect(await (await clientOf(fake, { token: long })).comments(7)).toEqual([]);
  });
});

describe('limits', () => {
  test.each([403, 429] as const)('%d with a time to wait is waited for, and is no missing right', async (status) => {
    const clock = new HastyClock();
    const client = await clientOf(fake, { clock });
    fake.state.open(7);
    fake.fail('issues/create-comment', secondaryLimit({ status, retryAfter: 20 }));
    expect(await client.createComment(7, 'one')).toMatchObject({ body: 'one' });
    expect(clock.sleeps).toEqual([20_000]);
  });

  test.each([secondaryLimit(), secondaryLimit({ status: 429 }), secondaryLimit({ retryAfter: 61 })])(
    'more than a minute is not waited for, and GitHub is left alone until then (%j)',
    async (fault) => {
      const clock = new HastyClock();
      const client = await clientOf(fake, { clock });
      fake.fail('pulls/list', fault);
      expect(await problemOf(client.openPullRequests())).toMatchObject({ problem: 'limited' });
      expect(await problemOf(client.openPullRequests())).toMatchObject({ problem: 'limited' });
      expect(fake.asked).toEqual(['pulls/list']);
      expect(clock.sleeps).toEqual([]);
      await clock.sleep(61_001);
      expect(await client.openPullRequests()).toEqual([]);
    },
  );

  test('the hourly limit is waited for until its reset when that is near', async () => {
    const clock = new HastyClock();
    await using near = await FakeGitHub.start({ now: () => clock.now() });
    const client = await clientOf(near, { clock });
    near.rate.remaining = 0;
    near.rate.resetAt = clock.now() + 30_000;
    expect(await client.openPullRequests()).toEqual([]);
    near.rate.remaining = 0;
    expect(await problemOf(client.openPullRequests())).toMatchObject({ problem: 'limited' });
    expect(clock.sleeps).toEqual([30_000]);
    await client.close();
  });

  test('all calls of a run together wait a minute at most', async () => {
    const clock = new HastyClock();
    const client = await clientOf(fake, { clock });
    fake.fail('pulls/list', secondaryLimit({ retryAfter: 40 }), secondaryLimit({ retryAfter: 40 }));
    expect(await problemOf(client.openPullRequests())).toMatchObject({ problem: 'limited' });
    expect(clock.sleeps).toEqual([40_000]);
  });
});

describe('faults', () => {
  test.each<Fault>([{ status: 500 }, { status: 502 }, { html: 503 }, 'reset', 'lost answer'])(
    '%j passes where asking again does no harm',
    async (fault) => {
      fake.state.open(7);
      fake.fail('pulls/get', fault, fault);
      expect(await github.pullRequest(7)).toMatchObject({ number: 7 });
    },
  );

  test.each<Fault>([{ status: 500 }, { html: 503 }, { html: 200 }, 'empty', 'reset', 'silence'])(
    'as long as GitHub answers with %j, nothing is known',
    async (fault) => {
      fill(fake);
      fake.failAlways('*', fault);
      const client = await clientOf(fake, { deadlineMs: 50 });
      for (const [, , call] of calls.filter(([name]) => !/^delete|Status$/.test(name)))
        expect(await problemOf(call(client))).toMatchObject({ problem: 'unreachable' });
      await client.close();
    },
  );

  test('an empty page in the place of one pull request is no pull request', async () => {
    fake.state.open(7);
    fake.fail('pulls/get', 'empty page');
    expect(await problemOf(github.pullRequest(7))).toMatchObject({ problem: 'unreachable' });
  });

  test('where nothing listens, the message says so', async () => {
    await fake[Symbol.asyncDispose]();
    const error = await problemOf(github.openPullRequests());
    expect(error.problem).toBe('unreachable');
    expect(error.message).toMatch(
      /^cannot list the open pull requests: no response from 127\.0\.0\.1:\d+: connection refused$/,
    );
    fake = await FakeGitHub.start();
  });

  test('a redirect is not followed with the token', async () => {
    await using other = await FakeGitHub.start();
    fake.fail('pulls/list', { status: 301, message: 'Moved Permanently', headers: { location: `${other.apiUrl}/x` } });
    expect(await problemOf(github.openPullRequests())).toMatchObject({ problem: 'refused', status: 301 });
    expect(other.calls).toEqual([]);
  });

  test('a run that is cancelled waits for no answer', async () => {
    const controller = new AbortController();
    const client = await clientOf(fake, { signal: controller.signal });
    fake.fail('pulls/list', 'silence');
    fake.before('pulls/list', () => {
      controller.abort(new Error('cancelled'));
    });
    await expect(client.openPullRequests()).rejects.toThrow('cancelled');
  });

  test('writes go one after the other', async () => {
    fake.state.open(7);
    const begun = () => fake.calls.filter(({ method }) => method === 'POST').length;
    const seen: number[] = [];
    for (let count = 1; count <= 3; count += 1) {
      fake.before('issues/create-comment', async () => {
        // Time enough for another one to arrive.
        await github.comments(7);
        seen.push(begun());
      });
    }
    await Promise.all(['a', 'b', 'c'].map((body) => github.createComment(7, body)));
    expect(seen).toEqual([1, 2, 3]);
    expect(fake.state.comments.map(({ body }) => body)).toEqual(['a', 'b', 'c']);
  });

  test('the proxy of the environment is used for GitHub, but not for loopback', async () => {
    const env = { HTTP_PROXY: 'http://127.0.0.1:9', HTTPS_PROXY: 'http://127.0.0.1:9' };
    expect(await (await clientOf(fake, { env })).openPullRequests()).toEqual([]);
    const error = await problemOf(
      (await clientOf(fake, { env, apiUrl: 'https://github.example.com/api/v3' })).openPullRequests(),
    );
    expect(error.problem).toBe('unreachable');
    expect(error.message).toContain('connection refused');
  });
});

describe('GitHub Enterprise Server', () => {
  test('everything is asked below its base path', async () => {
    await using server = await FakeGitHub.start({ basePath: '/api/v3' });
    fill(server);
    const client = await clientOf(server);
    for (const [, , call] of calls) await call(client);
    expect(server.calls.map(({ status }) => status).filter((status) => status === undefined || status >= 400)).toEqual(
      [],
    );
    expect(server.calls).toHaveLength(calls.length);
    expect(client.repository.url).toBe(`${server.serverUrl}/acme/shop`);
    await client.close();
  });
});

test('the id of the repository is asked for where the runner does not tell it', async () => {
  const client = await clientOf(fake, { repository: { owner: 'acme', name: 'shop' } });
  expect(client.repository).toEqual({ id: 4711, owner: 'acme', name: 'shop', url: `${fake.serverUrl}/acme/shop` });
  expect(fake.asked).toEqual(['repos/get']);
});
