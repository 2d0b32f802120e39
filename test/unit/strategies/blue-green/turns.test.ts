import { describe, expect, test } from '@jest/globals';

import { keyOf, refOf, type KubernetesObject } from '../../../../src/kubernetes/object.ts';
import {
  checkSides,
  refuseUnnamedSides,
  servingOwnSide,
  type Side,
} from '../../../../src/strategies/blue-green/own-sides.ts';
import { chooseSide, type Facts } from '../../../../src/strategies/blue-green/turns.ts';
import { manifestOf } from '../../release/build.ts';

function deployment(side: Side, tag: string, replicas = 1, env = 'a'): KubernetesObject {
  const labels = { app: 'web', version: side };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `web-${side}` },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'web', image: `web:${tag}`, env: [{ name: 'A', value: env }] }] },
      },
    },
  };
}

function service(version?: string, name = 'web'): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: 'web', ...(version === undefined ? {} : { version }) } },
  };
}

function byKey(...objects: KubernetesObject[]): Map<string, KubernetesObject> {
  return new Map(objects.map((object) => [keyOf(refOf(object)), object]));
}

interface Case {
  serving?: Side;
  blue?: KubernetesObject[];
  green?: KubernetesObject[];
  shared?: KubernetesObject[];
  recorded?: KubernetesObject[];
  live?: KubernetesObject[];
  tagged?: boolean;
}

function factsOf({ serving, blue = [], green = [], shared = [], recorded, live = [], tagged = false }: Case): Facts {
  return {
    serving,
    shared: shared.map((object) => manifestOf(object)),
    sides: { blue: blue.map((object) => manifestOf(object)), green: green.map((object) => manifestOf(object)) },
    ...(recorded === undefined ? {} : { recorded: byKey(...recorded) }),
    live: byKey(...live),
    imagesGiven: tagged,
  };
}

const one = deployment('blue', '1');
const two = deployment('green', '2');

describe('the side that is to serve', () => {
  test.each<[string, Case, Side]>([
    ['the one of the only file', { serving: 'blue', green: [two] }, 'green'],
    ['at first the one that the Service selects', { blue: [one], green: [two], shared: [service('green')] }, 'green'],
    ['at first blue, if no Service says otherwise', { blue: [one], green: [two], shared: [service()] }, 'blue'],
    [
      'stays, when nothing is new',
      { serving: 'blue', blue: [one], green: [two], shared: [service('blue')], recorded: [one, two, service('blue')] },
      'blue',
    ],
    [
      'stays after its turn, whatever the Service of the manifests says as before',
      { serving: 'green', blue: [one], green: [two], shared: [service('blue')], recorded: [one, two, service('blue')] },
      'green',
    ],
    [
      'the one that the Service now selects',
      { serving: 'blue', blue: [one], green: [two], shared: [service('green')], recorded: [one, two, service('blue')] },
      'green',
    ],
    [
      'the one whose manifest is new',
      { serving: 'blue', blue: [one], green: [deployment('green', '3')], recorded: [one, two] },
      'green',
    ],
    [
      'the one whose manifest was not there before',
      { serving: 'blue', blue: [one], green: [two], recorded: [one] },
      'green',
    ],
    [
      'the one at rest, when the inputs say a new image',
      {
        serving: 'blue',
        blue: [deployment('blue', '3')],
        green: [deployment('green', '3')],
        recorded: [one, deployment('green', '1')],
        tagged: true,
      },
      'green',
    ],
    [
      'stays, when the inputs say the image that serves',
      {
        serving: 'green',
        blue: [deployment('blue', '3')],
        green: [deployment('green', '3')],
        recorded: [deployment('blue', '1'), deployment('green', '3')],
        tagged: true,
      },
      'green',
    ],
    [
      'stays when only numbers of pods have changed',
      { serving: 'blue', blue: [deployment('blue', '1', 5)], green: [two], recorded: [one, two] },
      'blue',
    ],
    [
      'the one that was never deployed, where kubectl has brought in the other',
      { serving: 'blue', blue: [one], green: [two], live: [one] },
      'green',
    ],
    [
      'stays, where kubectl has brought in both',
      { serving: 'blue', blue: [one], green: [two], live: [one, two] },
      'blue',
    ],
    [
      'the one that the Service selects, where kubectl has brought in both',
      { serving: 'blue', blue: [one], green: [two], shared: [service('green')], live: [one, two] },
      'green',
    ],
    [
      'is not said by a Service that stands in the files of both',
      { serving: 'blue', blue: [one, service('blue')], green: [two, service('green')], recorded: [one, two] },
      'blue',
    ],
    [
      'is not said by a Service that is called like a side',
      { serving: 'blue', blue: [one], green: [two, service('green', 'web-green')], recorded: [one, two] },
      'blue',
    ],
  ])('%s', (_, given, side) => {
    expect(chooseSide(factsOf(given))).toBe(side);
  });

  test.each<[string, Case]>([
    ['of both', { serving: 'blue', blue: [deployment('blue', '3')], green: [two], recorded: [one, two] }],
    ['of one file', { serving: 'blue', blue: [deployment('blue', '1', 1, 'b')], recorded: [one] }],
  ])('is not changed in place: %s', (_, given) => {
    expect(() => chooseSide(factsOf(given))).toThrow('serves, and its manifest has changed');
  });
});

describe('which side serves', () => {
  const serving = (selector: KubernetesObject, ...live: KubernetesObject[]) =>
    servingOwnSide(one, byKey(...live), [selector]);

  test('is what Services say, or else what runs', () => {
    expect(serving(service('green'), one, two)).toBe('green');
    expect(serving(service(), one, deployment('green', '2', 0))).toBe('blue');
    expect(serving(service('none'), one)).toBe('blue');
    expect(serving(service())).toBeUndefined();
    expect(() => serving(service(), one, two)).toThrow('sends its requests to both sides');
  });
});

describe('files of two sides', () => {
  const sidesOf = (blue: KubernetesObject[], green: KubernetesObject[]) => ({
    blue: blue.map((object) => manifestOf(object)),
    green: green.map((object) => manifestOf(object)),
  });

  test.each<[string, KubernetesObject[], KubernetesObject[], string]>([
    ['a name that does not say the side', [two], [], 'is in a file of the blue side but is not named after it'],
    ['a Deployment without its other side', [one], [service('green')], 'has no other side'],
    ['no Deployment', [service('blue')], [], 'is in a file of one side, but no Deployment is'],
    [
      'Deployments that select each other',
      [one],
      [{ ...two, spec: { ...(two['spec'] as object), selector: { matchLabels: { app: 'web' } } } }],
      'selects the pods of "web-blue" too',
    ],
  ])('with %s are refused', (_, blue, green, message) => {
    expect(() => {
      checkSides(sidesOf(blue, green));
    }).toThrow(message);
  });

  test('that fit are taken', () => {
    expect(() => {
      checkSides(sidesOf([one], [two]));
    }).not.toThrow();
  });

  test('that do not say so are told to', () => {
    const refuse = (...objects: KubernetesObject[]) => {
      refuseUnnamedSides(objects.map((object) => manifestOf(object)));
    };
    expect(() => {
      refuse(one, two);
    }).toThrow('Deployments "web-blue" and "web-green" look like two sides');
    expect(() => {
      refuse(two, service());
    }).not.toThrow();
  });
});
