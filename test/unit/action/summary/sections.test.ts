import { describe, expect, test } from '@jest/globals';

import { renderSummary } from '../../../../src/action/summary/summary.ts';
import type { RunReport } from '../../../../src/report/run-report.ts';
import { commits, deployment, firstDeploy, links, report, undoneDeploy, waitingCanary, workload } from '../reports.ts';

const uses = { uses: 'acme/gke-rollout@v1' };

describe('the line below the heading', () => {
  test('is one, grey, and leads to the commit, the run and the changes', () => {
    const [, , line] = renderSummary(waitingCanary()).split('\n');
    expect(line).toMatch(
      /^<sub>release `shop` · revision 6 live, 7 waiting · namespace `shop` · cluster `bootcamp` · /,
    );
    expect(line).toContain(`(${links.repository ?? ''}/compare/${commits.before}...${commits.now})`);
    expect(line).toMatch(/ · `deploy`, `canary` · 1m9s<\/sub>$/);
  });

  test('has only what is known', () => {
    const { command, status, headline, durationMs, objects, workloads, addresses, timeline, warnings } = report();
    const few = { command, status, headline, durationMs, objects, workloads, addresses, timeline, warnings };
    expect(renderSummary(few)).toBe(`### ✅ ${headline}\n\n<sub>\`deploy\` · 14s</sub>\n`);
  });
});

describe('the cause', () => {
  const markdown = renderSummary(undoneDeploy());

  test('is told once, with the last words of the container, the line of the manifest, and what to do', () => {
    const box = markdown.split('\n').filter((line) => line.startsWith('>'));
    expect(box.join('\n')).toContain('> fatal: no database');
    expect(box).toContain(
      `> In [\`deployments/web.yaml:21\`](${links.repository ?? ''}/blob/${commits.now}/deployments/web.yaml#L21)`,
    );
    expect(box).toContain('> What to do: Read the last lines of its log below; it ran well in revision 6.');
    expect(markdown.split('it ended with exit code 1 three times')).toHaveLength(2);
  });

  test('names a file without a link where it is not plainly one of the repository', () => {
    const problems = [{ message: 'no such field', location: { file: '../other/web.yaml', line: 2 } }];
    const failure = { message: 'a problem', causes: [], problems, evidence: [] };
    const own = renderSummary(report({ status: 'failed', commit: commits.now, links, failure }));
    expect(own).toContain('- `../other/web.yaml:2`: no such field');
  });
});

describe('what changed', () => {
  test('is a diff, with values where they may be shown', () => {
    expect(renderSummary(undoneDeploy())).toContain(
      [
        '**What was tried**',
        '',
        '```diff',
        '@@ Deployment web @@',
        '- image of container "web": registry.test/shop/web:1.1.0',
        '+ image of container "web": registry.test/shop/web:1.2.0',
        '- replicas: 2',
        '+ replicas: 3',
        '+ env LOG of container "web": debug',
        '- env TRACE of container "web": true',
        '  … and 2 more',
        '@@ Secret web-key @@',
        '! key "password": changed',
        '@@ ConfigMap web-flags (new) @@',
        '  as in its manifest: the server cannot dry-run it yet',
        '@@ Deployment worker @@',
        '! new pods, because the config that they read changes',
        '```',
      ].join('\n'),
    );
  });

  test.each<[Partial<RunReport>, string]>([
    [{ status: 'deployed' }, '**What changed**'],
    [{ status: 'waiting' }, '**What changes**'],
    [{ status: 'failed', stays: true }, '**What was tried**'],
    [{ status: 'failed' }, '**What was to change**'],
  ])('has the title of how the run has ended: %j', (how, title) => {
    const { changes = [] } = undoneDeploy();
    expect(renderSummary(report({ ...how, changes }))).toContain(title);
  });

  test('is folded where it is long', () => {
    const fields = Array.from({ length: 60 }, (_, index) => ({ field: `key "${index}"`, change: 'changed' as const }));
    const changes = [
      { ref: deployment('web'), change: 'change' as const, diff: { fields, more: 0, basis: 'server' as const } },
    ];
    expect(renderSummary(report({ changes }))).toContain('<summary>What changed</summary>');
  });

  test('is left out where nothing does', () => {
    const changes = [{ ref: deployment('web'), change: 'unchanged' as const }];
    expect(renderSummary(report({ changes }))).not.toContain('What changed');
  });
});

