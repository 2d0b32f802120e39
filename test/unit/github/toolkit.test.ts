import { getOctokit } from '@actions/github';
import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { FakeGitHub, type Call } from '../../support/github/fake-github.ts';
import { hashOf } from '../../support/github/state.ts';
import { clientOf } from './clients.ts';

let fake: FakeGitHub;

beforeEach(async () => {
  fake = await FakeGitHub.start();
  fake.state.open(7);
});

afterEach(async () => {
  await fake[Symbol.asyncDispose]();
});

/** What decides how GitHub understands a call. */
function essence({ operation, method, path, query, body, headers, status }: Call) {
  const { accept, authorization } = headers;
  return { operation, method, path, query, body, accept, authorization, status };
}

/** An octokit with methods for all operations, as the toolkit of GitHub Actions makes it: what it sends is what GitHub's own people mean. */
test('it asks as the toolkit of GitHub Actions does, and the loopback GitHub understands both alike', async () => {
  const { owner, name: repo } = fake.state.repository;
  const { rest } = getOctokit(fake.token, { baseUrl: fake.apiUrl });
  const ours = await clientOf(fake);
  const deployment = { ref: hashOf(7), task: 'deploy', environment: 'production', description: 'revision 3' };
  const pairs: [() => Promise<unknown>, () => Promise<unknown>][] = [
    [() => ours.pullRequest(7), () => rest.pulls.get({ owner, repo, pull_number: 7 })],
    [() => ours.createComment(7, 'a'), () => rest.issues.createComment({ owner, repo, issue_number: 7, body: 'a' })],
    [() => ours.comments(7), () => rest.issues.listComments({ owner, repo, issue_number: 7, per_page: 100, page: 1 })],
    [
      () => ours.deployments({ environment: 'production' }),
      () => rest.repos.listDeployments({ owner, repo, environment: 'production', per_page: 100, page: 1 }),
    ],
    [
      () => ours.createDeployment({ ...deployment, transient: false, payload: {} }),
      () =>
        rest.repos.createDeployment({
          owner,
          repo,
          ...deployment,
          auto_merge: false,
          required_contexts: [],
          transient_environment: false,
          payload: {},
        }),
    ],
  ];
  for (const [own, toolkit] of pairs) {
    fake.calls.length = 0;
    await own();
    await toolkit();
    const [first, second] = fake.calls.map(essence);
    // Our own key, by which a record is found whose answer got lost.
    const withoutKey = JSON.parse(JSON.stringify(first).replace(/"request":"[^"]*"/, '')) as unknown;
    expect(withoutKey).toEqual(second);
    expect(first?.status).toBeLessThan(300);
  }
  await ours.close();
});
