import { describe, expect, test } from '@jest/globals';

import { keyOf, refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { groupsOf } from '../../../../src/strategies/blue-green/groups.ts';
import { stepsToBringIn } from '../../../../src/strategies/blue-green/bring-in.ts';
import {
  decideSwitch,
  stepsToEvenOut,
  stepsToUnite,
  type World,
} from '../../../../src/strategies/blue-green/switch-over.ts';
import { lookAtSides } from '../../../../src/strategies/blue-green/switches.ts';
import { manifestOf } from '../../release/build.ts';
import { compared, deployment, linesOf, service } from '../plan-lines.ts';

const blue = deployment('web', 3, { 'gke-rollout/track': 'blue' });
const negs = { 'cloud.google.com/neg-status': '{"zones":["a"]}' };

const input = { manifests: [manifestOf(deployment('web', 3)), manifestOf(service('web'))], ownSides: false };

/** Blue serves, green is ready beside it. */
function world(live: KubernetesObject[], green = 3, autoscalers: KubernetesObject[] = []): World {
  const [group] = groupsOf(input.manifests, live);
  if (group === undefined) throw new Error('there is no group');
  const sides = [blue, deployment('web-green', green, { 'gke-rollout/track': 'green' })];
  const deployments = new Map(sides.map((object) => [keyOf(refOf(object)), object]));
  return {
    state: { groups: [group], services: live, autoscalers, deployments },
    switches: [{ group, from: 'blue', to: 'green' }],
  };
}

const bound = service('web', { app: 'web', 'gke-rollout/track': 'blue' });

describe('bringing up a green side', () => {
  const green = compared(deployment('web-green', 3, { 'gke-rollout/track': 'green' }), null);

  test('binds Services before the first of its pods comes, and verifies it before it serves', () => {
    const pins = [
      { of: refOf(service('web')), path: ['spec', 'selector'], to: { app: 'web', 'gke-rollout/track': 'blue' } },
    ];
    const candidates = [green.manifest];
    expect(linesOf(stepsToBringIn({ prelude: [], pins, candidates, preparedCandidates: [green] }))).toEqual([
      'set web.selector=app:web,track:blue',
      'apply web-green×3',
      'verify preview',
    ]);
  });

  test('has what it reads before it', () => {
    const config = compared(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'flags', namespace: 'shop' } },
      null,
    );
    const parts = { prelude: [config], pins: [], candidates: [green.manifest], preparedCandidates: [green] };
    expect(linesOf(stepsToBringIn(parts))).toEqual(['apply ConfigMap/flags', 'apply web-green×3', 'verify preview']);
  });
});

describe('a switch', () => {
  test('looks at the side that is to serve first; one that waited for hours, as a stranger would', () => {
    const { state, switches } = world([bound]);
    expect(linesOf(lookAtSides(state, switches))).toEqual(['check web-green ready']);
    expect(linesOf(lookAtSides(state, switches, []))).toEqual(['check web-green sound', 'verify preview']);
  });

  test('gives the new side as many pods as the old one has got since', () => {
    expect(linesOf(stepsToEvenOut(world([bound], 2), { [keyOf(refOf(blue))]: 2 }))).toEqual([
      'note web-green gets 3 pods instead of 2: web, the live side, was scaled meanwhile',
      'set web-green.replicas=3 until ready',
    ]);
    expect(stepsToEvenOut(world([bound]), {})).toEqual([]);
  });

  test('is one guarded write, then waits for the requests, then applies the rest', () => {
    const { steps, end } = decideSwitch(input, world([bound]), [bound]);
    expect(linesOf(steps)).toEqual([
      'set web.selector=app:web,track:green at 7',
      'route web',
      'apply web-green×3 Service/web',
    ]);
    expect(end).toMatchObject({
      state: 'live',
      retired: [{ name: 'web' }],
      serving: { [keyOf(refOf(blue))]: 'web-green' },
    });
  });

  test('moves Services that no manifest has, and autoscalers, in the same write', () => {
    const foreign = service('public', { app: 'web', 'gke-rollout/track': 'blue' });
    const scaler: KubernetesObject = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    };
    const [first] = linesOf(decideSwitch(input, world([bound, foreign], 3, [scaler]), [bound, foreign]).steps);
    expect(first).toBe(
      'set web.selector=app:web,track:green at 7 public.selector=app:web,track:green at 7 web.scaleTargetRef=apiVersion:apps/v1,kind:Deployment,name:web-green',
    );
  });

  test('is refused where somebody else has moved a Service meanwhile', () => {
    const moved = service('web', { app: 'web', 'gke-rollout/track': 'green' });
    expect(() => decideSwitch(input, world([bound]), [moved])).toThrow(
      'does not send its requests to the blue side any more',
    );
  });

  test('lets both sides serve for a while behind a load balancer that follows late', () => {
    const late = service('web', { app: 'web', 'gke-rollout/track': 'blue' }, negs);
    expect(linesOf(stepsToUnite(world([late])))).toEqual([
      'set web.selector=app:web',
      expect.stringMatching(/^note web: both sides serve for \d+ s/),
      'route web',
    ]);
    expect(stepsToUnite(world([bound]))).toEqual([]);
  });

  test('leaves the number of pods that the new side has', () => {
    const { steps } = decideSwitch(input, world([bound], 5), [bound]);
    expect(linesOf(steps).at(-1)).toBe('apply web-green×5 Service/web');
  });
});
