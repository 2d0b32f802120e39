import { describe, expect, test } from '@jest/globals';

import type { SavedRecord } from '../../../src/action/deployment-record.ts';
import { DeploymentRecord } from '../../../src/action/deployment-record.ts';
import type { GitHubRun } from '../../../src/action/github-run.ts';
import { RecordKeeper } from '../../../src/action/record-keeper.ts';
import { GitHubError } from '../../../src/github/github-error.ts';
import type { WhatRuns } from '../../../src/release/context.ts';
import type { RunReport } from '../../../src/report/run-report.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { RecordsInMemory } from './records-in-memory.ts';

const commit = 'b'.repeat(40);
const older = 'a'.repeat(40);
const own = { release: 'shop', namespace: 'shop' };

const run: GitHubRun = {
  repository: 'https://github.test/acme/shop',
  url: 'https://github.test/acme/shop/actions/runs/42',
  attemptUrl: 'https://github.test/acme/shop/actions/runs/42/attempts/2',
  event: { name: 'push' },
  actor: 'octocat',
  sha: commit,
};

const deployed: RunReport = {
  command: 'deploy',
  status: 'deployed',
  headline: 'Deployed shop revision 7 in 42s',
  ...own,
  objects: [],
  workloads: [],
  addresses: [
    {
      ref: { apiVersion: 'v1', kind: 'Service', name: 'web' },
      address: '203.0.113.7',
      url: 'http://203.0.113.7:8080',
    },
  ],
  timeline: [],
  warnings: [],
  durationMs: 42_000,
};

function failure(message: string): NonNullable<RunReport['failure']> {
  return { message, causes: [], problems: [], evidence: [] };
}

interface Setting {
  github?: RecordsInMemory;
  token?: boolean;
  environment?: string | undefined;
  run?: GitHubRun | undefined;
}

function keeper(setting: Setting = {}) {
  const github = setting.github ?? new RecordsInMemory();
  const lines: string[] = [];
  const saved: SavedRecord[] = [];
  const clock = new FakeClock();
  const made = new RecordKeeper({
    environment: 'environment' in setting ? setting.environment : 'production',
    github: setting.token === false ? undefined : () => Promise.resolve(github),
    run: 'run' in setting ? setting.run : run,
    clock,
    reporter: {
      ...silentReporter,
      notice: (text) => lines.push(`notice ${text}`),
      warning: (text) => lines.push(`warning ${text}`),
    },
    save: (record) => saved.push(record),
  });
  return { github, lines, saved, clock, keeper: made };
}

type Stage = ReturnType<typeof keeper>;

/** A whole run: its change begins, and it ends so. */
async function goes(stage: Stage, report: Partial<RunReport>, runs: WhatRuns = { command: 'deploy', commit }) {
  stage.keeper.begin({ ...own, runs });
  return await stage.keeper.end({ ...deployed, ...report }, false);
}

describe('the record of a deploy', () => {
  test('is opened when the change begins, and succeeds with its address and the page of this attempt (hephaestus-build/Hephaestus#2068)', async () => {
    const stage = keeper();
    await goes(stage, {}, { command: 'deploy', commit, revision: 7 });
    expect(stage.github.records).toMatchObject([
      {
        ref: commit,
        task: 'deploy',
        environment: 'production',
        payload: { ...own, run: run.attemptUrl, revision: '7' },
        statuses: [
          { state: 'in_progress', logUrl: run.attemptUrl },
          {
            state: 'success',
            description: 'Deployed shop revision 7 in 42s',
            environmentUrl: 'http://203.0.113.7:8080',
            logUrl: run.attemptUrl,
          },
        ],
      },
    ]);
    expect(stage.lines).toEqual([]);
  });

  test('asks GitHub five times where nothing was live before, and seven times where something was', async () => {
    const stage = keeper();
    await goes(stage, {});
    expect(stage.github.calls).toEqual([
      'list production bbb',
      'create deploy',
      'say 1 in_progress',
      'say 1 success',
      'list production',
    ]);
    stage.github.calls.length = 0;
    const next = keeper({ github: stage.github });
    await goes(next, {}, { command: 'deploy', commit: 'c'.repeat(40) });
    expect(stage.github.calls).toEqual([
      'list production bbb',
      'create deploy',
      'say 2 in_progress',
      'say 2 success',
      'list production',
      'statuses 1',
      'say 1 inactive',
    ]);
  });

  test('is saved for the post step before GitHub is asked, and once more with its id', async () => {
    const stage = keeper();
    stage.keeper.begin({ ...own, runs: { command: 'deploy', commit } });
    const saved = { environment: 'production', task: 'deploy', ref: commit, transient: false };
    expect(stage.saved).toEqual([saved]);
    await stage.keeper.end(deployed, false);
    expect(stage.saved).toEqual([saved, { ...saved, id: 1 }]);
  });

  test('is none where no environment is given, and then nothing is said', async () => {
    const stage = keeper({ environment: undefined, token: false });
    await goes(stage, {});
    expect([stage.github.calls, stage.lines, stage.saved]).toEqual([[], [], []]);
  });

  test('is none of a change that only settles what an earlier run has left', async () => {
    const stage = keeper();
    stage.keeper.begin(own);
    await stage.keeper.end({ ...deployed, status: 'unchanged' }, false);
    expect(stage.github.calls).toEqual([]);
  });

  test.each([
    ['without a token', { token: false }, {}, 'the input "github-token" is empty'],
    [
      'in a merge queue (vm0-ai/vm0#10865)',
      { run: { ...run, event: { name: 'merge_group' as const } } },
      {},
      'a merge queue',
    ],
    ['outside of GitHub Actions', { run: undefined }, {}, 'not a run of GitHub Actions'],
    ['of a revision without a known commit', {}, { commit: undefined }, 'unknown which commit runs'],
    ['of a short hash', {}, { commit: 'abc1234' }, 'unknown which commit runs'],
  ])('is none %s, and one notice says why', async (_, setting, runs, reason) => {
    const stage = keeper(setting);
    stage.keeper.begin({ ...own, runs: { command: 'rollback', ...runs } as WhatRuns });
    await stage.keeper.end({ ...deployed, command: 'rollback', status: 'rolled-back' }, false);
    expect(stage.github.calls).toEqual([]);
    expect(stage.lines).toEqual([expect.stringContaining(reason)]);
    expect(stage.lines[0]).toMatch(/^notice no deployment record for environment "production"/);
  });
});

