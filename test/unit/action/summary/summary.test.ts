import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { Marked } from 'marked';

import { maxSummaryBytes, renderSummary } from '../../../../src/action/summary/summary.ts';
import type { RunInProgress, RunReport } from '../../../../src/report/run-report.ts';
import {
  crashEvidence,
  deployment,
  firstDeploy,
  hostile,
  hostileText,
  loading,
  partlyUndone,
  report,
  status,
  unchanged,
  undoneDeploy,
  veryLarge,
  waitingCanary,
  workload,
} from '../reports.ts';

const golden = join(import.meta.dirname, 'golden');

describe('the summary is the reviewed one', () => {
  // After a change on purpose: UPDATE_GOLDEN=1 npm run jest -- test/unit/action/summary, then look at the files with
  // script/render-summary.
  test.each<[string, () => RunReport]>([
    ['first-deploy', firstDeploy],
    ['unchanged', unchanged],
    ['waiting', waitingCanary],
    ['undone', undoneDeploy],
    ['partly-undone', partlyUndone],
    ['status', status],
    ['loading', loading],
    ['hostile', hostile],
  ])('%s', (name, build) => {
    const path = join(golden, `${name}.md`);
    const markdown = renderSummary(build());
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, markdown);
    expect(existsSync(path) ? readFileSync(path, 'utf8') : '').toBe(markdown);
  });
});

/** The tags of the HTML that a reader's browser gets, without those of code blocks, which hold text only. */
function tagsOf(markdown: string): string[] {
  const html = new Marked().parse(markdown, { async: false, gfm: true });
  return [...new Set([...html.matchAll(/<([a-z!][a-z0-9-]*)/gi)].map((match) => match[1] ?? ''))].sort();
}

test('what was verified is a table, with the figures of the stable version beside', () => {
  const facts = { via: 'at the cluster address 10.0.0.7:80', requests: 300, errors: 15, p95Ms: 12.4 };
  const markdown = renderSummary(
    report({
      checks: [
        { check: '/a|b', verdict: 'pass', message: 'all <b>right</b>', via: 'at x', requests: 20, errors: 0 },
        {
          check: '/',
          verdict: 'fail',
          message: '15 of 300 went wrong',
          ...facts,
          stable: { requests: 300, errors: 0, p95Ms: 9 },
          share: { wanted: 25, measured: 24.47, requests: 400 },
        },
      ],
    }),
  );
  expect(markdown).toContain('| Check | Result | Requests | Wrong | p95 | Share |');
  expect(markdown).toContain(
    '| <code>/a&#124;b</code> | passed: all &lt;b&gt;right&lt;/b&gt; (asked at x) | 20 | 0 |  |  |',
  );
  expect(markdown).toContain(
    '| `/` | **failed**: 15 of 300 went wrong (asked at the cluster address 10.0.0.7:80) | 300 (stable: 300) | 15 (stable: 0) | 12 ms (stable: 9 ms) | 24.5 % of 400 (pods: 25 %) |',
  );
});

const unnamed: RunInProgress = {
  startedAt: '2026-03-02T09:00:00Z',
  actor: 'octocat',
  run: 'https://github.test/acme/shop/actions/runs/44',
  isAlive: false,
};
const promotion: RunInProgress = { ...unnamed, command: 'promote' };
const by = 'by octocat ([run](https://github.test/acme/shop/actions/runs/44))';

test.each<[string, RunInProgress]>([
  [
    `> \`promote\` is running, started 2 min ago (2026-03-02 09:00:00 UTC) ${by}: “prices”`,
    { ...promotion, isAlive: true, onlyLocks: true, reason: 'prices' },
  ],
  [
    `> A run of an unknown command is running, started 2 min ago (2026-03-02 09:00:00 UTC) ${by}`,
    { ...unnamed, isAlive: true },
  ],
  [
    `> \`promote\`, started 2 min ago (2026-03-02 09:00:00 UTC) ${by}, has left its lock behind, last renewed 1 min ago (2026-03-02 09:01:00 UTC). The lock has expired: the next run takes it over`,
    { ...promotion, onlyLocks: true, renewedAt: '2026-03-02T09:01:00Z' },
  ],
  [`${by}, was killed: the next run deals with what it left`, promotion],
])('who holds the lock of a release, and whether still: %s', (text, inProgress) => {
  expect(renderSummary({ ...loading(), inProgress })).toContain(text);
});

