import { expect, test } from '@jest/globals';

import { GitHubError } from '../../../src/github/github-error.ts';
import { createTelling } from '../../../src/github/telling.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { FakeGitHub } from '../../support/github/fake-github.ts';
import { clientOf } from './clients.ts';

const failing = (error: Error) => () => Promise.reject(error);

test('what GitHub answers is passed on', async () => {
  const reporter = listeningReporter();
  expect(await createTelling(reporter).ask(() => Promise.resolve(7))).toEqual({ state: 'done', value: 7 });
  expect(reporter.lines).toEqual([]);
});

test('each missing right is one warning that names the permission to add, however many calls it stops', async () => {
  await using fake = await FakeGitHub.start({ repository: { private: true } });
  fake.state.open(7);
  fake.addToken('narrow', { permissions: { contents: 'read' } });
  const github = await clientOf(fake, { token: 'narrow' });
  const reporter = listeningReporter();
  const telling = createTelling(reporter);
  await telling.ask(() => github.comments(7));
  await telling.ask(() => github.pullRequest(7));
  await telling.ask(() => github.deployments({ environment: 'preview' }));
  await telling.ask(() => github.createComment(7, 'x'));
  await github.close();
  expect(reporter.lines.map((line) => /Add "(?<permission>[^"]+)"/.exec(line)?.groups?.['permission'])).toEqual([
    'pull-requests: read',
    'deployments: read',
    'pull-requests: write',
  ]);
});

test('that GitHub is away is told once, each refusal by itself', async () => {
  const reporter = listeningReporter();
  const telling = createTelling(reporter);
  for (const message of ['a', 'b']) await telling.ask(failing(new GitHubError(message, { problem: 'unreachable' })));
  for (const message of ['c', 'd', 'c']) await telling.ask(failing(new GitHubError(message, { problem: 'refused' })));
  expect(reporter.lines).toEqual(['warning a', 'warning c', 'warning d']);
});

test('nothing is thrown into a deploy, not even a fault of our own', async () => {
  const reporter = listeningReporter();
  expect(await createTelling(reporter).ask(failing(new TypeError('x is not a function')))).toMatchObject({
    state: 'failed',
    error: { problem: 'unreachable', message: 'GitHub could not be asked: x is not a function' },
  });
  expect(reporter.lines).toHaveLength(1);
});

test('what fails because the run ends is not told', async () => {
  const reporter = listeningReporter();
  const telling = createTelling(reporter, AbortSignal.abort());
  expect(await telling.ask(failing(new Error('aborted')))).toMatchObject({ state: 'failed' });
  expect(reporter.lines).toEqual([]);
});
