/** Reports of runs as the commands hand them over, for the tests of outputs and summaries. */
import type { FieldDiff } from '../../../src/report/field-diff.ts';
import type { Links, RunReport, WorkloadReport } from '../../../src/report/run-report.ts';
import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import type { Evidence } from '../../../src/rollout/evidence.ts';
import type { RunningVersion } from '../../../src/rollout/versions.ts';

export function deployment(name: string): ObjectRef {
  return { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name };
}

export function service(name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name };
}

export function pod(name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name };
}

export function workload(name: string, overrides: Partial<WorkloadReport> = {}): WorkloadReport {
  return {
    ref: deployment(name),
    containers: [{ name, after: `registry.test/shop/${name}:1.1.0` }],
    replicas: { after: 2 },
    durationMs: 12_000,
    state: 'ready',
    message: '2 of 2 pods are ready',
    ...overrides,
  };
}

/** Two ready pods that run one image. */
function running(image: string): RunningVersion {
  return { images: [image], pods: 2, ready: 2 };
}

export function report(overrides: Partial<RunReport> = {}): RunReport {
  return {
    command: 'deploy',
    status: 'deployed',
    headline: 'shop: auth and ctwoc 1.1.0 (new) and frontend 0123456789ab… (new), live in 14s (revision 1)',
    release: 'shop',
    namespace: 'shop',
    server: 'https://203.0.113.7:6443',
    context: 'bootcamp',
    revision: 1,
    objects: [],
    workloads: [],
    addresses: [],
    timeline: [],
    warnings: [],
    durationMs: 14_200,
    ...overrides,
  };
}

const repository = 'https://github.test/acme/shop';

/** Of a run of a pull request that deploys to GKE. */
export const links: Links = {
  repository,
  run: `${repository}/actions/runs/42/attempts/2`,
  actor: 'octocat',
  pullRequest: { number: 7, url: `${repository}/pull/7` },
  console: {
    workloads: 'https://console.cloud.google.com/kubernetes/workload/overview?project=acme-shop',
    logs: 'https://console.cloud.google.com/logs/query;query=x?project=acme-shop',
  },
};

/** Full hashes. */
export const commits = { now: 'b'.repeat(40), before: 'a'.repeat(40) };

export function firstDeploy(): RunReport {
  return report({
    strategy: 'rolling',
    commit: commits.now,
    links: { repository, run: `${repository}/actions/runs/42`, actor: 'octocat' },
    objects: [
      { ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'frontend-config' }, change: 'created' },
      ...['auth', 'ctwoc', 'frontend'].flatMap((name) => [
        { ref: deployment(name), change: 'created' as const },
        { ref: service(name), change: 'created' as const },
      ]),
    ],
    workloads: [
      workload('auth', { replicas: { after: 1 }, durationMs: 3_100 }),
      workload('ctwoc', { replicas: { after: 5 }, durationMs: 7_900 }),
      workload('frontend', {
        containers: [
          { name: 'frontend', after: 'registry.test/shop/frontend:0123456789abcdef0123456789abcdef01234567' },
          {
            name: 'proxy',
            after:
              'us-central1-docker.pkg.dev/acme-prod/mirror/envoy@sha256:8d9a2b1c0d3e4f5061728394a5b6c7d8e9f00112233445566778899aabbccdde',
          },
        ],
      }),
    ],
    addresses: [{ ref: service('frontend'), address: '203.0.113.20', url: 'http://203.0.113.20' }],
    timeline: [
      { atMs: 300, text: 'Connected to https://203.0.113.7:6443' },
      { atMs: 900, text: 'Dry run of 7 objects passed' },
      { atMs: 1_500, text: 'Applied 7 objects' },
      { atMs: 13_800, text: '3 workloads are ready' },
    ],
  });
}

export function unchanged(): RunReport {
  return report({
    strategy: 'rolling',
    status: 'unchanged',
    headline: 'shop: nothing to change, web 1.1.0 (revision 7) is live and healthy',
    revision: 7,
    previousRevision: 7,
    objects: [
      { ref: deployment('web'), change: 'unchanged' },
      { ref: service('web'), change: 'unchanged' },
    ],
    workloads: [
      workload('web', {
        containers: [{ name: 'web', before: 'registry.test/shop/web:1.1.0', after: 'registry.test/shop/web:1.1.0' }],
        replicas: { before: 2, after: 2 },
        durationMs: 0,
      }),
    ],
    durationMs: 1_900,
  });
}

