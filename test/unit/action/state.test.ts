import { afterEach, describe, expect, test } from '@jest/globals';

import { defaultRelease, runIdentity } from '../../../src/action/run-identity.ts';
import { readState, saveState, type SavedState } from '../../../src/action/state.ts';
import { writeSummary } from '../../../src/action/summary/write-summary.ts';
import { fileOf, valuesOf } from './actions-files.ts';

/** What the runner does between the two steps. */
function handOver(file: string): void {
  for (const [name, value] of Object.entries(valuesOf(file))) process.env[`STATE_${name}`] = value;
}

afterEach(() => {
  for (const name of Object.keys(process.env).filter((variable) => variable.startsWith('STATE_'))) {
    Reflect.deleteProperty(process.env, name);
  }
});

describe('the state between main and post step', () => {
  test('tells the main step by its absence', () => {
    expect(readState()).toBeUndefined();
  });

  test('is the last one that was saved', async () => {
    const last: SavedState = {
      finished: false,
      holder: 'a/1',
      release: 'shop',
      namespace: 'shop',
      context: 'c',
      server: 's',
    };
    const file = await fileOf('GITHUB_STATE', () => {
      saveState({ finished: false, holder: 'a/1' });
      saveState(last);
    });
    handOver(file);
    expect(readState()).toEqual(last);
  });

  test('of another action is refused', () => {
    process.env['STATE_gke-rollout'] = '{"finished":"no"}';
    expect(() => readState()).toThrow('was not saved by this action');
  });
});

describe('the identity of a run', () => {
  const env = {
    GITHUB_SERVER_URL: 'https://github.test',
    GITHUB_REPOSITORY: 'acme/Shop.Front_end',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_ATTEMPT: '2',
    GITHUB_JOB: 'deploy',
    GITHUB_ACTION: '__acme_gke-rollout',
    GITHUB_ACTOR: 'octocat',
    GITHUB_SHA: '0123abc',
  };

  test('names the run, and links to it on the server it runs on', () => {
    expect(runIdentity(env, 'n1')).toEqual({
      holder: 'acme/Shop.Front_end/42/2/deploy/__acme_gke-rollout/n1',
      url: 'https://github.test/acme/Shop.Front_end/actions/runs/42',
      actor: 'octocat',
      commit: '0123abc',
    });
  });

  test('differs between the jobs of a matrix, for which the runner sets the same variables', () => {
    expect(runIdentity(env).holder).not.toBe(runIdentity(env).holder);
  });

  test('gives a release a name that Kubernetes accepts', () => {
    expect(defaultRelease(env)).toBe('shop-front-end');
    expect(defaultRelease({ GITHUB_REPOSITORY: 'acme/.github' })).toBe('github');
    expect(defaultRelease({})).toBe('default');
  });
});

describe('writing the summary', () => {
  const silent = { debug: () => undefined, warning: () => undefined };

  test('adds it to the file of the step', async () => {
    const file = await fileOf('GITHUB_STEP_SUMMARY', async () => {
      await writeSummary('### Done', silent, process.env);
      await writeSummary('more', silent, process.env);
    });
    expect(file).toBe('### Done\nmore\n');
  });

  test('is left out with a debug line where the server knows no summaries (cypress-io/github-action#570)', async () => {
    const lines: string[] = [];
    await writeSummary('### Done', { ...silent, debug: (line) => lines.push(line) }, {});
    expect(lines).toEqual(['no job summary: GITHUB_STEP_SUMMARY is not set']);
  });

  test('never fails a run', async () => {
    const lines: string[] = [];
    const before = process.env['GITHUB_STEP_SUMMARY'];
    process.env['GITHUB_STEP_SUMMARY'] = '/nowhere/summary.md';
    try {
      await writeSummary('x', { ...silent, warning: (line) => lines.push(line) }, process.env);
    } finally {
      if (before === undefined) delete process.env['GITHUB_STEP_SUMMARY'];
      else process.env['GITHUB_STEP_SUMMARY'] = before;
    }
    expect(lines).toHaveLength(1);
  });
});
