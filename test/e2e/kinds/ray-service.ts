import type { JsonObject } from '../../../src/base/json.ts';
import { container } from '../../support/objects.ts';
import { nowIs, restsMs, timeNow, type Play } from './play.ts';

const clusterSpec = (image: string) => ({
  rayVersion: '2.50.0',
  headGroupSpec: { rayStartParams: {}, template: { spec: { containers: [container({ image })] } } },
});

const object = (image: string, more: JsonObject = {}) => ({
  apiVersion: 'ray.io/v1',
  kind: 'RayService',
  metadata: { name: 'web' },
  spec: {
    serveConfigV2: 'applications:\n  - name: llm\n    import_path: serve:app\n',
    rayClusterConfig: clusterSpec(image),
    ...more,
  },
});

/** Its pods are the work of another controller, and none are made here. */
const cluster = (name: string, image: string) => ({
  apiVersion: 'ray.io/v1',
  kind: 'RayCluster',
  metadata: { name },
  spec: { ...clusterSpec(image), suspend: true },
});

const initializing = (generation: number) => [
  is('Ready', 'False', 'Initializing', 'RayService is initializing', generation),
  is('UpgradeInProgress', 'False', 'Initializing', 'RayService is initializing', generation),
];
const serves = (generation: number) =>
  is('Ready', 'True', 'NonZeroServeEndpoints', 'Number of serve endpoints is greater than 0', generation);
const upgrading = (generation: number) =>
  is(
    'UpgradeInProgress',
    'True',
    'BothActivePendingClustersExist',
    'Both active and pending Ray clusters exist',
    generation,
  );
const alone = (generation: number) =>
  is(
    'UpgradeInProgress',
    'False',
    'NoPendingCluster',
    'Active Ray cluster exists and no pending Ray cluster',
    generation,
  );

function is(type: string, status: 'True' | 'False', reason: string, message: string, observedGeneration: number) {
  return nowIs(type, status, reason, message, { observedGeneration });
}

/** Of one cluster: what its application is. */
const side = (rayClusterName: string, status?: string): JsonObject => ({
  rayClusterName,
  rayClusterStatus: {},
  ...(status === undefined ? {} : { applicationStatuses: { llm: { status } } }),
});
const nothing = { rayClusterStatus: {} };

const statusOf = (observedGeneration: number, endpoints: number, more: JsonObject): JsonObject => ({
  observedGeneration,
  numServeEndpoints: endpoints,
  lastUpdateTime: timeNow(),
  serviceStatus: endpoints > 0 ? 'Running' : '',
  ...more,
});

const invalid =
  'Spec.UpgradeStrategy.Type value Canary is invalid, valid options are NewClusterWithIncrementalUpgrade, NewCluster, or None';

/** It makes another cluster for a new version; its Ready is about the one that serves, whichever that is. */
export const rayService: Play = {
  definition: 'rayservices.ray.io',
  sequences: [
    {
      about: 'is awaited until its application runs and stays so',
      object: object('registry.test/ctwoc:1.0.0'),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            statusOf(1, 0, {
              conditions: initializing(1),
              activeServiceStatus: nothing,
              pendingServiceStatus: side('web-k2j7p'),
            }),
          ],
        },
        {
          after: 'starting RayCluster "web-k2j7p"',
          makes: [cluster('web-k2j7p', 'registry.test/ctwoc:1.0.0')],
          statuses: () => [
            statusOf(1, 0, {
              conditions: initializing(1),
              activeServiceStatus: nothing,
              pendingServiceStatus: side('web-k2j7p', 'DEPLOYING'),
            }),
          ],
        },
        {
          after: 'starting RayCluster "web-k2j7p"; application "llm" is DEPLOYING',
          statuses: () => [
            statusOf(1, 0, {
              conditions: [...initializing(1).slice(0, 1), alone(1)],
              activeServiceStatus: side('web-k2j7p', 'RUNNING'),
              pendingServiceStatus: nothing,
            }),
          ],
        },
        {
          after: 'not Ready yet: Initializing: RayService is initializing',
          statuses: () => [
            statusOf(1, 1, {
              conditions: [serves(1), alone(1)],
              activeServiceStatus: side('web-k2j7p', 'RUNNING'),
              pendingServiceStatus: nothing,
            }),
          ],
        },
      ],
      ends: 'deployed',
      says: '✓ RayService "web": 1 of 1 application running',
    },
    {
      about: 'that stays Ready while it moves to a new cluster is awaited until that serves',
      object: object('registry.test/ctwoc:2.0.0'),
      moves: [
        { after: 'waiting for the controller', restsMs },
        {
          statuses: () => [
            statusOf(2, 1, {
              conditions: [serves(2), upgrading(2)],
              activeServiceStatus: side('web-k2j7p', 'RUNNING'),
              pendingServiceStatus: side('web-t9x4c'),
            }),
          ],
        },
        {
          after: 'moving to RayCluster "web-t9x4c"',
          makes: [cluster('web-t9x4c', 'registry.test/ctwoc:2.0.0')],
          statuses: () => [
            statusOf(2, 1, {
              conditions: [serves(2), upgrading(2)],
              activeServiceStatus: side('web-k2j7p'),
              pendingServiceStatus: side('web-t9x4c', 'DEPLOYING'),
            }),
          ],
        },
        {
          after: 'moving to RayCluster "web-t9x4c"; application "llm" is DEPLOYING',
          statuses: () => [
            statusOf(2, 1, {
              conditions: [serves(2), alone(2)],
              activeServiceStatus: side('web-t9x4c', 'RUNNING'),
              pendingServiceStatus: nothing,
            }),
          ],
        },
      ],
      ends: 'deployed',
      says: '✓ RayService "web": 1 of 1 application running',
    },
    {
      about: 'whose spec is refused fails at once, though no generation is named with that, and is undone',
      object: object('registry.test/ctwoc:3.0.0', { upgradeStrategy: { type: 'Canary' } }),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            statusOf(2, 1, {
              conditions: [is('Ready', 'False', 'ValidationFailed', invalid, 2), alone(2)],
              activeServiceStatus: side('web-t9x4c', 'RUNNING'),
              pendingServiceStatus: nothing,
            }),
          ],
        },
      ],
      ends: 'undone',
      says: `✗ RayService "web": ${invalid}`,
    },
  ],
};