const newImage: FieldDiff = {
  field: 'image of container "web"',
  change: 'changed',
  before: 'registry.test/shop/web:1.1.0',
  after: 'registry.test/shop/web:1.2.0',
};

/** A canary at 25 % that waits for a decision. */
export function waitingCanary(): RunReport {
  const stable = 'registry.test/shop/web:1.1.0';
  return report({
    strategy: 'canary',
    status: 'waiting',
    headline: 'shop: web 1.1.0 → 1.2.0 is waiting for approval: 24 % of requests get 1.2.0 (revision 7)',
    changes: [
      {
        ref: deployment('web'),
        change: 'change',
        diff: {
          fields: [newImage],
          more: 0,
          basis: 'server',
        },
      },
      { ref: service('web'), change: 'unchanged' },
    ],
    revision: 7,
    previousRevision: 6,
    commit: commits.now,
    previousCommit: commits.before,
    links,
    objects: [{ ref: deployment('web-canary'), change: 'created' }],
    workloads: [
      {
        ref: deployment('web'),
        containers: [{ name: 'web', before: stable, after: stable }],
        replicas: { before: 3, after: 3 },
        state: 'unchecked',
        message: 'serves as before',
      },
      workload('web-canary', {
        containers: [{ name: 'web', after: 'registry.test/shop/web:1.2.0' }],
        replicas: { after: 1 },
      }),
    ],
    traffic: [
      { atMs: 46_000, workload: 'web', wanted: 25, candidatePods: 1, stablePods: 3, measured: 24.3, requests: 400 },
    ],
    checks: [
      {
        check: '/version',
        verdict: 'pass',
        message: '20 of 20 requests were answered correctly, p95 12 ms; 24.3 % of 400 requests reached the candidate',
        via: "through the API server's proxy to 1 pod in turn",
        requests: 20,
        errors: 0,
        p95Ms: 12,
        stable: { requests: 20, errors: 0, p95Ms: 11 },
        share: { wanted: 25, measured: 24.3, requests: 400 },
      },
    ],
    durationMs: 69_000,
  });
}

export function crashEvidence(overrides: Partial<Evidence> = {}): Evidence {
  return {
    object: deployment('web'),
    conditions: [
      {
        object: deployment('web'),
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      },
      {
        object: pod('web-5d4c6b7f9-x7k2p'),
        type: 'ContainersReady',
        status: 'False',
        reason: 'ContainersNotReady',
        message: 'containers with unready status: [web]',
      },
    ],
    events: [
      {
        object: pod('web-5d4c6b7f9-x7k2p'),
        time: '2026-03-01T10:20:30Z',
        type: 'Normal',
        reason: 'Pulled',
        message: 'Container image "registry.test/shop/web:1.2.0" already present on machine',
        count: 3,
      },
      {
        object: pod('web-5d4c6b7f9-x7k2p'),
        time: '2026-03-01T10:20:41Z',
        type: 'Warning',
        reason: 'BackOff',
        message: 'Back-off restarting failed container web in pod web-5d4c6b7f9-x7k2p',
        count: 2,
      },
    ],
    logs: [
      {
        pod: 'web-5d4c6b7f9-x7k2p',
        container: 'web',
        previous: true,
        lines: [
          '2026-03-01T10:20:38Z INFO  starting web 1.2.0',
          '2026-03-01T10:20:38Z FATAL cannot open /etc/web/web.conf: no such file or directory',
        ],
      },
    ],
    ...overrides,
  };
}

/** What the deploy of `undoneDeploy` was about. */
function triedChanges(): NonNullable<RunReport['changes']> {
  return [
    {
      ref: deployment('web'),
      change: 'change',
      diff: {
        fields: [
          newImage,
          { field: 'replicas', change: 'changed', before: '2', after: '3' },
          { field: 'env LOG of container "web"', change: 'added', after: 'debug' },
          { field: 'env TRACE of container "web"', change: 'removed', before: 'true' },
        ],
        more: 2,
        basis: 'server',
      },
    },
    { ref: service('web'), change: 'unchanged' },
    {
      ref: { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'web-key' },
      change: 'change',
      diff: { fields: [{ field: 'key "password"', change: 'changed' }], more: 0, basis: 'server' },
    },
    {
      ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web-flags' },
      change: 'create',
      diff: { fields: [], more: 0, basis: 'manifest' },
    },
    { ref: deployment('worker'), change: 'change', diff: { fields: [], more: 0, basis: 'server', only: 'config' } },
  ];
}

