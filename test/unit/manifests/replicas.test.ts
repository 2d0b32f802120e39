import { describe, expect, test } from '@jest/globals';

import { numberAt } from '../../../src/base/json.ts';
import { setReplicas } from '../../../src/manifests/replicas.ts';
import { deployment, manifest, thrownBy } from './build.ts';

const web = () => deployment(['nginx'], 'web');
const database = (name = 'db') =>
  manifest({ apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name }, spec: { replicas: 2 } });
const service = () => manifest({ kind: 'Service', metadata: { name: 'web' }, spec: {} });
const agent = () => manifest({ apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, spec: {} });

describe('setReplicas', () => {
  test.each([
    [
      'a number, for the only workload that can be scaled',
      [service(), web(), agent()],
      ['5'],
      [undefined, 5, undefined],
    ],
    ['zero', [web()], ['0'], [0]],
    ['a line by name', [web(), database()], ['db=3'], [undefined, 3]],
    ['several lines, blanks around them', [web(), database()], [' web = 4', '', 'StatefulSet/db=3 '], [4, 3]],
    ['a line by kind and name', [web(), database('web')], ['statefulset/web=3'], [undefined, 3]],
    ['no lines', [web(), database()], [], [undefined, 2]],
  ])('takes %s', (_, manifests, lines, expected) => {
    setReplicas(manifests, lines);
    expect(manifests.map(({ object }) => numberAt(object, 'spec', 'replicas'))).toStrictEqual(expected);
  });

  test('says what it changed', () => {
    const workload = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db' };
    expect(setReplicas([database()], ['5'])).toStrictEqual([{ workload, before: 2, after: 5 }]);
  });

  test.each(['abc', '-1', '1.5', '1e3', '0x5', '5%', '100001', 'web=', '=5', 'web=abc', 'a/b/c=5', 'web=1=2'])(
    'refuses "%s" (k8s-deploy R20)',
    (line) => {
      expect(() => setReplicas([web()], [line])).toThrow(
        `the input "replicas" has "${line}", which is not a number of pods`,
      );
    },
  );

  test.each([
    [
      'a number for several workloads',
      [web(), database()],
      ['5'],
      'the input "replicas" has "5", which matches several workloads: there are Deployment/web, StatefulSet/db',
    ],
    [
      'a name of several workloads',
      [web(), database('web')],
      ['web=5'],
      'the input "replicas" has "web=5", which matches several workloads: there are Deployment/web, StatefulSet/web',
    ],
    ['a name that nothing has', [web()], ['wbe=5'], 'the input "replicas" has "wbe=5", but there are Deployment/web'],
    [
      'what cannot be scaled',
      [agent()],
      ['agent=5'],
      'the input "replicas" has "agent=5", but no workload here can be scaled',
    ],
    [
      'several lines without names',
      [web()],
      ['5', '6'],
      'the input "replicas" has several lines, but not all of them name a workload',
    ],
    [
      'two numbers for one workload',
      [web()],
      ['web=5', 'Deployment/web=6'],
      'the input "replicas" has "web=5" and "Deployment/web=6", which are both for Deployment/web',
    ],
  ])('refuses %s', (_, manifests, lines, message) => {
    expect(thrownBy(() => setReplicas(manifests, lines))).toMatchObject({
      message,
      hint: expect.stringMatching(/\.$/),
    });
  });
});
