import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { changedByHand, isController, leaveToControllers } from '../../../src/apply/managers.ts';
import { fields, objectOf, owner, updater } from '../release/build.ts';

const image = fields('spec', 'template', 'spec', 'containers', 'x');

describe('who has changed the version', () => {
  test('is everybody who owns what we do not own any more', () => {
    const live = objectOf(
      'apps/v1',
      'Deployment',
      {},
      {
        managedFields: [
          owner(fields('spec', 'replicas')),
          updater('kubectl-set', image, { time: '2026-01-01T00:00:00Z' }),
        ],
      },
    );
    expect(changedByHand(live)).toEqual([
      { manager: 'kubectl-set', time: '2026-01-01T00:00:00Z', field: 'spec.template.spec.containers.x' },
    ]);
  });

  test('names entries of lists by their keys', () => {
    const added = {
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': { 'k:{"name":"web"}': { 'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {} } } } },
          },
        },
      },
    };
    const live = objectOf('apps/v1', 'Deployment', {}, { managedFields: [updater('kubectl-set', added)] });
    expect(changedByHand(live).map(({ field }) => field)).toEqual(['spec.template.spec.containers[web].env[A].name']);
  });

  test.each<[string, KubernetesObject]>([
    [
      'what we own as well',
      objectOf('apps/v1', 'Deployment', {}, { managedFields: [owner(image), updater('x', image)] }),
    ],
    [
      'what our own commands write',
      objectOf('apps/v1', 'Deployment', {}, { managedFields: [updater('gke-rollout-restart', image)] }),
    ],
    [
      'the time of a restart',
      objectOf(
        'apps/v1',
        'Deployment',
        {},
        {
          managedFields: [
            updater(
              'kubectl-rollout',
              fields('spec', 'template', 'metadata', 'annotations', 'kubectl.kubernetes.io/restartedAt'),
            ),
          ],
        },
      ),
    ],
    [
      'the number of pods',
      objectOf(
        'apps/v1',
        'Deployment',
        {},
        { managedFields: [updater('kubectl', fields('spec', 'replicas'), { subresource: 'scale' })] },
      ),
    ],
    [
      'labels',
      objectOf(
        'apps/v1',
        'Deployment',
        {},
        { managedFields: [updater('kubectl-label', fields('metadata', 'labels', 'a'))] },
      ),
    ],
    [
      'a token',
      objectOf('v1', 'Secret', {}, { managedFields: [updater('kube-controller-manager', fields('data', 'token'))] }),
    ],
  ])('is nobody for %s', (_, live) => {
    expect(changedByHand(live)).toEqual([]);
  });
});

test.each([
  ['kube-controller-manager', true],
  ['cert-manager-cainjector', true],
  ['argo-rollouts-controller', true],
  ['kubectl-edit', false],
  ['kubectl', false],
  ['helm', false],
])('%s is a controller: %s', (manager, expected) => {
  expect(isController(updater(manager, {}))).toBe(expected);
});

test('what a controller has written stays out of a manifest that is applied again: the bundle of a webhook', () => {
  const hook = (caBundle: string) => ({ webhooks: [{ name: 'a', clientConfig: { caBundle, url: 'https://x.test' } }] });
  const bundle = { 'f:webhooks': { 'k:{"name":"a"}': { 'f:clientConfig': { 'f:caBundle': {} } } } };
  const live = objectOf('v1', 'Hook', hook('real'), { managedFields: [updater('cainjector', bundle)] });
  const manifest = objectOf('v1', 'Hook', hook('placeholder'));
  leaveToControllers(manifest, live);
  expect(manifest['webhooks']).toEqual([{ name: 'a', clientConfig: { url: 'https://x.test' } }]);
});
