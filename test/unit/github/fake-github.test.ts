import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { FakeGitHub } from '../../support/github/fake-github.ts';
import { hashOf } from '../../support/github/state.ts';

let fake: FakeGitHub;

beforeEach(async () => {
  fake = await FakeGitHub.start();
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

interface Got {
  status: number;
  headers: Headers;
  body: unknown;
}

async function send(method: string, path: string, body?: unknown, token = fake.token): Promise<Got> {
  const response = await fetch(`${fake.apiUrl}/repos/acme/shop${path}`, {
    method,
    headers: { authorization: `token ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
}

const plain = { ref: hashOf(1), auto_merge: false, required_contexts: [], environment: 'staging' };

async function deploy(changes: Record<string, unknown> = {}): Promise<number> {
  const { body } = await send('POST', '/deployments', { ...plain, ...changes });
  return (body as { id: number }).id;
}

const states = () => fake.state.deployments.map(({ statuses }) => statuses.map(({ state }) => state));

describe('what the description forbids is refused, and what it does not know as well', () => {
  test.each([
    ['a missing ref', { auto_merge: false }, /ref/],
    ['a key that is none', { ...plain, auto_merg: false }, /auto_merg is not a key/],
    ['a wrong type', { ...plain, auto_merge: 'no' }, /auto_merge must be boolean/],
    ['a description of 141 characters', { ...plain, description: 'x'.repeat(141) }, /description is too long/],
  ])('%s', async (_, body, message) => {
    expect(await send('POST', '/deployments', body)).toMatchObject({
      status: 422,
      body: { message: expect.stringMatching(message) },
    });
    expect(fake.state.deployments).toEqual([]);
  });

  test('a comment of more than 65,536 characters (vebr/jest-lcov-reporter#14)', async () => {
    fake.state.open(7);
    expect(await send('POST', '/issues/7/comments', { body: 'x'.repeat(65_536) })).toMatchObject({ status: 201 });
    expect(await send('POST', '/issues/7/comments', { body: 'x'.repeat(65_537) })).toMatchObject({ status: 422 });
  });

  test('a parameter that is none, and a path that leads nowhere', async () => {
    expect(await send('GET', '/pulls?staet=open')).toMatchObject({ status: 422 });
    expect(await send('GET', '/pulls/abc')).toMatchObject({ status: 422 });
    expect(await send('GET', '/milestones')).toMatchObject({ status: 404 });
  });
});

describe('deployments', () => {
  test('without required_contexts the checks count (sbb-design-systems/sbb-angular#2447)', async () => {
    const { ref } = plain;
    expect(await send('POST', '/deployments', { ref, auto_merge: false })).toMatchObject({ status: 409 });
    expect(await send('POST', '/deployments', { ...plain, required_contexts: ['ci'] })).toMatchObject({ status: 409 });
  });

  test('without auto_merge: false the default branch is merged instead (chrnorm/deployment-action#1)', async () => {
    const { ref } = plain;
    expect(await send('POST', '/deployments', { ref, required_contexts: [] })).toMatchObject({ status: 202 });
    expect(fake.state.deployments).toEqual([]);
  });

  test('a success makes older successes of its environment inactive, whatever the capitals', async () => {
    const [first, second] = [await deploy(), await deploy({ environment: 'Staging' })];
    await send('POST', `/deployments/${first}/statuses`, { state: 'success' });
    await send('POST', `/deployments/${second}/statuses`, { state: 'success' });
    expect(states()).toEqual([['inactive', 'success'], ['success']]);
  });

  test.each([
    ['transient', { transient_environment: true }],
    ['of production', { production_environment: true }],
    ['of the environment "production"', { environment: 'production' }],
  ])('but none that is %s', async (_, changes) => {
    for (const id of [await deploy(changes), await deploy(changes)])
      await send('POST', `/deployments/${id}/statuses`, { state: 'success' });
    expect(states()).toEqual([['success'], ['success']]);
  });

  test('nor one that has failed, nor any when it is told not to', async () => {
    const [failed, good, last] = [await deploy(), await deploy(), await deploy()];
    await send('POST', `/deployments/${failed}/statuses`, { state: 'failure' });
    await send('POST', `/deployments/${good}/statuses`, { state: 'success' });
    await send('POST', `/deployments/${last}/statuses`, { state: 'success', auto_inactive: false });
    expect(states()).toEqual([['failure'], ['success'], ['success']]);
  });

  test('an active one cannot be deleted unless it is the only one', async () => {
    const first = await deploy();
    const second = await deploy();
    await send('POST', `/deployments/${first}/statuses`, { state: 'success' });
    expect(await send('DELETE', `/deployments/${first}`)).toMatchObject({ status: 422 });
    await send('POST', `/deployments/${second}/statuses`, { state: 'inactive' });
    expect(await send('DELETE', `/deployments/${second}`)).toMatchObject({ status: 204 });
    expect(await send('DELETE', `/deployments/${first}`)).toMatchObject({ status: 204 });
  });

  test('an environment comes with its first record (JSONbored/loopover#8620)', async () => {
    await deploy({ environment: 'preview' });
    expect([...fake.state.environments]).toEqual(['preview']);
  });
});

test('lists come in pages, 30 by default and 100 at most, with links to the others', async () => {
  fake.state.open(7);
  for (let count = 1; count <= 250; count += 1) fake.state.say(7, `${count}`, 'octocat');
  const first = await send('GET', '/issues/7/comments');
  expect(first.body).toHaveLength(30);
  const last = await send('GET', '/issues/7/comments?per_page=100&page=3');
  expect(last.body).toHaveLength(50);
  expect(last.headers.get('link')).toContain('rel="prev"');
  expect(last.headers.get('link')).not.toContain('rel="next"');
  expect(await send('GET', '/issues/7/comments?per_page=500')).toMatchObject({ body: { length: 100 } });
});

describe('rights', () => {
  test('the author is whom the token belongs to', async () => {
    fake.state.open(7);
    fake.addToken('of-a-person', { login: 'octocat' });
    await send('POST', '/issues/7/comments', { body: 'a' });
    await send('POST', '/issues/7/comments', { body: 'b' }, 'of-a-person');
    expect(fake.state.comments.map(({ author }) => author)).toEqual(['github-actions[bot]', 'octocat']);
  });

  test('a token of a fork reads what is public and writes nothing', async () => {
    fake.state.open(7);
    fake.addToken('of-a-fork', { permissions: { contents: 'read', 'pull-requests': 'read' } });
    expect(await send('GET', '/pulls/7', undefined, 'of-a-fork')).toMatchObject({ status: 200 });
    expect(await send('POST', '/issues/7/comments', { body: 'a' }, 'of-a-fork')).toMatchObject({
      status: 403,
      body: { message: 'Resource not accessible by integration' },
    });
    expect(await send('POST', '/deployments', plain, 'of-a-fork')).toMatchObject({ status: 403 });
    expect(await send('GET', '/pulls/7', undefined, 'nobody')).toMatchObject({ status: 401 });
  });

  test('a locked conversation answers 403, issues that are switched off 410', async () => {
    fake.state.open(7, { locked: true });
    expect(await send('POST', '/issues/7/comments', { body: 'a' })).toMatchObject({ status: 403 });
    fake.state.repository.withoutIssues = true;
    expect(await send('POST', '/issues/7/comments', { body: 'a' })).toMatchObject({ status: 410 });
  });
});

test('the hourly limit is told by headers, and ends at its reset', async () => {
  fake.rate.remaining = 1;
  expect((await send('GET', '/pulls')).headers.get('x-ratelimit-remaining')).toBe('0');
  expect(await send('GET', '/pulls')).toMatchObject({ status: 403 });
  fake.rate.resetAt = Date.now() - 1;
  expect(await send('GET', '/pulls')).toMatchObject({ status: 200 });
});

test('a test can change what is there between two calls, and before one is carried out', async () => {
  fake.state.open(7);
  fake.before('pulls/get', () => {
    fake.state.close(7);
  });
  expect(await send('GET', '/pulls/7')).toMatchObject({ body: { state: 'closed', merged: false } });
  fake.after('pulls/get', () => {
    fake.state.close(7, 'merged');
  });
  expect(await send('GET', '/pulls/7')).toMatchObject({ body: { merged: false } });
  expect(await send('GET', '/pulls/7')).toMatchObject({ body: { merged: true } });
  expect(fake.asked).toEqual(['pulls/get', 'pulls/get', 'pulls/get']);
});
