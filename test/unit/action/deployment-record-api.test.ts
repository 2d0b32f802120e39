/** The record of a run through the client that the action has, against a GitHub that takes nothing but what its description knows. */
import { describe, expect, test } from '@jest/globals';

import type { SavedRecord } from '../../../src/action/deployment-record.ts';
import { gitHubOf } from '../../../src/action/github.ts';
import { gitHubRun } from '../../../src/action/github-run.ts';
import { RecordKeeper } from '../../../src/action/record-keeper.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { FakeGitHub } from '../../support/github/fake-github.ts';
import type { Fault } from '../../support/github/faults.ts';
import { hashOf } from '../../support/github/state.ts';
import { report } from './reports.ts';

const commit = hashOf(0);

function envOf(fake: FakeGitHub, runId: number): NodeJS.ProcessEnv {
  return { ...fake.env, GITHUB_RUN_ID: String(runId), GITHUB_EVENT_NAME: 'push', GITHUB_SHA: commit };
}

/** A whole deploy of release "shop". */
async function deploy(
  fake: FakeGitHub,
  { token = fake.token, runId = 42, release = 'shop', environment = 'production' } = {},
): Promise<{ warnings: readonly string[]; saved: SavedRecord[] }> {
  const env = envOf(fake, runId);
  const saved: SavedRecord[] = [];
  const connect = gitHubOf(token, env, 50);
  const keeper = new RecordKeeper({
    environment,
    github: connect,
    run: gitHubRun(env),
    clock: systemClock,
    reporter: silentReporter,
    save: (record) => saved.push(record),
  });
  keeper.begin({ release, namespace: 'shop', runs: { command: 'deploy', commit, revision: 7 } });
  const warnings = await keeper.end(report({ release }), false);
  await (await connect?.())?.close();
  return { warnings, saved };
}

function statesOf(fake: FakeGitHub): (string | undefined)[] {
  return fake.state.deployments.map(({ statuses }) => statuses[0]?.state);
}

describe.each(['', '/api/v3'] as const)('records on a GitHub under "%s"', (basePath) => {
  test('follow one another: the last one serves', async () => {
    await using fake = await FakeGitHub.start({ basePath });
    await deploy(fake, { runId: 41 });
    const { warnings, saved } = await deploy(fake, { runId: 42 });
    expect(warnings).toEqual([]);
    expect(statesOf(fake)).toEqual(['inactive', 'success']);
    const [, second] = fake.state.deployments;
    expect(second).toMatchObject({
      sha: commit,
      task: 'deploy',
      environment: 'production',
      payload: { release: 'shop', namespace: 'shop', revision: '7', run: expect.stringMatching(/\/runs\/42$/) },
    });
    expect(second?.statuses[0]?.logUrl).toBe(`${fake.serverUrl}/acme/shop/actions/runs/42`);
    expect(saved.at(-1)?.id).toBe(second?.id);
  });

  test('of several releases in one environment leave each other alone', async () => {
    await using fake = await FakeGitHub.start({ basePath });
    for (const release of ['api', 'web']) await deploy(fake, { release, environment: 'staging' });
    expect(statesOf(fake)).toEqual(['success', 'success']);
  });
});

describe('a GitHub that does not take the record', () => {
  test('for lack of a right costs one warning that names the permission', async () => {
    await using fake = await FakeGitHub.start();
    fake.addToken('reader', {
      permissions: { contents: 'read', deployments: 'read', issues: 'none', 'pull-requests': 'none' },
    });
    const { warnings } = await deploy(fake, { token: 'reader' });
    expect(warnings).toEqual([expect.stringContaining('deployments: write')]);
  });

  test('and hides the records of a private repository costs one that names the permission to write', async () => {
    await using fake = await FakeGitHub.start();
    fake.failAlways('repos/list-deployments', { status: 404, message: 'Not Found' });
    const { warnings } = await deploy(fake);
    expect(warnings).toEqual([expect.stringContaining('deployments: write')]);
    expect(warnings[0]).not.toContain('deployments: read');
  });

  test.each<[string, Fault]>([
    ['with 404', { status: 404 }],
    ['with 500', { status: 500 }],
    ['with 429', { status: 429, headers: { 'retry-after': '600' } }],
    ['with HTML', { html: 200 }],
    ['by breaking the connection', 'reset'],
  ])('%s costs one warning', async (_, fault) => {
    await using fake = await FakeGitHub.start();
    fake.failAlways('*', fault);
    const { warnings } = await deploy(fake);
    expect(warnings).toHaveLength(1);
  });

  test('does not know the commit costs one warning', async () => {
    await using fake = await FakeGitHub.start();
    fake.state.lostCommits.add(commit);
    const { warnings } = await deploy(fake);
    expect(warnings).toEqual([expect.stringContaining('No ref found')]);
  });
});