test('a time-out tells its cause once', () => {
  const message = 'Deployment "web": container "web" has been loading weights for 48s: 20 %, 1 of 5 shards';
  const causes = [{ reason: 'ContainersNotReady', message, object: deployment('web') }];
  const failure = {
    message: `not ready in time: ${message}`,
    causes,
    problems: [],
    evidence: [],
    namedAfterSeconds: 48,
  };
  const markdown = renderSummary(report({ failure }));
  expect(markdown.split('loading weights')).toHaveLength(2);
  expect(markdown).toContain(
    '<sub>`ContainersNotReady` on Deployment `web`, explained 48s after the cluster first showed it</sub>',
  );
});

describe('the workloads', () => {
  test('of a failed run are told as they are now, beside what was tried', () => {
    const markdown = renderSummary(undoneDeploy());
    expect(markdown).toContain('| Workload | Now | Tried | Outcome |');
    expect(markdown).toContain(
      '| Deployment `web` | 2 pods run web:1.1.0 | `web:1.2.0`, 3 pods | **failed**: container "web" keeps crashing with exit code 1 |',
    );
    expect(markdown).toContain('| Deployment `worker` | 2 pods run worker:1.1.0 |  | not ready: 1 of 2 pods updated |');
  });

  test('do not tell the cause again', () => {
    const run = undoneDeploy();
    const message = run.failure?.message ?? '';
    const [first, ...others] = run.workloads;
    if (first === undefined) throw new Error('there is no workload');
    expect(renderSummary({ ...run, workloads: [{ ...first, message }, ...others] })).toContain('3 pods | **failed** |');
  });

  test('name an image once that several containers are to run', () => {
    const run = undoneDeploy();
    const workloads = run.workloads.map((row) => ({ ...row, containers: [...row.containers, ...row.containers] }));
    expect(renderSummary({ ...run, workloads })).toContain('| `web:1.2.0`, 3 pods |');
  });

  test('have no column in which nothing stands', () => {
    const { ref, containers, replicas = { after: 2 }, state, message } = workload('web');
    const row = { ref, containers, replicas, state, message };
    expect(renderSummary(report({ workloads: [row] }))).toContain('| Workload | Image | Replicas | State |\n');
  });
});

