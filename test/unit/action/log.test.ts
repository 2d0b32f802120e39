import { describe, expect, test } from '@jest/globals';

import { harmlessLines, plainLines } from '../../../src/action/harmless.ts';
import { createReporter } from '../../../src/action/log.ts';
import { stdoutOf } from './actions-files.ts';
import { hostileText } from './reports.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';

/** The runner's own reading (actions/runner, ActionCommand.cs): the command in a line of the log, if there is one. */
function commandIn(line: string): string | undefined {
  const current = /^::([a-z-]+)(?: [^]*?)?::/.exec(line.trimStart())?.[1];
  const older = /##\[([a-z-]+)/.exec(line)?.[1];
  return current ?? older;
}

describe('foreign text in the log', () => {
  test.each([
    '::error::forged',
    '  \t::set-output name=a::b',
    '\u00a0\u3000::error::forged',
    '\ufeff::error::forged',
    '\u001b[31m::error::forged',
    ':\u0007:error::forged',
    ':\u001b[0m:error::forged',
    ':\ufeff:error::forged',
    'a\r::error::forged',
    'a\r\n::error::forged',
    'a\n::stop-commands::x',
    'a\u2028::error::forged',
    'a\u0085::error::forged',
    'a\v::error::forged',
    '##[error]forged',
    'in the middle ##[add-mask]shop',
    '#\u0000#[add-mask]shop',
    '#\u001b[1m#[add-mask]shop',
    '######[error]',
    hostileText,
  ])('%j is never a command', async (text) => {
    const reporter = createReporter();
    const lines = await stdoutOf(() => {
      reporter.info(text);
    });
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.map((line) => commandIn(line)).filter((command) => command !== undefined)).toEqual([]);
  });

  test('stays readable', () => {
    expect(harmlessLines('\u001b[1;31mred\u001b[0m\tplain ü 🚀')).toEqual(['red\tplain ü 🚀']);
    expect(harmlessLines('::error::x')).toEqual([': :error::x']);
    expect(harmlessLines('a::b')).toEqual(['a::b']);
  });

  test('has no escape sequences, controls and changes of direction', () => {
    const lines = plainLines(
      '\u001b]8;;http://evil.test\u001b\\link\u001b]8;;\u001b\\ \u009b31mx \u202eabc\u0008\ud800',
    );
    expect(lines).toEqual(['link x abc\ufffd']);
  });

  test('is cut where a line is longer than 2000 characters', () => {
    const [line = ''] = harmlessLines('🚀'.repeat(3_000));
    expect(line.length).toBeLessThanOrEqual(2_000);
    expect(line).toMatch(/🚀…$/u);
  });

  test('takes a time in proportion to its length', async () => {
    const took = await cpuTimeOf(() => {
      harmlessLines('\u001b['.repeat(200_000) + '\u001b]'.repeat(200_000));
      harmlessLines(' '.repeat(500_000) + '::');
    });
    expect(took).toBeLessThan(SQUARE_MS);
  });
});

describe('annotations', () => {
  test('are one command each, whatever their text and file are called', async () => {
    const reporter = createReporter();
    const lines = await stdoutOf(() => {
      reporter.error(hostileText, { file: 'a.yaml,line=9::x\r\n::error::y', line: 3, column: 5 });
    });
    expect(lines.map((line) => commandIn(line))).toEqual(['error']);
    expect(lines[0]).toMatch(
      /^::error title=gke-rollout,file=a\.yaml%2Cline=9%3A%3Ax %3A %3Aerror%3A%3Ay,line=3,col=5::/,
    );
  });

  test('point at the line of the manifest', async () => {
    const lines = await stdoutOf(() => {
      createReporter().warning('image not found', { file: 'deployments/web.yaml', line: 21 });
    });
    expect(lines).toEqual(['::warning title=gke-rollout,file=deployments/web.yaml,line=21::image not found']);
  });

  test('stay below 4096 characters', async () => {
    const [line = ''] = await stdoutOf(() => {
      createReporter().error(Array.from({ length: 500 }, () => 'a line of some length').join('\n'));
    });
    expect(decodeURIComponent(line.replace(/^.*?::.*?::/, '')).length).toBeLessThan(4_096);
  });

  test('beyond ten of a level go to the log, and one notice says so', async () => {
    const reporter = createReporter();
    const lines = await stdoutOf(() => {
      for (let index = 1; index <= 13; index += 1) {
        reporter.error(`error ${index}`, { file: 'a.yaml', line: index });
        reporter.warning(`warning ${index}`);
        reporter.notice(`notice ${index}`);
      }
    });
    const of = (command: string | undefined) => lines.filter((line) => commandIn(line) === command);
    expect(of('error')).toHaveLength(10);
    expect(of('warning')).toHaveLength(10);
    expect(of('notice')).toHaveLength(10);
    expect(of('notice').filter((line) => line.includes('no more annotations'))).toHaveLength(1);
    expect(of(undefined)).toContain('error: a.yaml:13: error 13');
    expect(of(undefined)).toContain('warning: warning 11');
    expect(of(undefined)).toContain('notice: notice 13');
  });
});

