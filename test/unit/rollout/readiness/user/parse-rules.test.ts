import { describe, expect, test } from '@jest/globals';

import { Failures } from '../../../../../src/base/errors.ts';
import { parseUserRules } from '../../../../../src/rollout/readiness/user/parse-rules.ts';
import { cpuTimeOf, SQUARE_MS } from '../../../../support/cpu-time.ts';

/** What is said about an input that is wrong: each problem with its hint. */
function problemsOf(text: string): string[] {
  try {
    parseUserRules(text);
  } catch (error) {
    if (!(error instanceof Failures)) throw error;
    return error.all.map(({ message, hint }) => `${message} | ${hint ?? ''}`);
  }
  return [];
}

const widget = { kind: 'Widget', group: 'example.com' };

describe('a line of the input "await"', () => {
  test('may say by a path when a kind is ready, and when it has failed', () => {
    const text =
      'Widget.example.com ready .status.phase == Running\nWidget.example.com failed .status.phase==Error after 1m30s';
    expect(parseUserRules(text)).toEqual([
      {
        ...widget,
        line: 1,
        isNever: false,
        ready: [{ about: 'value', path: ['status', 'phase'], operator: '==', value: 'Running', isText: false }],
        failed: [
          {
            line: 2,
            graceMs: 90_000,
            expectation: { about: 'value', path: ['status', 'phase'], operator: '==', value: 'Error', isText: false },
          },
        ],
      },
    ]);
  });

  test('may say that something is there, or how a condition is', () => {
    const lines = [
      '.status.url exists',
      'condition Ready',
      'condition example.com/Degraded == False',
      'condition A != "Unknown"',
    ];
    const [rule] = parseUserRules(lines.map((line) => `Widget.example.com ready ${line}`).join('\n'));
    expect(rule?.ready).toEqual([
      { about: 'presence', path: ['status', 'url'] },
      { about: 'condition', type: 'Ready', operator: '==', status: 'True' },
      { about: 'condition', type: 'example.com/Degraded', operator: '==', status: 'False' },
      { about: 'condition', type: 'A', operator: '!=', status: 'Unknown' },
    ]);
  });

  test('has paths as the checks of "verify" have them, and any comparison', () => {
    const lines = ['["x.y"][0].z-1 >= 3', '.a <= -1.5', '.a > 0', '.a < 10', '.a != "b c"'];
    const [rule] = parseUserRules(lines.map((line) => `Widget.example.com ready ${line}`).join('\n'));
    expect(rule?.ready).toEqual([
      { about: 'value', path: ['x.y', 0, 'z-1'], operator: '>=', value: '3', isText: false },
      { about: 'value', path: ['a'], operator: '<=', value: '-1.5', isText: false },
      { about: 'value', path: ['a'], operator: '>', value: '0', isText: false },
      { about: 'value', path: ['a'], operator: '<', value: '10', isText: false },
      { about: 'value', path: ['a'], operator: '!=', value: 'b c', isText: true },
    ]);
  });

  test('takes a value between quotes as text, an end like that of a grace included', () => {
    const text =
      'Widget.example.com ready condition Ready\nWidget.example.com failed .status.text == "gone after 60s"\n';
    const [rule] = parseUserRules(text);
    expect(rule?.failed).toEqual([
      {
        line: 2,
        graceMs: 0,
        expectation: {
          about: 'value',
          path: ['status', 'text'],
          operator: '==',
          value: 'gone after 60s',
          isText: true,
        },
      },
    ]);
  });

  test('may name one object, and may be a remark', () => {
    expect(
      parseUserRules('# widgets\n\n  Widget.example.com never\r\nWidget.example.com/main ready condition Ready'),
    ).toEqual([
      { ...widget, line: 3, isNever: true, ready: [], failed: [] },
      {
        ...widget,
        name: 'main',
        line: 4,
        isNever: false,
        ready: [{ about: 'condition', type: 'Ready', operator: '==', status: 'True' }],
        failed: [],
      },
    ]);
  });

  test('may say of what runs to its end, such as a training of days, that it is never waited for', () => {
    const text = 'JobSet.jobset.x-k8s.io never\nRayJob.ray.io/tune never';
    expect(parseUserRules(text).map(({ kind, isNever }) => [kind, isNever])).toEqual([
      ['JobSet', true],
      ['RayJob', true],
    ]);
  });

  test('may say of kinds of Kubernetes without pods only that they are never waited for', () => {
    const text =
      'PersistentVolumeClaim never\nIngress.networking.k8s.io never\nGateway.gateway.networking.k8s.io/web never';
    expect(parseUserRules(text).map(({ kind, isNever }) => [kind, isNever])).toEqual([
      ['PersistentVolumeClaim', true],
      ['Ingress', true],
      ['Gateway', true],
    ]);
  });

  test('may be about a custom resource of a group that ends like those of Kubernetes, and of a kind with a rule', () => {
    const text =
      'VolumeSnapshot.snapshot.storage.k8s.io ready .status.readyToUse == true\nLeaderWorkerSet.leaderworkerset.x-k8s.io ready condition Available\nService.serving.knative.dev ready condition Ready';
    expect(parseUserRules(text)).toHaveLength(3);
  });

  test('without a text there are no rules', () => {
    expect(parseUserRules('')).toEqual([]);
  });
});