describe('texts from outside', () => {
  test('bring in no element that the summary does not use itself', () => {
    const own = tagsOf(renderSummary(partlyUndone()));
    const allowed = new Set([...own, 'span']);
    expect(tagsOf(renderSummary(hostile())).filter((tag) => !allowed.has(tag))).toEqual([]);
  });

  test('become no link, image, mention or issue reference', () => {
    const html = new Marked().parse(renderSummary(hostile()), { async: false, gfm: true });
    const outsideOfCode = html.replaceAll(/<pre>[^]*?<\/pre>/g, '');
    expect(outsideOfCode).not.toMatch(/<a |<img|href=|@octocat|#1\b|GH-1|<!--/);
  });

  test('open and close no block of their own', () => {
    const html = new Marked().parse(renderSummary(hostile()), { async: false, gfm: true });
    const count = (tag: string) => html.split(tag).length - 1;
    expect(count('<details>')).toBe(count('</details>'));
    expect(count('<table>')).toBe(count('</table>'));
    expect(count('<details>')).toBe(
      new Marked().parse(renderSummary(partlyUndone()), { async: false }).split('<details>').length - 1,
    );
  });

  test('split no cell of a table', () => {
    const evidence = [crashEvidence({ object: deployment('web') })];
    for (const event of evidence[0]?.events ?? []) event.message = hostileText;
    const markdown = renderSummary(report({ failure: { message: 'x', causes: [], problems: [], evidence } }));
    const rows = markdown.split('\n').filter((line) => line.includes('BackOff'));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.split('|')).toHaveLength(6);
  });

  test('leave no escape sequence or control character behind', () => {
    // eslint-disable-next-line no-control-regex -- they are what must not be there
    expect(renderSummary(hostile())).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028]/);
  });
});

describe('the size', () => {
  test('stays below the limit, and the largest log gives way first', () => {
    const markdown = renderSummary(veryLarge());
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(maxSummaryBytes);
    expect(markdown).toMatch(/Pod `web-1` \(the last \d+ of 5000 lines\)/);
    expect(markdown).toContain('004999 large');
    expect(markdown).toContain('000000 small');
    expect(markdown).toContain('… and 300 more.');
  });

  test('stays below the limit when every text is as long and as hostile as can be', () => {
    const long = hostileText.repeat(50);
    const base = hostile();
    const evidence = Array.from({ length: 6 }, () =>
      crashEvidence({
        logs: Array.from({ length: 4 }, () => ({ pod: long, container: long, previous: true, lines: [long] })),
        events: Array.from({ length: 60 }, () => ({
          object: deployment(long),
          time: long,
          type: long,
          reason: long,
          message: long,
          count: 1,
        })),
      }),
    );
    const markdown = renderSummary({
      ...base,
      headline: long,
      warnings: Array.from({ length: 500 }, () => long),
      workloads: Array.from({ length: 40 }, () =>
        workload(long, { containers: Array.from({ length: 20 }, () => ({ name: long, before: long, after: long })) }),
      ),
      failure: { message: long, hint: long, causes: [], problems: [], evidence },
    });
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(maxSummaryBytes);
    expect(markdown).toContain('### ');
  });

  test('keeps the end of a single line that is longer than all that is left', () => {
    const lines = [`${'x'.repeat(300_000)}the end`];
    const evidence = [crashEvidence({ logs: [{ pod: 'web-1', container: 'web', previous: false, lines }] })];
    const markdown = renderSummary(report({ failure: { message: 'x', causes: [], problems: [], evidence } }));
    expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(maxSummaryBytes);
    expect(markdown).toContain('xxxthe end\n```');
  });
});