describe('what was live before', () => {
  test('is inactive once something else is, also in production, where GitHub leaves it', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    await goes(stage, {});
    expect(stage.github.states()).toEqual(['inactive', 'success']);
  });

  test('stays a success when the new one is undone, which says so and where it answers (pingdotgg/t3code#8261)', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    const undo = { complete: true, results: [] };
    await goes(stage, { status: 'undone', failure: failure('container "web" keeps crashing'), undo });
    expect(stage.github.states()).toEqual(['success', 'failure']);
    expect(stage.github.records[1]?.statuses.at(-1)).toMatchObject({
      description: 'undone: container "web" keeps crashing',
      environmentUrl: 'http://203.0.113.7:8080',
    });
  });

  test('is inactive when the new one has failed and is left as it is', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    await goes(stage, { status: 'failed', failure: failure('it keeps crashing'), stays: true });
    expect(stage.github.states()).toEqual(['inactive', 'failure']);
  });

  test('stays a success when the new one has failed before it changed anything', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    await goes(stage, { status: 'failed', failure: failure('another run holds the lock') });
    expect(stage.github.states()).toEqual(['success', 'failure']);
  });

  test('stays a success while the post step has still to try to bring it back', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    stage.keeper.begin({ ...own, runs: { command: 'deploy', commit } });
    const undo = { complete: false, results: [] };
    await stage.keeper.end({ ...deployed, status: 'failed', failure: failure('x'), undo }, true);
    expect(stage.github.states()).toEqual(['success', 'failure']);
  });

  test('is found behind failures, and what is older than it is not asked for', async () => {
    const stage = keeper();
    stage.github.add({ payload: own }, ['success', 'inactive']);
    stage.github.add({ payload: own }, ['success']);
    stage.github.add({ payload: own }, ['failure']);
    await goes(stage, {});
    expect(stage.github.states()).toEqual(['inactive', 'inactive', 'failure', 'success']);
    expect(stage.github.calls).not.toContain('statuses 1');
  });

  test('ends altogether, failures as well, where what it is of is gone', async () => {
    const github = new RecordsInMemory();
    for (const state of ['inactive', 'failure', 'success', 'error'] as const) github.add({ payload: own }, [state]);
    const options = { github: () => Promise.resolve(github), clock: new FakeClock(), reporter: silentReporter, run };
    const subject = { environment: 'production', task: 'deploy', ref: '', ...own, transient: true };
    await new DeploymentRecord(options, subject).endOthers(['success', 'failure', 'error'], 'closed', 7_000);
    expect(github.states()).toEqual(['inactive', 'inactive', 'inactive', 'inactive']);
    expect(github.calls.filter((call) => call.startsWith('say'))).toHaveLength(3);
  });

  test('of another release, another namespace or another tool in the same environment is left alone', async () => {
    const stage = keeper();
    stage.github.add({ payload: { release: 'api', namespace: 'shop' } }, ['success']);
    stage.github.add({ payload: { release: 'shop', namespace: 'other' } }, ['success']);
    stage.github.add({ payload: { deployer: 'somebody' }, ref: older }, ['success']);
    await goes(stage, {});
    expect(stage.github.states()).toEqual(['success', 'success', 'success', 'success']);
  });
});

