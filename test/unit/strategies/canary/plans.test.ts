import { describe, expect, test } from '@jest/globals';

import { refOf } from '../../../../src/kubernetes/object.ts';
import { decideStep } from '../../../../src/strategies/canary/bring-in.ts';
import type { CanaryOptions, Pair } from '../../../../src/strategies/canary/pairs.ts';
import { handOver, stepsOfLook, stepsOfPromotion } from '../../../../src/strategies/canary/promote.ts';
import { stepsWithRelief } from '../../../../src/strategies/canary/relief.ts';
import { manifestOf } from '../../release/build.ts';
import { compared, deployment, linesOf, service } from '../plan-lines.ts';

const options: CanaryOptions = {
  steps: [25, 50],
  stepDurationMs: 60_000,
  autoPromote: true,
  constantTotal: false,
  variants: [],
};

const candidate = compared(deployment('web-canary', 1), null);
const pair: Pair = {
  stable: compared(deployment('web', 3)),
  live: deployment('web', 3),
  candidate: candidate.manifest,
};

function step(
  at: { percent: number; number: number; of: number },
  pods: { stable: number; candidate: number },
  more: { constantTotal?: boolean; inPlace?: boolean } = {},
): string[] {
  const { constantTotal = false, inPlace = false } = more;
  const arrival = { pairs: [pair], temporary: [candidate], inPlace };
  const world = { pods: [pods], services: [service('web'), service('other')] };
  return linesOf(decideStep(arrival, at, world, { ...options, constantTotal }).steps);
}

describe('a step of a canary', () => {
  const first = { percent: 25, number: 1, of: 2 };
  const second = { percent: 50, number: 2, of: 2 };

  test.each([
    ['one pod beside three', first, { stable: 3, candidate: 0 }, {}, ['apply web-canary×1']],
    ['three pods beside ten', first, { stable: 10, candidate: 0 }, {}, ['apply web-canary×3']],
    ['as many as stable in the second step', second, { stable: 3, candidate: 1 }, {}, ['apply web-canary×3']],
    [
      'the number that an autoscaler has made of stable meanwhile',
      second,
      { stable: 8, candidate: 1 },
      {},
      ['apply web-canary×8'],
    ],
    [
      'with a constant total, in the place of a stable pod',
      first,
      { stable: 4, candidate: 0 },
      { constantTotal: true },
      ['apply web-canary×1', 'set web.replicas=3 until ready'],
    ],
    [
      'with a constant total and no place left, after a stable pod has gone',
      first,
      { stable: 4, candidate: 0 },
      { constantTotal: true, inPlace: true },
      ['set web.replicas=3 until ready', 'apply web-canary×1'],
    ],
    [
      'with a constant total, of all pods that there are',
      second,
      { stable: 3, candidate: 1 },
      { constantTotal: true },
      ['apply web-canary×2', 'set web.replicas=2 until ready'],
    ],
  ] as const)('brings in %s, then routes, holds and verifies', (_, at, pods, more, writes) => {
    expect(step(at, pods, more)).toEqual([
      ...writes,
      'route web',
      'hold web-canary for 60000 ms',
      `verify web-canary at ${at.percent}`,
    ]);
  });

  test('says in the log which step it is, with its share of the requests, and how long it is watched', () => {
    const arrival = { pairs: [pair], temporary: [candidate], inPlace: false };
    const world = { pods: [{ stable: 3, candidate: 1 }], services: [] };
    const { heading, steps } = decideStep(arrival, second, world, options);
    expect(heading).toBe('step 2 of 2: 50 %');
    expect(steps).toContainEqual(
      expect.objectContaining({ do: 'hold', forMs: 60_000, meanwhile: 'step 2 of 2: 50 %' }),
    );
  });

  test('does not write what has been compared once more, and what it writes is no object of the plan', () => {
    const arrival = { pairs: [pair], temporary: [candidate], inPlace: false };
    const world = { pods: [{ stable: 3, candidate: 0 }], services: [] };
    const before = structuredClone(candidate.manifest.object);
    const [apply] = decideStep(arrival, { percent: 50, number: 1, of: 1 }, world, options).steps;
    expect(apply).toMatchObject({ do: 'apply', objects: [{ object: { spec: { replicas: 3 } } }] });
    expect(candidate.manifest.object).toEqual(before);
  });
});

describe('a promotion', () => {
  const promoted = [
    { candidate: refOf(candidate.manifest.object), name: 'web', stable: manifestOf(deployment('web', 3)) },
  ];
  const manifests = [manifestOf(deployment('web', 3)), manifestOf(service('web'))];
  const prepared = manifests.map((manifest) => ({ ...compared(manifest.object), manifest }));

  test.each([
    ['none', []],
    ['ready', ['check web-canary ready']],
    ['verify', ['check web-canary sound', 'verify web-canary at -']],
  ] as const)('that asks "%s" looks before its first write', (look, lines) => {
    expect(linesOf(stepsOfLook(promoted, { look }))).toEqual(lines);
  });

  test('rolls the stable pods while the candidate serves', () => {
    const world = { manifests, final: manifests, finals: new Map(), relief: undefined };
    const steps = stepsOfPromotion(world, prepared);
    expect(linesOf(steps)).toEqual(['apply web×3 Service/web']);
    expect(steps[0]).toMatchObject({ compared: prepared });
  });

  test('gives stable the number that it has got since, and compares that anew', () => {
    const final = [manifestOf(deployment('web', 6)), manifestOf(service('web'))];
    const finals = new Map([['web', { meant: 3, now: 6, wanted: 6 }]]);
    const [apply] = stepsOfPromotion({ manifests, final, finals, relief: undefined }, prepared);
    expect(linesOf(apply === undefined ? [] : [apply])).toEqual(['apply web×6 Service/web']);
    expect(apply).not.toHaveProperty('compared');
  });

  test('of pods that end at once lets no request come to them until the new ones serve', () => {
    const relief = {
      pairs: [
        {
          stable: deployment('web', 3),
          candidate: deployment('web-canary', 1),
          next: manifestOf(deployment('web', 3)),
          replicas: 3,
        },
      ],
      bindings: [
        { service: refOf(service('web')), selector: { app: 'web', 'gke-rollout/track': 'canary' }, isLate: false },
        { service: refOf(service('lb')), selector: { app: 'web', 'gke-rollout/track': 'canary' }, isLate: true },
      ],
    };
    expect(linesOf(stepsWithRelief(relief, manifests))).toEqual([
      'set web-canary.replicas=3 until ready',
      'route lb',
      'set web.selector=app:web,track:canary lb.selector=app:web,track:canary',
      'route web lb',
      'note web-canary (3 pods) takes all requests while the stable pods, which terminate at once, are replaced',
      'apply web×3 Service/web beside web-canary',
      'apply web×3 Service/web',
      'route web lb',
    ]);
  });

  test('with a constant total goes back pod by pod, the candidate first', () => {
    const refs = { candidate: refOf(deployment('web-canary', 2)), stable: refOf(deployment('web', 2)) };
    expect(linesOf(handOver([{ ...refs, candidatePods: 2, stablePods: 2, wanted: 4 }]))).toEqual([
      'set web-canary.replicas=1 until ready',
      'set web.replicas=3 until ready',
      'set web-canary.replicas=0 until ready',
      'set web.replicas=4 until ready',
    ]);
  });

  test('has nothing to give back where stable has all its pods', () => {
    const refs = { candidate: refOf(deployment('web-canary', 1)), stable: refOf(deployment('web', 4)) };
    expect(handOver([{ ...refs, candidatePods: 1, stablePods: 4, wanted: 4 }])).toEqual([]);
  });
});