export function undoneDeploy(): RunReport {
  return report({
    strategy: 'rolling',
    status: 'undone',
    headline: 'shop: deploy of web 1.1.0 → 1.2.0 failed and was undone; users still get web 1.1.0',
    revision: 7,
    previousRevision: 6,
    commit: commits.now,
    links: { repository, run: `${repository}/actions/runs/42`, actor: 'octocat' },
    changes: triedChanges(),
    now: ['web', 'worker'].map((name) => ({
      ref: deployment(name),
      versions: [running(`registry.test/shop/${name}:1.1.0`)],
    })),
    objects: [
      { ref: deployment('web'), change: 'configured' },
      { ref: service('web'), change: 'unchanged' },
      { ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web-flags' }, change: 'created' },
    ],
    workloads: [
      workload('web', {
        containers: [{ name: 'web', before: 'registry.test/shop/web:1.1.0', after: 'registry.test/shop/web:1.2.0' }],
        replicas: { before: 2, after: 3 },
        state: 'failed',
        message: 'container "web" keeps crashing with exit code 1',
      }),
      workload('worker', { state: 'progressing', message: '1 of 2 pods updated' }),
    ],
    failure: {
      message: 'container "web" of Deployment "web" keeps crashing: it ended with exit code 1 three times',
      causes: [
        {
          reason: 'CrashLoopBackOff',
          message: 'container "web" of Deployment "web" keeps crashing: it ended with exit code 1 three times',
          hint: 'Read the last lines of its log below; it ran well in revision 6.',
          object: pod('web-5d4c6b7f9-x7k2p'),
        },
      ],
      problems: [
        {
          message:
            'container "web" of Deployment "web" keeps crashing: it ended with exit code 1 three times. Read its log.',
          location: { file: 'deployments/web.yaml', line: 21 },
        },
      ],
      log: { container: 'web', lines: ['connecting to the database', 'fatal: no database'] },
      evidence: [crashEvidence()],
      namedAfterSeconds: 4,
    },
    undo: {
      complete: true,
      results: [
        { ref: deployment('web'), outcome: 'restored' },
        { ref: service('web'), outcome: 'untouched' },
        { ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web-flags' }, outcome: 'deleted' },
      ],
    },
    timeline: [
      { atMs: 1_500, text: 'Applied 3 objects' },
      { atMs: 23_000, text: 'Deployment "web" failed' },
      { atMs: 25_000, text: 'Undone' },
    ],
    durationMs: 31_000,
  });
}

export function partlyUndone(): RunReport {
  return {
    ...undoneDeploy(),
    status: 'failed',
    headline:
      'shop: deploy of web 1.1.0 → 1.2.0 failed and was undone, except Deployment "web", Service "web" and PersistentVolumeClaim "web-cache"; users now get web 1.1.0',
    warnings: ['the input "image-tag" changed 1 of 2 images; "registry.test/other/log:3" is pinned by digest'],
    undo: {
      complete: false,
      results: [
        {
          ref: deployment('web'),
          outcome: 'partly',
          fields: ['spec.replicas', 'spec.template.spec.containers[web].env'],
        },
        {
          ref: service('web'),
          outcome: 'refused',
          reason:
            'cannot update Service "web" in namespace "shop": user "ci" is not allowed to update services in namespace "shop"',
        },
        {
          ref: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'web-cache' },
          outcome: 'refused',
          fields: ['spec.resources.requests.storage'],
          reason: 'cannot update PersistentVolumeClaim "web-cache": it can not be less than before',
        },
        {
          ref: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'shop', name: 'web-data' },
          outcome: 'kept',
        },
      ],
    },
  };
}

