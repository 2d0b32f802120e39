import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { customRules } from '../../../src/rollout/readiness/custom/index.ts';
import type { Rule } from '../../../src/rollout/readiness/rule.ts';
import { run } from '../../cluster/run.ts';
import { figure } from '../../support/figure.ts';
import { notedIn, notingInto, type NotedSequence } from '../../support/noted-sequences.ts';

/**
 * The captured sequences of custom resources, counted as they are decided: a sequence is right when the test that had it decided
 * has compared something and has passed.
 */
const root = join(import.meta.dirname, '../../..');
const tests = 'test/unit/rollout/readiness/custom';

interface Report {
  testResults: {
    name: string;
    assertionResults: { fullName: string; status: string; numPassingAsserts: number }[];
  }[];
}

let noted: NotedSequence[] = [];
let right: NotedSequence[] = [];
let ranFiles: string[] = [];
const kinds = customRules.flatMap((rule) =>
  rule.kinds.map(({ kind, group }) => ({ kind, group, failed: rule.failed })),
);

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-sequences-'));
  const [notes, reported] = [join(folder, 'notes.jsonl'), join(folder, 'report.json')];
  const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const jest = ['node_modules/jest/bin/jest.js', '--maxWorkers=1', '--json', `--outputFile=${reported}`, `${tests}/`];
  const failure = await run(process.execPath, [...flags, ...jest], { cwd: root, env: notingInto(notes) }).catch(String);
  try {
    const { testResults } = JSON.parse(readFileSync(reported, 'utf8')) as Report;
    ranFiles = testResults.map(({ name }) => name);
    const passed = testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status, numPassingAsserts }) => status === 'passed' && numPassingAsserts > 0)
        .map(({ fullName }) => `${name} ${fullName}`),
    );
    noted = notedIn(notes);
    right = noted.filter(({ file, test }) => passed.includes(`${file} ${test}`));
  } catch (error) {
    throw new Error(`the sequences were not decided: ${failure}`, { cause: error });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 120_000);

afterAll(() => {
  figure('kinds', kinds.length);
  figure('sequences', right.length);
  figure('wrong-verdicts', noted.length - right.length);
});

/** Rules, by their first kind, of none of whose kinds a sequence goes on for a while and then ends so. */
function without(end: string, among: readonly Rule[]): string[] {
  const ended = right.filter(
    ({ verdicts }) =>
      verdicts[0]?.startsWith('progressing: ') === true && verdicts.at(-1)?.startsWith(`${end}: `) === true,
  );
  const left = among.filter((rule) => !ended.some((one) => rule.kinds.some((kind) => isOf(one, kind))));
  return left.map(({ kinds: [first] }) => `${first?.kind ?? ''}.${first?.group ?? ''}`);
}

/** A rule may be for all kinds of a group, and of all groups below a domain. */
function isOf(one: NotedSequence, { kind, group }: Rule['kinds'][number]): boolean {
  const isGroup = group.startsWith('*.') ? one.group.endsWith(group.slice(1)) : one.group === group;
  return isGroup && (kind === '*' || one.kind === kind);
}

describe('the captured sequences of custom resources', () => {
  test('are all decided, and rightly', () => {
    const files = readdirSync(join(root, tests)).filter((name) => name.endsWith('.test.ts'));
    expect(ranFiles.toSorted()).toEqual(files.map((name) => join(root, tests, name)).sort());
    expect(noted.filter((one) => !right.includes(one))).toEqual([]);
  });

  test('show the way to ready, for each rule that awaits it', () => {
    expect(
      without(
        'ready',
        customRules.filter((rule) => !rule.ready.startsWith('it is applied')),
      ),
    ).toEqual([]);
  });

  test('show the way to a failure, for each rule that knows one', () => {
    expect(
      without(
        'failed',
        customRules.filter((rule) => rule.failed !== 'never'),
      ),
    ).toEqual([]);
  });
});
