import { describe, expect, test } from '@jest/globals';

import { Recording } from '../../../src/commands/recording.ts';
import { recordedRules, rulesOfChange } from '../../../src/release/recorded-rules.ts';
import { status } from '../../../src/commands/status.ts';
import type { Ahead } from '../../../src/commands/look-ahead.ts';
import type { RollOutOptions } from '../../../src/commands/purpose.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { Report } from '../../../src/report/report.ts';
import { parseUserRules } from '../../../src/rollout/readiness/user/parse-rules.ts';
import { describeSelector } from '../../../src/rollout/readiness/user/user-rule.ts';
import { rolling } from '../../../src/strategies/rolling.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { objectOf, revision } from '../release/build.ts';
import { contextOf, options } from './build.ts';

const lines = [
  'Widget.example.com ready .status.phase == Running',
  'Widget.example.com failed .status.phase == Broken',
  'Gadget.example.com never',
].join('\n');

const widget = (phase: string) => objectOf('example.com/v1', 'Widget', { status: { phase } }, { name: 'main' });
const silent = { warn: () => undefined };

describe('status goes by the "await" lines that the release was deployed with', () => {
  async function healthOf(phase: string, recorded: string | undefined) {
    const api = new FakeApi();
    const more = recorded === undefined ? {} : { await: recorded };
    await recordRevision(api, 'shop', revision(1, 'live', { objects: [widget('Running')], ...more }), []);
    api.put(widget(phase));
    const { health, warnings } = await status.run(contextOf(api, 'me'), { release: 'web', namespace: 'shop' });
    return { healthy: health?.healthy, problems: health?.problems.map(({ message }) => message), warnings };
  }

  test.each([
    ['Running', []],
    ['Pending', ['Widget "main": waiting for .status.phase == Running: .status.phase is "Pending"']],
    ['Broken', ['Widget "main": .status.phase is "Broken"']],
  ])('%s', async (phase, problems) => {
    expect(await healthOf(phase, lines)).toEqual({ healthy: problems.length === 0, problems, warnings: [] });
  });

  test('and by the rules of the kinds where there were none', async () => {
    expect(await healthOf('Broken', undefined)).toEqual({ healthy: true, problems: [], warnings: [] });
  });

  test('and tells of lines in the record that it cannot read', async () => {
    expect(await healthOf('Broken', 'Widget.example.com redy')).toEqual({
      healthy: true,
      problems: [],
      warnings: [
        'the "await" lines recorded with revision 1 are not used: line 1 of the input "await": "redy" is not "ready", "failed" or "never"',
      ],
    });
  });
});

describe('a promotion or rollback', () => {
  const target = revision(3, 'superseded', { objects: [widget('Running')], await: lines });
  const selectorsOf = (given: string) => {
    const { userRules, await: recorded } = rulesOfChange(parseUserRules(given), target, silent);
    return { selectors: userRules.map(describeSelector), recorded };
  };

  test('goes by the lines of the revision, as far as they are about its objects, and records them again', () => {
    expect(selectorsOf('')).toEqual({ selectors: ['Widget.example.com'], recorded: lines });
  });

  test('goes by the lines of its own input where it has some', () => {
    expect(selectorsOf('Database.example.com never')).toEqual({
      selectors: ['Database.example.com'],
      recorded: undefined,
    });
  });
});

test('nothing is known of a release that has no live revision', () => {
  expect(recordedRules(undefined, silent)).toEqual([]);
});

describe('the record of a revision', () => {
  async function recorded(given: string): Promise<string | undefined> {
    const context = contextOf(new FakeApi(), 'me');
    const rollOut: RollOutOptions = {
      ...options,
      strategy: 'rolling',
      forceConflicts: false,
      keepOldForMs: 0,
      newNamespaces: new Set<string>(),
      checks: [],
      restartOnConfig: undefined,
      await: given,
      userRules: parseUserRules(given),
    };
    const report = new Report(context, 'deploy', options);
    const ahead = { revisions: [], left: { recorded: [] }, restarts: { facts: () => ({}) } } as unknown as Ahead;
    const purpose = {
      command: 'deploy',
      status: 'deployed' as const,
      manifests: [],
      strategy: rolling,
      surplus: [],
      done: 'live',
      attempt: 'deploy',
    };
    return (await new Recording(context, rollOut, purpose, { ahead, report }).record('live')).await;
  }

  test('has the lines that the run went by', async () => {
    expect(await recorded(lines)).toBe(lines);
    expect(await recorded('')).toBeUndefined();
    expect(await recorded('# none yet\n')).toBeUndefined();
  });
});
