import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { ensureProgram } from '../../cluster/build.ts';
import { run } from '../../cluster/run.ts';
import { figure } from '../../support/figure.ts';
import { root, workflowFiles } from './workflow-files.ts';
import { ensureZizmor } from './zizmor.ts';

let actionlint: string;
let zizmor: string;

beforeAll(async () => {
  [actionlint, zizmor] = await Promise.all([ensureProgram('actionlint'), ensureZizmor()]);
});

/** Throws with what it has found. */
const audit = (files: readonly string[]) =>
  run(
    zizmor,
    // Without a network, with the opinions that only an auditor has, and with no file left out because it cannot be read.
    [
      '--quiet',
      '--offline',
      '--persona=auditor',
      '--strict-collection',
      '--no-progress',
      '--config=.github/zizmor.yml',
      ...files,
    ],
    { cwd: root },
  );

test.each(workflowFiles)('actionlint finds nothing in %s', async (file) => {
  expect(await run(actionlint, ['-no-color', file], { cwd: root })).toBe('');
});

test.each(workflowFiles)('zizmor finds nothing in %s', async (file) => {
  expect(await audit([file])).toContain('No findings to report');
});

test('zizmor finds nothing in action.yml and dependabot.yml', async () => {
  expect(await audit(['action.yml', '.github/dependabot.yml'])).toContain('No findings to report');
});

describe('both do look', () => {
  const flawed = 'test/e2e/examples/flawed.yml';

  test('actionlint says which key it does not know', async () => {
    await expect(run(actionlint, ['-no-color', flawed], { cwd: root })).rejects.toThrow(/unexpected key "timeout"/);
  });

  test('zizmor says what an attacker could use', async () => {
    await expect(audit([flawed])).rejects.toThrow(/error\[template-injection\]/);
    await expect(audit([flawed])).rejects.toThrow(/error\[unpinned-uses\]/);
  });
});

test('what zizmor is told to overlook has a reason beside it', () => {
  const ignored = workflowFiles.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .filter((line) => line.includes('zizmor: ignore')),
  );
  expect(ignored).toHaveLength(2);
  for (const line of ignored) expect(line).toMatch(/# zizmor: ignore\[[a-z-]+\] \w+ \w+ \w+/);
  figure('examples-linted', workflowFiles.length);
});