describe('a candidate', () => {
  test('that waits is pending with its share, and what serves stays a success', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    const step = { atMs: 1, workload: 'web', wanted: 25, candidatePods: 1, stablePods: 3 };
    await goes(stage, { status: 'waiting', traffic: [{ ...step, wanted: 10 }, step] });
    expect(stage.github.states()).toEqual(['success', 'pending']);
    expect(stage.github.records[1]?.statuses.at(-1)?.description).toBe('waiting for approval, 25 % of requests');
  });

  test('that is promoted ends its pending record, and what has served until then', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    stage.github.add({ payload: own, ref: commit }, ['in_progress', 'pending']);
    await goes(stage, { command: 'promote' }, { command: 'promote', commit });
    expect(stage.github.records[2]).toMatchObject({ task: 'promote', ref: commit });
    expect(stage.github.states()).toEqual(['inactive', 'inactive', 'success']);
  });

  test('that is aborted ends its pending record; an abort has none, for nothing else runs after it', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    stage.github.add({ payload: own, ref: commit }, ['in_progress', 'pending']);
    stage.keeper.begin(own);
    await stage.keeper.end({ ...deployed, command: 'abort', status: 'aborted' }, false);
    expect(stage.github.states()).toEqual(['success', 'inactive']);
    expect(stage.github.records[1]?.statuses.at(-1)?.description).toBe('aborted');
  });

  test('that replaces another which waited leaves one pending record', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: older }, ['success']);
    stage.github.add({ payload: own, ref: older }, ['pending']);
    await goes(stage, { status: 'waiting' });
    expect(stage.github.states()).toEqual(['success', 'inactive', 'pending']);
  });

  test('whose abort could not begin goes on being pending', async () => {
    const stage = keeper();
    stage.github.add({ payload: own, ref: commit }, ['pending']);
    await stage.keeper.end({ ...deployed, command: 'abort', status: 'failed', failure: failure('locked') }, false);
    expect(stage.github.states()).toEqual(['pending']);
  });
});

describe('a job that declares the environment itself', () => {
  test('has the record of its runner and no second one, with both ways out (max-sixty/tend#852)', async () => {
    const stage = keeper();
    stage.github.add({ ref: commit }, ['in_progress'], `${run.url}/job/1`);
    await goes(stage, {});
    expect(stage.github.records).toHaveLength(1);
    expect(stage.lines).toEqual([expect.stringContaining('deployment: false')]);
    expect(stage.lines[0]).toContain('remove the input "environment"');
    expect(stage.github.calls).toEqual(['list production bbb', 'statuses 1']);
  });

  test('is told by its merge commit, too, in a pull request', async () => {
    const head = 'd'.repeat(40);
    const event = { name: 'pull_request', number: 7, action: 'synchronize', headSha: head, merged: false } as const;
    const stage = keeper({ run: { ...run, event } });
    stage.github.add({ ref: commit }, ['in_progress'], run.url);
    await goes(stage, {}, { command: 'deploy', commit: head });
    expect(stage.github.records).toHaveLength(1);
  });

  test('is another one where the record of the same commit is of another run, or of this action', async () => {
    const stage = keeper();
    stage.github.add({ ref: commit }, ['success'], 'https://github.test/acme/shop/actions/runs/421');
    stage.github.add({ ref: commit, payload: own }, ['success'], run.attemptUrl);
    await goes(stage, {});
    expect(stage.github.records).toHaveLength(3);
  });
});

describe('a GitHub that does not do it', () => {
  const missing = () =>
    new GitHubError('cannot record the deployment: Resource not accessible by integration', {
      problem: 'missing-right',
      permission: 'deployments: write',
      status: 403,
    });
  const refusals = [
    ['without the right', missing()],
    ['that finds nothing (404)', new GitHubError('404', { problem: 'refused', status: 404 })],
    ['that is broken (500)', new GitHubError('500', { problem: 'unreachable', status: 500 })],
    ['that limits (429)', new GitHubError('429', { problem: 'limited', status: 429 })],
    ['that answers HTML', new GitHubError('the answer is HTML', { problem: 'unreachable' })],
    ['that fails as nobody has thought of', new TypeError('x is not a function')],
  ] as const;

  test.each(refusals)('is one warning and no failure: one %s', async (_, error) => {
    const stage = keeper();
    stage.github.fault = () => {
      throw error;
    };
    const warnings = await goes(stage, {});
    expect(warnings).toHaveLength(1);
    expect(stage.lines).toEqual([`warning ${warnings[0] ?? ''}`]);
  });

  test('names the permission that is missing', async () => {
    const stage = keeper();
    stage.github.fault = () => {
      throw missing();
    };
    expect(await goes(stage, {})).toEqual([
      expect.stringMatching(/Add "deployments: write" to the "permissions" of the job\.$/),
    ]);
  });

  test.each(refusals)('warns once where it opens the record and then stops: one %s', async (_, error) => {
    const stage = keeper();
    stage.github.fault = (call) => {
      if (call !== 'list' && stage.github.records.length > 0) throw error;
    };
    expect(await goes(stage, {})).toHaveLength(1);
  });

  test('that never answers is waited for ten seconds at the end, and three of a cancelled run', async () => {
    for (const [status, ms] of [
      ['deployed', 10_000],
      ['cancelled', 3_000],
    ] as const) {
      const github = new RecordsInMemory();
      github.fault = () => new Promise(() => undefined);
      const clock = new FakeClock();
      const quiet = new RecordKeeper({
        environment: 'production',
        github: () => Promise.resolve(github),
        run,
        clock,
        reporter: silentReporter,
        save: () => undefined,
      });
      quiet.begin({ ...own, runs: { command: 'deploy', commit } });
      const end = quiet.end({ ...deployed, status }, false);
      await clock.runFor(ms);
      expect(await end).toEqual([expect.stringContaining(`did not respond within ${ms / 1000}s`)]);
    }
  });
});

