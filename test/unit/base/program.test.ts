import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, test } from '@jest/globals';

import { Cancelled } from '../../../src/base/errors.ts';
import { runProgram, type ProgramOptions } from '../../../src/base/program.ts';

const options: ProgramOptions = {
  env: { PATH: process.env['PATH'] },
  time: { value: 1_000, unit: 'ms', what: 'a test' },
  output: { value: 100_000, unit: 'bytes', what: 'what a test prints' },
  slowHint: 'See what it waits for.',
};

const shell = (script: string, more: Partial<ProgramOptions> = {}) =>
  runProgram('"sh"', 'sh', ['-c', script], { ...options, ...more });

/** The processes of this test that still run: their command line holds the mark. */
async function leftOf(mark: string): Promise<string> {
  const found = await runProgram('"ps"', 'ps', ['-eo', 'args'], {
    ...options,
    time: { ...options.time, value: 30_000 },
  });
  const lines = (found?.stdout ?? '').split('\n');
  return lines.filter((line) => line.includes(mark) && !line.includes('<defunct>')).join('\n');
}

/** Waits until what a program is to start runs. */
async function untilAsleep(mark: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await leftOf(mark)).split('\n').some((line) => line.startsWith('sleep '))) {
    if (Date.now() > deadline) throw new Error('the program has not started what it is to start');
    await sleep(20);
  }
}

test('what a program prints and how it ended is answered', async () => {
  await expect(shell('echo out; echo err >&2; exit 3')).resolves.toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
  await expect(shell('kill -KILL $$')).resolves.toMatchObject({ code: 'SIGKILL' });
});

test('a program that is not there is none', async () => {
  await expect(runProgram('"x"', 'no-such-program', [], options)).resolves.toBeUndefined();
});

test('arguments that are too long for the system are an error of the program', async () => {
  await expect(runProgram('"x"', 'true', ['x'.repeat(10_000_000)], options)).rejects.toThrow('cannot start "x"');
});

describe.each([
  ['that hangs', 'exec sleep 611.MARK'],
  ['that ignores SIGTERM', 'trap "" TERM; while true; do sleep 612.MARK; done'],
  ['that waits for something it has started', 'sleep 613.MARK & sleep 614.MARK'],
])('a program %s', (_, script) => {
  test('is ended at its time limit with all that it has started', async () => {
    const mark = String(Math.floor(Math.random() * 1e9));
    await expect(shell(script.replaceAll('MARK', mark))).rejects.toMatchObject({
      message: '"sh" did not finish: the limit for a test is 1 s, and it was stopped',
      hint: 'See what it waits for.',
    });
    await expect(leftOf(mark)).resolves.toBe('');
  });

  test('is ended when the run is cancelled', async () => {
    const mark = String(Math.floor(Math.random() * 1e9));
    const controller = new AbortController();
    const end = shell(script.replaceAll('MARK', mark), {
      signal: controller.signal,
      time: { ...options.time, value: 60_000 },
    });
    await untilAsleep(mark);
    controller.abort(new Cancelled());
    await expect(end).rejects.toThrow('the run was cancelled');
    await expect(leftOf(mark)).resolves.toBe('');
  });
});

test('a program is not even started when the run has been cancelled', async () => {
  await expect(shell('true', { signal: AbortSignal.abort(new Cancelled()) })).rejects.toThrow('the run was cancelled');
});

test.each([
  ['its output', 'yes'],
  ['its errors', 'yes >&2'],
  ['both, and ignores SIGTERM', 'trap "" TERM; while true; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done'],
])('a program that prints without end is ended: %s', async (_, script) => {
  const before = process.memoryUsage().rss;
  await expect(shell(script, { time: { ...options.time, value: 60_000 } })).rejects.toThrow(
    '"sh" printed too much: the limit for what a test prints is 100,000 bytes, and it was stopped',
  );
  expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
});

test('what a program leaves behind does not keep its answer, and is ended', async () => {
  const mark = String(Math.floor(Math.random() * 1e9));
  const end = await shell(`sleep 615.${mark} & echo done`, { time: { ...options.time, value: 60_000 } });
  expect(end).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  await expect(leftOf(mark)).resolves.toBe('');
});