describe('traffic', () => {
  const step = { workload: 'web', stablePods: 3 };
  const share = (measured: number, wanted: number) => ({ measured, wanted, requests: 400 });
  const check = { check: '/', verdict: 'pass', message: 'right', via: 'at x', requests: 200 } as const;
  const watched = {
    traffic: [
      { ...step, atMs: 12_000, wanted: 10, candidatePods: 1, measured: 24.6, requests: 400 },
      { ...step, atMs: 50_000, wanted: 50, candidatePods: 3, measured: 50.4, requests: 400 },
    ],
    checks: [
      { ...check, errors: 0, share: share(24.6, 25) },
      { ...check, errors: 5, share: share(50.4, 50) },
    ],
  };

  test('and checks are one table', () => {
    const markdown = renderSummary(report(watched));
    expect(markdown).toContain('| Traffic and checks | Result | Requests | Wrong | Share |');
    expect(markdown).toContain(
      '| `web` | after 12s: 1 of 4 pods | 400 |  | 24.6 % of 400 requests (step: 10 %, pods: 25 %) |',
    );
    expect(markdown).toContain('| `/` | passed, asked at x | 200 | 5 | 50.4 % of 400 (pods: 50 %) |');
    expect(markdown).toContain('“step” is what `canary-steps` asks for, “pods” what the pods give. Checks use “pods”.');
    const [, same] = watched.traffic;
    expect(renderSummary(report({ traffic: same === undefined ? [] : [same] }))).not.toContain('“pods”');
  });

  test('is drawn where there were requests in more than one step', () => {
    expect(renderSummary(report(watched))).toContain(
      [
        '```mermaid',
        'xychart-beta',
        '    title "Requests to the new version (bars) and its errors (line), in %"',
        '    x-axis ["12s", "50s"]',
        '    y-axis 0 --> 100',
        '    bar [24.6, 50.4]',
        '    line [0.0, 2.5]',
        '```',
      ].join('\n'),
    );
  });

  test.each([
    ['of one step', watched.traffic.slice(0, 1)],
    [
      'that was not measured',
      watched.traffic.map(({ atMs, wanted, candidatePods }) => ({ ...step, atMs, wanted, candidatePods })),
    ],
    ['of several workloads', watched.traffic.map((one, index) => ({ ...one, workload: `web-${index}` }))],
  ])('%s is not drawn', (_, traffic) => {
    expect(renderSummary(report({ traffic }))).not.toContain('mermaid');
  });
});

describe('the timeline', () => {
  const headline = 'shop: live in 3s (revision 2)';
  const routine = ['manifests are valid', 'all objects are ready', headline].map((text, atMs) => ({ atMs, text }));

  test('has only what is no routine', () => {
    const timeline = [...routine, { atMs: 9_000, text: 'web: all requests go to the new side' }];
    const markdown = renderSummary(report({ headline, timeline }));
    expect(markdown).toContain('| After | What |\n| :-- | :-- |\n| 9s | web: all requests go to the new side |\n');
  });

  test('is left out where there is nothing else', () => {
    expect(renderSummary(report({ headline, timeline: routine }))).not.toContain('Timeline');
  });
});

describe('what to do next', () => {
  const lines = (...more: string[]) =>
    ['- uses: acme/gke-rollout@v1', '  with:', ...more.map((line) => `    ${line}`)].join('\n');

  test('is to promote or to abort what waits, with the lines to paste', () => {
    expect(renderSummary({ ...waitingCanary(), links: uses })).toContain(
      `**Next:** roll it out with \`command: promote\`, or remove it with \`command: abort\`:\n\n\`\`\`yaml\n${lines('command: promote # or: abort', 'release: shop', 'namespace: shop')}`,
    );
  });

  test.each<[string, RunReport, string]>([
    ['to resume', report({ status: 'paused' }), 'command: resume'],
    ['to carry a plan out', report({ status: 'planned' }), 'run the same step with `command: deploy`'],
    ['to mend the cause', { ...undoneDeploy() }, 'fix the cause and deploy again. Nothing has to be cleaned up.'],
    ['to go back from a new version', report({ revision: 7, previousRevision: 6 }), 'to-revision: 6'],
    [
      'to go back from what was left',
      report({ status: 'failed', stays: true, revision: 7, previousRevision: 6 }),
      'to-revision: 6',
    ],
  ])('is %s', (_, run, text) => {
    expect(renderSummary(run)).toContain(text);
  });

  test.each<[string, RunReport]>([
    ['after a first deploy', firstDeploy()],
    ['where nothing changed', report({ status: 'unchanged', revision: 7, previousRevision: 7 })],
    ['after an abort', report({ status: 'aborted' })],
  ])('is not told %s', (_, run) => {
    expect(renderSummary(run)).not.toMatch(/Next:|To go back/);
  });

  test('quotes names that YAML would read as something else', () => {
    expect(renderSummary(report({ status: 'paused', release: '1', namespace: 'true', links: uses }))).toContain(
      lines('command: resume', 'release: "1"', 'namespace: "true"'),
    );
  });
});