describe('a line that is not understood is named, with what to write', () => {
  const example =
    'Write, for example, "Widget.example.com ready .status.phase == Running", "Widget.example.com ready condition Ready" or "Widget.example.com never".';
  const kind = 'Start with KIND.GROUP or KIND.GROUP/NAME, such as "Widget.example.com" or "Widget.example.com/main".';
  const path = 'Start with a path such as ".status.phase" or ".status.items[0].state", or with "condition".';
  const comparison = 'Write ==, !=, >=, <=, >, < with a value after the path, or "exists".';
  const duration = 'Use hours, minutes and seconds in this order, such as 90s, 10m or 1h30m.';
  const own = 'Remove the line; custom resources are named with their group, such as "Widget.example.com".';

  test.each([
    ['widgets.example.com ready .a == b', `"widgets.example.com" is not a kind | ${kind}`],
    ['example.com/v1/Widget ready .a == b', `"example.com/v1/Widget" is not a kind | ${kind}`],
    ['Widget.example.com/ ready .a == b', `"Widget.example.com/" is not a kind | ${kind}`],
    ['Widget.example.com', `"Widget.example.com" says nothing | ${example}`],
    ['Widget.example.com redy .a == b', `"redy" is not "ready", "failed" or "never" | ${example}`],
    ['Widget.example.com never ever', '"ever" follows "never" | Write only "Widget.example.com never".'],
    [
      'Widget.example.com ready',
      'it does not say what must hold | Write, for example, "Widget.example.com ready .status.phase == Running".',
    ],
    ['Widget.example.com ready phase == Running', `"phase" is not a path | ${path}`],
    ['Widget.example.com ready .status.phase', `nothing follows the path ".status.phase" | ${comparison}`],
    ['Widget.example.com ready .status.phase = Running', `"= Running" is not a comparison | ${comparison}`],
    ['Widget.example.com ready .status.phaseexists now', `"now" is not a comparison | ${comparison}`],
    ['Widget.example.com ready .status.a$b == c', `"$b == c" is not a comparison | ${comparison}`],
    ['Widget.example.com ready .a ==', 'nothing follows "==" | Write the value; "" is the empty one.'],
    [
      'Widget.example.com ready .a >= many',
      '">=" compares numbers, and "many" is not one | Write a number without quotes, such as 3.',
    ],
    [
      'Widget.example.com ready .a >= "3"',
      '">=" compares numbers, and ""3"" is not one | Write a number without quotes, such as 3.',
    ],
    [
      'Widget.example.com ready .status.replicas == .spec.replicas',
      '".spec.replicas" is a path, and only values can be compared with | Write the value itself; put it in quotes if it is a text that begins with ".".',
    ],
    [
      'Widget.example.com ready .a == b after 60s',
      '"after" belongs to "failed" | Remove it, or put the value in quotes if it is part of it.',
    ],
    ['Widget.example.com failed .a == b after 60', `"60" is not a valid duration | ${duration}`],
    ['Widget.example.com failed .a == b after 121h', `"121h" is not a valid duration | ${duration}`],
    [
      'Widget.example.com ready condition',
      'it does not say which condition | Write, for example, "condition Ready" or "condition Degraded == False".',
    ],
    [
      'Widget.example.com ready condition ==',
      '"==" is not the type of a condition | Write, for example, "condition Ready" or "condition Degraded == False".',
    ],
    [
      'Widget.example.com ready condition Ready == true',
      '"== true" is not a state of a condition | Write "condition Ready == True", or False or Unknown.',
    ],
    [
      'Widget.example.com ready condition Ready False',
      '"False" is not a state of a condition | Write "condition Ready == True", or False or Unknown.',
    ],
    [
      'Deployment.apps ready .status.readyReplicas == 3',
      `"Deployment.apps" is a kind of Kubernetes itself, which is judged by a rule of its own | ${own}`,
    ],
    [
      'Service/web ready .status.loadBalancer exists',
      `"Service" is a kind of Kubernetes itself, which is judged by a rule of its own | ${own}`,
    ],
    [
      'Ingress.networking.k8s.io failed .a == b',
      `"Ingress.networking.k8s.io" is a kind of Kubernetes itself, which is judged by a rule of its own | ${own}`,
    ],
    ...["'Running'", 'Running and .status.ready == true', 'Running # yet'].map((value): [string, string] => [
      `Widget.example.com ready .status.phase == ${value}`,
      `"${value}" is not one value | Put it in double quotes if it is; each condition has a line of its own, and a grace is written "after 60s", without a space.`,
    ]),
    ['Deployment.apps/web never', '"Deployment.apps" runs pods, which are always waited for | Remove the line.'],
    [
      'LeaderWorkerSet.leaderworkerset.x-k8s.io never',
      '"LeaderWorkerSet.leaderworkerset.x-k8s.io" runs pods, which are always waited for | Remove the line.',
    ],
  ])('%s', (line, problem) => {
    expect(problemsOf(`# first\n\n${line}`)).toEqual([`line 3 of the input "await": ${problem}`]);
  });

  test('what is never waited for cannot be ready too', () => {
    expect(problemsOf('Widget.example.com failed .a == b\nWidget.example.com never')).toEqual([
      'line 2 of the input "await": "Widget.example.com never" contradicts "failed" in line 1 | Remove one of them.',
    ]);
  });

  test('a kind without a rule of its own needs a line that says when it is ready', () => {
    expect(problemsOf('Widget.example.com ready .a == b\nWidget.example.com/main failed .a == c')).toEqual([
      'line 2 of the input "await": no line says when "Widget.example.com/main" is ready | Add one, such as "Widget.example.com/main ready condition Ready".',
    ]);
    expect(problemsOf('LeaderWorkerSet.leaderworkerset.x-k8s.io failed .status.readyReplicas == 0 after 5m')).toEqual(
      [],
    );
  });

  test('all that is wrong is told at once', () => {
    expect(() => parseUserRules('widget\nWidget.example.com\n')).toThrow('the input "await" has 2 problems');
    expect(problemsOf('widget\nWidget.example.com\n')).toHaveLength(2);
  });

  test('of a long text only the beginning is shown', () => {
    expect(problemsOf(`Widget.example.com ${'x'.repeat(10_000)}`)).toEqual([
      `line 1 of the input "await": "${'x'.repeat(100)}…" is not "ready", "failed" or "never" | ${example}`,
    ]);
  });
});

