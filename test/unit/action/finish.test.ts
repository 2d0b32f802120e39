import { describe, expect, test } from '@jest/globals';

import { finish } from '../../../src/action/finish.ts';
import { createReporter } from '../../../src/action/log.ts';
import type { FailureReport } from '../../../src/report/run-report.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { stdoutOf } from './actions-files.ts';
import { report } from './reports.ts';

const log = { container: 'web', lines: ['connecting', 'fatal: no database'] };
const excerpt = 'The last 2 lines of the log of container "web":\n    connecting\n    fatal: no database';

function without(more: Partial<FailureReport>) {
  const failure = { message: 'it crashes', hint: 'See its log.', causes: [], problems: [], evidence: [], ...more };
  return report({ status: 'undone', headline: 'shop: deploy failed', failure });
}

function failed(more: Partial<FailureReport>) {
  return without({ log, ...more });
}

describe('the last words of a container that crashes', () => {
  test('stand in the annotation', async () => {
    const reporter = listeningReporter();
    expect(await finish(failed({}), reporter, {})).toBe(1);
    expect(reporter.lines).toContain(`error shop: deploy failed\nit crashes\nSee its log.\n${excerpt}`);
  });

  test('stand in the annotation at the line of the manifest, and in the log', async () => {
    const reporter = listeningReporter();
    await finish(
      failed({ problems: [{ message: 'it crashes', location: { file: 'a.yaml', line: 1 }, log }] }),
      reporter,
      {},
    );
    expect(reporter.lines).toEqual([
      `error it crashes\n${excerpt}`,
      `info shop: deploy failed\nit crashes\n${excerpt}`,
    ]);
  });

  test('are no workflow commands', async () => {
    const hostile = { container: 'web', lines: ['::error::forged', '##[error]forged', 'a%0A::error::b'] };
    const printed = await stdoutOf(async () => {
      await finish(failed({ log: hostile }), createReporter(), {});
    });
    const commands = printed.filter((line) => /^\s*::|##\[/.test(line));
    expect(commands.map((line) => /^::(\w+)/.exec(line)?.[1])).toEqual(['error', 'debug']);
  });
});

describe('a line of an annotation', () => {
  const long = `container "web": image "registry.test/${'a'.repeat(60)}/web:2" is not there, as the registry says, or may not be seen`;

  test('has 120 characters at most, and the log has all of it', async () => {
    const reporter = listeningReporter();
    await finish(without({ message: long }), reporter, {});
    const cut = `container "web": image "registry.test/${'a'.repeat(60)}/web:2" is not…`;
    expect(reporter.lines).toEqual([
      `info shop: deploy failed\n${long}\nSee its log.`,
      `error shop: deploy failed\n${cut}\nSee its log.`,
    ]);
  });

  test('at a place of a manifest likewise; one without a space is cut where it has to be', async () => {
    const reporter = listeningReporter();
    const location = { file: 'a.yaml', line: 1 };
    await finish(without({ problems: [{ message: 'x'.repeat(121), location }] }), reporter, {});
    expect(reporter.lines.slice(0, 2)).toEqual([`info ${'x'.repeat(121)}`, `error ${'x'.repeat(119)}…`]);
  });
});
