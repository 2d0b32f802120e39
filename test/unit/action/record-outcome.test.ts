import { describe as group, expect, test } from '@jest/globals';

import { describe, maxDescription, outcomeAfter, outcomeOf } from '../../../src/action/record-outcome.ts';
import type { RunReport } from '../../../src/report/run-report.ts';

const report: RunReport = {
  command: 'deploy',
  status: 'failed',
  headline: 'Deploy of shop failed',
  objects: [],
  workloads: [],
  addresses: [],
  timeline: [],
  warnings: [],
  durationMs: 0,
};

const failure = { message: 'container "web" keeps crashing', causes: [], problems: [], evidence: [] };

group('a description', () => {
  test('that fits stays as it is', () => {
    expect(describe('Deployed shop')).toBe('Deployed shop');
    expect(describe('a'.repeat(maxDescription))).toBe('a'.repeat(maxDescription));
  });

  test('that is too long is cut between words', () => {
    const text = `undone: ${'word '.repeat(40)}`;
    const cut = describe(text);
    expect(cut.length).toBeLessThanOrEqual(maxDescription);
    expect(cut).toMatch(/^undone: (?:word )+word…$/);
    expect(describe('one, two three', 10)).toBe('one, two…');
    expect(describe('one, two three', 8)).toBe('one…');
  });

  test('without a blank to cut at is cut all the same, and never within a character', () => {
    expect(describe('a'.repeat(200))).toBe(`${'a'.repeat(maxDescription - 1)}…`);
    const cut = describe(`${'a'.repeat(maxDescription - 2)}😀😀`);
    expect(cut).toBe(`${'a'.repeat(maxDescription - 2)}…`);
  });

  test('is one line without control characters, whatever a pod has said', () => {
    expect(describe('undone: \u001b[31mred\u001b[0m\nsecond\u202e line')).toBe('undone: red second line');
  });
});

group('what has become of a run', () => {
  test('that failed is told by its cause, and by what is left of it', () => {
    expect(outcomeOf({ ...report, failure, stays: true }, false)).toEqual({
      state: 'failure',
      description: 'left as it is: container "web" keeps crashing',
      ends: ['success', 'pending'],
    });
    expect(outcomeOf({ ...report, failure, stays: true }, true).ends).toEqual(['success', 'pending']);
    expect(outcomeOf({ ...report, failure, undo: { complete: false, results: [] } }, false)).toMatchObject({
      description: 'not undone completely: container "web" keeps crashing',
      ends: ['success', 'pending'],
    });
  });

  test('that is applied, but not as it should be, ends what was live before', () => {
    expect(outcomeOf(report, false)).toEqual({
      state: 'failure',
      description: 'Deploy of shop failed',
      ends: ['success', 'pending'],
    });
  });

  test('that took a candidate away which is not back ends the record of that', () => {
    const undo = { complete: true, results: [], replaced: 4 };
    expect(outcomeOf({ ...report, status: 'undone', failure, undo }, false).ends).toEqual(['pending']);
  });

  test('that was cancelled is left to the post step', () => {
    expect(outcomeOf({ ...report, status: 'cancelled' }, false)).toMatchObject({ state: 'error', ends: [] });
  });

  test('of a switch that waits has no share', () => {
    expect(outcomeOf({ ...report, status: 'waiting' }, false).description).toBe('waiting for approval');
  });

  test('names no address that is none for a browser', () => {
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'web' };
    const addresses = [{ ref, address: '203.0.113.7', url: 'javascript:alert(1)' }];
    expect(outcomeOf({ ...report, status: 'deployed', addresses }, false)).not.toHaveProperty('environmentUrl');
  });
});

group('what the post step has found', () => {
  const ends = ['success', 'pending'];

  test.each([
    [
      'undone after a cancellation',
      { report: { status: 'undone' }, hasFailed: false },
      'error',
      'cancelled, undone',
      [],
    ],
    [
      'not undone',
      { report: { status: 'failed' }, hasFailed: false },
      'error',
      'cancelled, not undone completely',
      ends,
    ],
    [
      'left as the user wants',
      { report: { status: 'cancelled' }, hasFailed: false },
      'error',
      'cancelled, left as it is',
      ends,
    ],
    ['undone after a failure', { report: { status: 'undone' }, hasFailed: true }, 'failure', 'failed, undone', []],
    [
      'live before it was cancelled',
      { recorded: 'live', hasFailed: false },
      'success',
      'live; cancelled afterwards',
      ends,
    ],
    [
      'waiting before it was cancelled',
      { recorded: 'waiting', hasFailed: false },
      'pending',
      'waiting for approval',
      ['pending'],
    ],
    ['not begun', { hasFailed: false }, 'error', 'cancelled; nothing was left to undo', []],
  ] as const)('%s', (_, aftermath, state, description, ended) => {
    expect(outcomeAfter(aftermath)).toEqual({ state, description, ends: ended });
  });

  test('says nothing more of a failure that the main step has told, and that left nothing to undo', () => {
    expect(outcomeAfter({ hasFailed: true })).toBeUndefined();
  });
});