export function status(): RunReport {
  return report({
    command: 'status',
    status: 'reported',
    headline: 'Revision 8 of shop is live: not healthy: Deployment "web": 1 of 2 pods updated, 2 available',
    revision: 8,
    commit: commits.now,
    previousCommit: commits.before,
    links: { repository, run: `${repository}/actions/runs/43`, actor: 'octocat' },
    health: {
      healthy: false,
      at: '2026-03-02T09:02:00Z',
      problems: [
        {
          ref: deployment('web'),
          message: 'Deployment "web": 1 of 2 pods updated, 2 available; container "web" ends again and again',
          hint: 'Check the last lines of its log.',
          log: { container: 'web', lines: ['a', 'b', 'panic: no database'] },
        },
      ],
      starting: [],
      drift: [
        {
          ref: deployment('web'),
          field: 'image of container "web"',
          recorded: 'registry.test/shop/web:1.1.0',
          live: 'registry.test/shop/web:1.2.0|rc',
          manager: 'kubectl-set',
          since: '2026-03-02T08:59:00Z',
        },
        { ref: { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'web' }, field: 'key "password"' },
      ],
      versions: [
        {
          ref: deployment('web'),
          versions: [
            { images: ['registry.test/shop/web:1.1.0'], pods: 2, ready: 2 },
            { images: ['registry.test/shop/web:1.2.0'], pods: 1, ready: 0 },
          ],
        },
      ],
      paused: ['Deployment "worker" is paused by octocat since 2026-03-02T08:30:00Z: run "resume" to continue'],
      notes: ['web-green serves behind Service "web"'],
      rollback: {
        revision: 6,
        finishedAt: '2026-02-28T10:00:00Z',
        commit: '0123456789abcdef',
        images: [
          {
            ref: deployment('web'),
            container: 'web',
            before: 'registry.test/shop/web:1.2.0',
            after: 'registry.test/shop/web:1.0.0',
          },
        ],
        changed: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'web' }],
        added: [],
        left: [service('extra')],
      },
      evidence: [
        {
          object: deployment('web'),
          conditions: [],
          events: [],
          logs: [
            { pod: 'web-1', container: 'web', previous: true, lines: ['starting', 'a', 'b', 'panic: no database'] },
          ],
        },
      ],
    },
    history: [
      {
        revision: 8,
        outcome: 'live',
        finishedAt: '2026-03-02T08:00:00Z',
        images: ['registry.test/shop/web:1.1.0'],
        actor: 'octocat',
        restores: 6,
        reason: 'prices | were wrong',
        events: [
          {
            command: 'scale',
            outcome: 'done',
            at: '2026-03-02T08:20:00Z',
            what: 'Deployment web to 3',
            actor: 'hubot',
            reason: 'more visitors',
          },
          {
            command: 'restart',
            outcome: 'undone',
            at: '2026-03-02T08:50:00Z',
            what: 'Deployment web',
            actor: 'hubot',
            run: 'https://github.test/acme/shop/actions/runs/44',
            cause: 'Deployment "web": container "web" keeps crashing',
          },
        ],
      },
      {
        revision: 7,
        outcome: 'undone',
        finishedAt: '2026-03-01T10:20:55Z',
        images: ['registry.test/shop/web:1.2.0', 'registry.test/shop/worker:1.2.0'],
        commit: '0123456789abcdef0123456789abcdef01234567',
        actor: 'octocat',
        cause: 'image "registry.test/shop/web:1.2.0" not found',
      },
    ],
    workloadHistory: [
      {
        workload: 'StatefulSet/db',
        revision: 3,
        state: 'current',
        createdAt: '2026-03-02T08:30:00Z',
        images: ['registry.test/shop/db:3'],
        replicas: 1,
        ready: 0,
        changeCause: 'a | typo',
      },
      {
        workload: 'StatefulSet/db',
        revision: 1,
        state: 'good',
        createdAt: '2026-02-02T08:00:00Z',
        images: ['registry.test/shop/db:1'],
        replicas: 0,
        ready: 0,
      },
    ],
    inProgress: {
      command: 'deploy',
      run: 'acme/shop/42/1/deploy',
      startedAt: '2026-03-02T09:00:00Z',
      isAlive: true,
      actor: 'octocat',
      reason: 'the new | prices',
    },
    durationMs: 700,
  });
}

/** While a deploy rolls a model server out. */
export function loading(): RunReport {
  const { inProgress, health, links } = status();
  if (inProgress === undefined || health === undefined) throw new Error('the fixture has neither');
  const message =
    'Deployment "model": 1 of 2 pods updated, 1 available; pod model-a: container "server" has been loading weights for 30s: 40 %, 2 of 5 shards';
  return report({
    command: 'status',
    status: 'reported',
    headline: 'A deploy of model is in progress; revision 1 of model is live: not ready yet: Deployment "model"',
    health: {
      healthy: false,
      ...(health.at === undefined ? {} : { at: health.at }),
      problems: [],
      starting: [{ ref: deployment('model'), message }],
      drift: [],
      versions: [],
      paused: [],
      notes: [],
      evidence: [],
    },
    ...(links === undefined ? {} : { links }),
    workloads: [workload('model', { state: 'progressing', message: '' })],
    inProgress,
  });
}