test('hostile text costs no more time than its length, and is never a rule by accident', async () => {
  const many = 100_000;
  const texts = [
    ' '.repeat(many),
    'A'.repeat(many),
    `Widget.${'a.'.repeat(many)} ready .a == b`,
    `Widget.example.com ready ${'.a'.repeat(many)}`,
    `Widget.example.com ready ${'["'.repeat(many)}`,
    `Widget.example.com ready .a ${'='.repeat(many)}`,
    `Widget.example.com failed .a == b ${'after '.repeat(many)}`,
    `Widget.example.com failed .a == b after ${'1'.repeat(many)}`,
    `Widget.example.com failed .a ${' '.repeat(many)} after`,
    `Widget.example.com ready condition ${'R/'.repeat(many)}`,
    'Widget.example.com never x\n'.repeat(10_000),
  ];
  const took = await cpuTimeOf(() => {
    for (const text of texts) {
      try {
        parseUserRules(text);
      } catch (error) {
        if (!(error instanceof Failures)) throw error;
      }
    }
  });
  expect(took).toBeLessThan(SQUARE_MS);
  expect(problemsOf('__proto__.constructor ready .a == b')).toHaveLength(1);
  expect(parseUserRules('Constructor.example.com ready .__proto__.constructor exists')).toMatchObject([
    { ready: [{ path: ['__proto__', 'constructor'] }] },
  ]);
});