describe('the record of a main step that was cancelled or killed', () => {
  const cancelled = { state: 'error', description: 'cancelled, undone', ends: [] } as const;
  const subject = { environment: 'production', task: 'deploy', ref: commit, ...own, transient: false };

  function left(github: RecordsInMemory): DeploymentRecord {
    return new DeploymentRecord(
      { github: () => Promise.resolve(github), clock: new FakeClock(), reporter: silentReporter, run },
      subject,
    );
  }

  test('is closed by its id', async () => {
    const github = new RecordsInMemory();
    github.add({ ref: commit, payload: own }, ['in_progress']);
    const record = left(github);
    record.resume(1);
    await record.close(cancelled, 7_000);
    expect(github.states()).toEqual(['error']);
    expect(github.calls).toEqual(['say 1 error']);
  });

  test('is found by its run where the main step did not live to see the id', async () => {
    const github = new RecordsInMemory();
    github.add({ ref: commit, payload: { ...own, run: run.url } }, ['in_progress']);
    github.add({ ref: commit, payload: { ...own, run: run.attemptUrl } }, ['in_progress']);
    const record = left(github);
    record.resume(undefined);
    await record.close(cancelled, 7_000);
    expect(github.states()).toEqual(['in_progress', 'error']);
  });

  test('is none where GitHub has made none', async () => {
    const github = new RecordsInMemory();
    const record = left(github);
    record.resume(undefined);
    await record.close(cancelled, 7_000);
    expect(github.calls).toEqual(['list production deploy bbb']);
    expect(record.warnings).toEqual([]);
  });
});

describe('a sweep', () => {
  const removed = [1, 2, 3].map((pullRequest) => ({
    namespace: `shop-pr-${pullRequest}`,
    pullRequest,
    release: 'shop',
    outcome: 'removed' as const,
    reason: 'the pull request was merged',
  }));
  const swept = (isDryRun: boolean): RunReport => ({
    ...deployed,
    command: 'teardown',
    status: 'swept',
    sweep: { isDryRun, entries: removed },
  });

  function withRecords() {
    const stage = keeper({ environment: 'preview' });
    for (const { pullRequest, namespace, release } of removed) {
      const task = `preview:pr-${pullRequest}:${release}`;
      stage.github.add({ environment: 'preview', task, payload: { release, namespace } }, ['success']);
    }
    return stage;
  }

  test('ends the records of what it has removed, asking for those of each alone', async () => {
    const stage = withRecords();
    expect(await stage.keeper.end(swept(false), false)).toEqual([]);
    expect(stage.github.states()).toEqual(['inactive', 'inactive', 'inactive']);
    expect(stage.github.calls).toContain('list preview preview:pr-2:shop');
  });

  test('ends none where it only says what it would remove', async () => {
    const stage = withRecords();
    await stage.keeper.end(swept(true), false);
    expect(stage.github.states()).toEqual(['success', 'success', 'success']);
  });

  test.each([
    ['never', () => new Promise<void>(() => undefined)],
    [
      'that it may not',
      () => {
        throw new GitHubError('cannot list', { problem: 'missing-right', permission: 'deployments: write' });
      },
    ],
  ] as const)(
    'waits and warns once where GitHub answers %s, however many previews it has removed',
    async (_, fault) => {
      const stage = withRecords();
      stage.github.fault = fault;
      const end = stage.keeper.end(swept(false), false);
      await stage.clock.runFor(10_000);
      expect(await end).toHaveLength(1);
      expect(stage.lines).toHaveLength(1);
      expect(stage.github.calls).toHaveLength(1);
    },
  );
});
