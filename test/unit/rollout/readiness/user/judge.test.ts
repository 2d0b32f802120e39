import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { parseUserRules } from '../../../../../src/rollout/readiness/user/parse-rules.ts';
import { idleRules, userRuleFor } from '../../../../../src/rollout/readiness/user/user-rule.ts';
import { custom, decidedOver, type Shown } from '../../../../support/custom-resource.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const written = (status?: JsonObject) => custom('example.com/v1', 'Widget', status === undefined ? {} : { status });

/** What is decided of a Widget over time by lines that begin after its kind. */
function decidedBy(
  lines: readonly string[],
  shown: readonly Shown[],
  { until = 100, before, changed = true }: { until?: number; before?: JsonObject; changed?: boolean } = {},
): string[] {
  const userRule = userRuleFor(parseUserRules(lines.map((line) => `Widget.example.com ${line}`).join('\n')), written());
  return decidedOver(written(before), shown, until, { changed, ...(userRule === undefined ? {} : { userRule }) });
}

describe('a rule of the user', () => {
  test('says of what is missing what it is, and of what is there what it shows', () => {
    const shown = [
      { at: 1, status: {} },
      { at: 2, status: { phase: 'Pending' } },
      { at: 3, status: { phase: 'Running', url: 'http://a' } },
    ];
    expect(decidedBy(['ready .status.phase == Running', 'ready .status.url exists'], shown)).toEqual([
      'progressing: waiting for .status.phase == Running and .status.url exists: .status.phase is not set, .status.url is not set',
      'progressing: waiting for .status.phase == Running and .status.url exists: .status.phase is "Pending", .status.url is not set',
      'ready: .status.phase is "Running", .status.url is "http://a"',
      'ready: .status.phase is "Running", .status.url is "http://a"',
    ]);
  });

  test.each([
    ['.status.n == 3', { n: '3' }, true],
    ['.status.n == 3', { n: 3.0 }, true],
    ['.status.n == 3.0', { n: 3 }, true],
    ['.status.n == "3.0"', { n: 3 }, false],
    ['.status.n == 1.10', { n: '1.1' }, true],
    ['.status.n == "1.10"', { n: '1.1' }, false],
    ['.status.n != 3', { n: '4' }, true],
    ['.status.n != 3', { n: '3.0' }, false],
    ['.status.n != 3', {}, false],
    ['.status.n >= 10', { n: '9' }, false],
    ['.status.n >= 10', { n: '10' }, true],
    ['.status.n >= 10', { n: 'many' }, false],
    ['.status.n > -1', { n: 0 }, true],
    ['.status.n < 0.5', { n: '0.25' }, true],
    ['.status.n <= 0', { n: 1 }, false],
    ['.status.n == true', { n: true }, true],
    ['.status.n == ""', { n: '' }, true],
    ['.status.n == []', { n: [] }, true],
    ['.status.n exists', { n: null }, false],
    ['.status.n exists', { n: false }, true],
    ['.status.items[1].n == a', { items: [{ n: 'b' }, { n: 'a' }] }, true],
    ['.status.constructor exists', {}, false],
  ] as const)('compares %s with %j', (line, status, holds) => {
    const last = decidedBy([`ready ${line}`], [{ at: 1, status: status as unknown as JsonObject }]).at(-1);
    expect(last?.startsWith(holds ? 'ready: ' : 'progressing: ')).toBe(true);
  });

  test('shows no more than the beginning of a long value', () => {
    const shown = [{ at: 1, status: { phase: 'x'.repeat(10_000) } }];
    expect(decidedBy(['ready .status.phase == Running'], shown).at(-1)).toBe(
      `progressing: waiting for .status.phase == Running: .status.phase is "${'x'.repeat(80)}…"`,
    );
  });

  test.each([1, '1'])('counts nothing before its controller has seen the write: observed %j', (observedGeneration) => {
    const shown = [
      { at: 1, status: { observedGeneration, phase: 'Running' } },
      { at: 30, status: { observedGeneration, phase: 'Error' } },
      { at: 40, status: { observedGeneration: '2', phase: 'Running' } },
    ];
    expect(
      decidedBy(['ready .status.phase == Running', 'failed .status.phase == Error'], shown, { until: 41 }),
    ).toEqual([
      'progressing: waiting for the controller: its status is for generation 1, not 2',
      'progressing: waiting for the controller: its status is for generation 1, not 2',
      'ready: .status.phase is "Running"',
      'ready: .status.phase is "Running"',
    ]);
  });

  test('takes a status from before the write, of an object that names no generation, once it has stayed so for 10 s', () => {
    const before = { phase: 'Running' };
    expect(decidedBy(['ready .status.phase == Running'], [{ at: 9 }, { at: 11 }], { before })).toEqual([
      'progressing: .status.phase is "Running"; checking that it stays so',
      'ready: .status.phase is "Running"',
      'ready: .status.phase is "Running"',
    ]);
  });

  test('takes one that has changed since at once', () => {
    const shown = [{ at: 2, status: { phase: 'Running', rounds: 2 } }];
    const before = { phase: 'Running', rounds: 1 };
    expect(decidedBy(['ready .status.phase == Running'], shown, { before, until: 2 }).at(-1)).toBe(
      'ready: .status.phase is "Running"',
    );
  });

  test('takes one as it is where nothing was written', () => {
    const before = { phase: 'Running' };
    expect(decidedBy(['ready .status.phase == Running'], [{ at: 1 }], { before, changed: false, until: 1 })).toEqual([
      'ready: .status.phase is "Running"',
    ]);
  });

  test('fails at once by a line without a grace, and says what its status says', () => {
    const shown = [{ at: 2, status: { phase: 'Error', message: 'no such chart' } }];
    const lines = ['ready .status.phase == Running', 'failed .status.phase == Broken', 'failed .status.phase == Error'];
    expect(decidedBy(lines, shown, { until: 2 })).toEqual([
      'failed: Failed: Widget "web": .status.phase is "Error": no such chart',
    ]);
  });

  test('fails by a line with a grace once it has lasted for that, whatever else its message says meanwhile (kapp#983)', () => {
    const shown = [
      { at: 2, status: { phase: 'Error', message: 'one' } },
      { at: 61, status: { phase: 'Error', message: 'two' } },
      { at: 62, status: { phase: 'Error', message: 'two' } },
    ];
    const waiting = 'progressing: waiting for .status.phase == Running; .status.phase is "Error"';
    expect(
      decidedBy(['ready .status.phase == Running', 'failed .status.phase == Error after 60s'], shown, { until: 63 }),
    ).toEqual([
      `${waiting}: one`,
      `${waiting}: two`,
      'failed: Failed: Widget "web": .status.phase is "Error": two',
      'failed: Failed: Widget "web": .status.phase is "Error": two',
    ]);
  });

  test('counts the grace of a failure that comes back anew', () => {
    const shown = [
      { at: 2, status: { phase: 'Error' } },
      { at: 40, status: { phase: 'Pending' } },
      { at: 50, status: { phase: 'Error' } },
      { at: 109 },
      { at: 110 },
    ];
    const lines = ['ready .status.phase == Running', 'failed .status.phase == Error after 60s'];
    const decided = decidedBy(lines, shown, { until: 110 });
    expect(decided.map((text) => text.split(':')[0])).toEqual([
      'progressing',
      'progressing',
      'progressing',
      'progressing',
      'failed',
    ]);
  });

  test('does not fail by what was there before the write while that may still go (kapp#1020)', () => {
    const before = { phase: 'Error' };
    const lines = ['ready .status.phase == Running', 'failed .status.phase == Error'];
    const waiting = 'progressing: waiting for .status.phase == Running: .status.phase is "Error"';
    expect(decidedBy(lines, [{ at: 1 }, { at: 9 }, { at: 10 }], { before, until: 10 })).toEqual([
      waiting,
      waiting,
      'failed: Failed: Widget "web": .status.phase is "Error"',
    ]);
    expect(decidedBy(lines, [{ at: 5, status: { phase: 'Running' } }], { before, until: 5 })).toEqual([
      'ready: .status.phase is "Running"',
    ]);
  });

  test('goes by the newest condition of a type (kedacore/http-add-on#1390)', () => {
    const shown = [
      {
        at: 1,
        status: {
          conditions: [conditionAt('Ready', 'True', 'Up', '', 1), conditionAt('Ready', 'False', 'Down', '', 1)],
        },
      },
      { at: 2, status: { conditions: [conditionAt('Ready', 'True', 'Up', '', 2)] } },
    ];
    expect(decidedBy(['ready condition Ready'], shown, { until: 2 })).toEqual([
      'progressing: waiting for condition Ready == True: condition Ready is False',
      'ready: condition Ready is True',
    ]);
  });

  test('takes no condition that names an older generation', () => {
    const old = { ...conditionAt('Ready', 'True', '', '', 1), observedGeneration: 1 };
    const shown = [
      { at: 1, status: { conditions: [old] } },
      { at: 2, status: { conditions: [{ ...old, observedGeneration: 2 }] } },
    ];
    expect(decidedBy(['ready condition Ready'], shown, { until: 2 })).toEqual([
      'progressing: waiting for condition Ready == True: condition Ready is not set',
      'ready: condition Ready is True',
    ]);
  });

  test('fails by a condition since the write also where the controller names no new generation, with its reason', () => {
    const shown = (seconds: number) => [
      {
        at: 2,
        status: {
          observedGeneration: 1,
          conditions: [conditionAt('Failed', 'True', 'Invalid', 'no such size', seconds)],
        },
      },
    ];
    expect(decidedBy(['ready condition Ready', 'failed condition Failed'], shown(1), { until: 2 })).toEqual([
      'failed: Invalid: Widget "web": condition Failed is True: no such size',
    ]);
    expect(decidedBy(['ready condition Ready', 'failed condition Failed'], shown(-60), { until: 50 }).at(-1)).toBe(
      'progressing: waiting for the controller: its status is for generation 1, not 2',
    );
  });

  test('without a line for ready adds to the rule of the kind', () => {
    const group = 'leaderworkerset.x-k8s.io';
    const set = custom(`${group}/v1`, 'LeaderWorkerSet', { spec: { replicas: 4 } });
    const userRule = userRuleFor(parseUserRules(`LeaderWorkerSet.${group} failed .status.readyReplicas == 0`), set);
    const status = (readyReplicas: number) => ({
      observedGeneration: 2,
      replicas: 4,
      updatedReplicas: 4,
      readyReplicas,
    });
    const shown = [
      { at: 1, status: status(3) },
      { at: 2, status: status(0) },
    ];
    expect(decidedOver(set, shown, 2, userRule === undefined ? {} : { userRule })).toEqual([
      'progressing: 3 of 4 groups ready',
      'failed: Failed: LeaderWorkerSet "web": .status.readyReplicas is "0"',
    ]);
  });

  test('may say that it is never waited for', () => {
    expect(decidedBy(['never'], [{ at: 1, status: { observedGeneration: 1 } }], { until: 1 })).toEqual([
      'unchecked: not waited for: the input "await" says "never"',
    ]);
  });
});

describe('which rule an object is judged by', () => {
  const rules = parseUserRules(
    'Widget.example.com ready condition Ready\nWidget.example.com/batch never\nGadget.example.com never\nWidget.other.example.com never',
  );

  test('that for its name before that for its kind, in its group alone', () => {
    const ruleLine = (apiVersion: string, name: string) =>
      userRuleFor(rules, custom(apiVersion, 'Widget', { name }))?.line;
    expect(ruleLine('example.com/v1beta1', 'web')).toBe(1);
    expect(ruleLine('example.com/v1', 'batch')).toBe(2);
    expect(ruleLine('other.example.com/v1', 'web')).toBe(4);
    expect(ruleLine('v1', 'web')).toBeUndefined();
  });

  test('one that no object has is idle', () => {
    expect(idleRules(rules, [written()]).map(({ line }) => line)).toEqual([2, 3, 4]);
  });
});
