import { expect, test } from '@jest/globals';

import { costFrom, costOfProcess, inTurn } from '../../../script/bench/cost.ts';
import { costTable, figuresOf, page, timeTable, type Row } from '../../../script/bench/page.ts';
import { inTurns } from '../../../script/bench/turns.ts';

const cost = (ms: number, cpuSeconds = 0.5, peakMb = 100) => ({ ms, cpuSeconds, peakMb });

const rows: Row[] = [
  {
    work: 'deploy of 10, first time',
    action: [cost(900), cost(1100), cost(1000)],
    kubectl: [cost(1000, 0.2, 40), cost(1000, 0.2, 40), cost(2000, 0.2, 40)],
    helm: [cost(10_000, 1, 80), cost(10_000, 1, 80)],
    requests: 'GET 8',
    remarks: 'with a Service',
  },
  { work: 'lag', action: [cost(20, 0, 0)], kubectl: [cost(1, 0, 0)], noRatio: true },
];

const machine = {
  processor: 'AMD EPYC 7B13',
  cores: 2,
  memoryGb: 23,
  date: '2026-01-31',
  load: 1.25,
  versions: { node: '24.0.0', kubernetes: '1.36.3', helm: '4.3.1' },
};

test('what GNU time writes is seconds of CPU and the peak of memory, after a line about a program that failed', () => {
  expect(costFrom('0.50 0.25 102400\n', 900)).toEqual({ ms: 900, cpuSeconds: 0.75, peakMb: 100 });
  expect(costFrom('Command exited with non-zero status 1\n0.50 0.25 102400\n', 900).cpuSeconds).toBe(0.75);
  expect(() => costFrom('', 900)).toThrow('GNU time has written ""');
});

test('of a process that still runs, /proc has the CPU time and the peak of memory, whatever its name is', () => {
  const stat = '123 (node (x) y) S 1 1 1 0 -1 4194560 5 0 0 0 17 3 0 0 20 0 1 0';
  const status = 'Name:\tnode\nVmPeak:\t  900000 kB\nVmHWM:\t   61440 kB\n';
  expect(costOfProcess(stat, status, 150)).toEqual({ ms: 150, cpuSeconds: 0.2, peakMb: 60 });
});

test('programs that run one after the other take their times together, and the memory of the largest', () => {
  expect(inTurn([cost(100, 1, 50), cost(200, 2, 40)])).toEqual({ ms: 300, cpuSeconds: 3, peakMb: 50 });
});

test('in each pair another tool begins', async () => {
  const order: string[] = [];
  const works = ['a', 'k', 'h'].map((name) => () => Promise.resolve(order.push(name)));
  for (const pair of [0, 1, 2, 3]) await inTurns(pair, works);
  expect(order.join('')).toBe('akhkhahakakh');
});

test('the table of times has medians with the shortest and the longest run, and ratios pair by pair', () => {
  expect(timeTable(rows).split('\n').slice(2)).toEqual([
    '| deploy of 10, first time | 3, helm 2 | 1000 ms (900 to 1100) | 1000 ms (1000 to 2000) | 0.90 (0.50 to 1.10) | 10.0 s (10.0 to 10.0) | 0.10 (0.09 to 0.11) |',
    '| lag | 1 | 20 ms (20 to 20) | 1 ms (1 to 1) |  |  |  |',
  ]);
});

test('the table of CPU and memory has the rows in which whole programs were measured', () => {
  expect(costTable(rows).split('\n').slice(2)).toEqual([
    '| deploy of 10, first time | 0.50 s | 0.20 s | 1.00 s | 100 MB | 40 MB | 80 MB | GET 8 |',
  ]);
});

test('each row has figures for what reads the output', () => {
  expect(rows.flatMap(figuresOf)).toEqual([
    'figure deploy-of-10-first-time-ratio 0.90',
    'figure deploy-of-10-first-time-helm-ratio 0.10',
    'figure deploy-of-10-first-time-peak-mb 100',
    'figure lag-ms 20',
  ]);
});

test('the page says on what machine it was measured, when, and what is special about a row', () => {
  const text = page(rows, machine);
  expect(text).toContain(
    'by `npm run bench -- --write` on 2026-01-31, with Node 24.0.0, kubectl 1.36.3, helm 4.3.1 and',
  );
  expect(text).toContain('2 cores (AMD EPYC 7B13), 23 GB of memory, load average up to 1.3.');
  expect(text).toContain('- **deploy of 10, first time**: with a Service.\n');
});

test('the page says that helm was left out', () => {
  const { node, kubernetes } = machine.versions;
  expect(page(rows, { ...machine, versions: { node, kubernetes } })).toContain('helm was left out of this run.');
});