/** Everything that has ever made a summary or a log say what its author did not mean. */
export const hostileText = [
  '<img src=x onerror=alert(1)> <script>alert(1)</script> <!-- hidden --> </details></table>',
  '| a | b | `code` ``` **bold** _it_ ~~gone~~ [link](https://evil.test) ![image](http://evil.test/x.png)',
  '::error file=a.yaml,line=1::forged',
  '  ::add-mask::shop',
  '##[error]forged ##[add-mask]shop',
  '@octocat #1 GH-1 acme/shop#2 www.evil.test https://evil.test a@evil.test $x$ :tada: \\',
  '\u001b[31mred\u001b[0m \u001b]8;;http://evil.test\u0007link\u001b]8;;\u0007 a\rb\u2028::warning::c\u0000',
].join('\n');

export function hostile(): RunReport {
  const base = undoneDeploy();
  return {
    ...base,
    headline: `Deploy failed: ${hostileText}`,
    context: hostileText,
    release: 'shop|`x`',
    commit: hostileText,
    previousCommit: `${commits.before}](http://evil.test)`,
    links: { repository, actor: hostileText },
    workloads: [
      workload('web', { state: 'failed', message: hostileText, containers: [{ name: '|<b>', after: '`|<b>' }] }),
    ],
    addresses: [{ ref: service('web'), address: '<b>|', url: 'javascript:alert(1)' }],
    warnings: [hostileText, '- a list', '1. another', '# heading', '=== rule', '> quote'],
    timeline: [{ atMs: 1, text: hostileText }],
    workloadHistory: [
      {
        workload: 'Deployment/|`x`',
        revision: 1,
        state: 'good',
        createdAt: hostileText,
        images: ['`|<b>'],
        replicas: 1,
        ready: 1,
        changeCause: hostileText,
      },
    ],
    failure: {
      message: hostileText,
      hint: hostileText,
      causes: [{ reason: hostileText, message: `other ${hostileText}`, object: pod('<b>`|') }],
      problems: [{ message: hostileText, location: { file: 'a|`<b>.yaml', line: 1 } }],
      log: { container: '`<b>', lines: [hostileText, '```', '</details>', '> x', '::error::x'] },
      evidence: [
        crashEvidence({
          object: pod('<b>`|</summary>'),
          conditions: [
            { object: pod('x'), type: hostileText, status: hostileText, reason: hostileText, message: hostileText },
          ],
          events: [
            {
              object: pod('x'),
              time: hostileText,
              type: 'Warning',
              reason: hostileText,
              message: hostileText,
              count: 1,
            },
          ],
          logs: [
            {
              pod: '<b>`|',
              container: '`',
              previous: false,
              lines: [hostileText, '```', '</details>', '````', '~~~', '::error::x'],
            },
          ],
        }),
      ],
    },
    undo: { complete: false, results: [{ ref: deployment('web'), outcome: 'failed', message: hostileText }] },
    now: [{ ref: deployment(hostileText), versions: [running(hostileText)] }],
    changes: [
      {
        ref: deployment(`${hostileText}\n\`\`\`\n</details>`),
        change: 'change',
        diff: {
          fields: [
            { field: `${hostileText}\n\`\`\``, change: 'changed', before: hostileText, after: '```\n<img src=x>' },
            { field: hostileText, change: 'added', after: hostileText },
          ],
          more: 0,
          basis: 'server',
        },
      },
    ],
  };
}

/** Far more than a summary may hold. */
export function veryLarge(): RunReport {
  const base = undoneDeploy();
  const lines = (count: number, word: string) =>
    Array.from({ length: count }, (_, index) => `${String(index).padStart(6, '0')} ${word} ü ${'x'.repeat(60)}`);
  return {
    ...base,
    objects: Array.from({ length: 400 }, (_, index) => ({ ref: deployment(`web-${index}`), change: 'configured' })),
    workloads: Array.from({ length: 120 }, (_, index) => workload(`web-${index}`)),
    failure: {
      message: 'too much',
      causes: [],
      problems: [],
      evidence: [
        crashEvidence({
          logs: [
            { pod: 'web-1', container: 'web', previous: false, lines: lines(5_000, 'large') },
            { pod: 'web-2', container: 'web', previous: false, lines: lines(30, 'small') },
          ],
        }),
        crashEvidence({ logs: [{ pod: 'web-3', container: 'web', previous: false, lines: lines(2_000, 'middle') }] }),
      ],
    },
  };
}