describe('groups and debug lines', () => {
  test('are folded under one title, which is no command either', async () => {
    const lines = await stdoutOf(async () => {
      const value = await createReporter().group('Apply\n::error::x', async () => await Promise.resolve(7));
      expect(value).toBe(7);
    });
    expect(lines).toEqual(['::group::Apply : :error::x', '::endgroup::']);
  });

  test('end also when the work fails', async () => {
    const lines = await stdoutOf(async () => {
      await expect(createReporter().group('Apply', async () => await Promise.reject(new Error('no')))).rejects.toThrow(
        'no',
      );
    });
    expect(lines).toEqual(['::group::Apply', '::endgroup::']);
  });

  test('never nest: one inside of another is a heading in it, since GitHub would end both at the first end', async () => {
    const reporter = createReporter();
    const lines = await stdoutOf(async () => {
      const value = await reporter.group('Deploy', async () => {
        reporter.info('Deployment "web" configured');
        const inner = await reporter.group('Verify', async () => {
          reporter.info('check "/healthz" passed');
          return await Promise.resolve(7);
        });
        reporter.info('promoted');
        return inner;
      });
      expect(value).toBe(7);
      await reporter.group('Undo', async () => {
        await Promise.resolve();
      });
    });
    expect(lines).toEqual([
      '::group::Deploy',
      'Deployment "web" configured',
      'Verify:',
      'check "/healthz" passed',
      'promoted',
      '::endgroup::',
      '::group::Undo',
      '::endgroup::',
    ]);
  });

  test('end once, whatever fails inside of them or goes on beside them', async () => {
    const reporter = createReporter();
    const lines = await stdoutOf(async () => {
      const outer = reporter.group('Deploy', async () => {
        await reporter.group('Verify', async () => await Promise.reject(new Error('no'))).catch(() => undefined);
        await reporter.group('Clean\nup', async () => {
          await Promise.resolve();
        });
      });
      const beside = reporter.group('Look', async () => {
        await Promise.resolve();
      });
      await Promise.all([outer, beside]);
      await reporter.group('Undo', async () => {
        await Promise.resolve();
      });
    });
    const commands = lines.filter((line) => line.startsWith('::'));
    expect(commands).toEqual(['::group::Deploy', '::endgroup::', '::group::Undo', '::endgroup::']);
    expect(lines.filter((line) => !commands.includes(line)).toSorted()).toEqual(['Clean up:', 'Look:', 'Verify:']);
  });

  test('debug lines carry no second command', async () => {
    const lines = await stdoutOf(() => {
      createReporter().debug('a\n::error::x');
    });
    expect(lines).toEqual(['::debug::a', '::debug::: :error::x']);
  });
});

describe('masks', () => {
  test('are set line by line, without lines that would hide ordinary words (actions/runner#1498)', async () => {
    const lines = await stdoutOf(() => {
      createReporter().mask('{\n  "key": "s3cr3t-value"\n}\n');
    });
    expect(lines).toEqual(['::add-mask::"key": "s3cr3t-value"']);
  });
});
