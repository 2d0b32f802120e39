import type { JsonObject } from '../../../src/base/json.ts';
import { container, deployment } from '../../support/objects.ts';
import { nowIs, restsMs, timeNow, type Play } from './play.ts';

const missing = 'registry.test/pulled/ctwoc:9.9.9';

const object = (image: string) => {
  const { selector, template } = deployment('web', { image }).spec;
  const strategy = { canary: { steps: [{ setWeight: 50 }, { pause: {} }] } };
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata: { name: 'web' },
    spec: { replicas: 2, selector, template, strategy },
  };
};

/** It writes a time of update into each condition, and the generation as a string (argo-rollouts#4672). */
const is = (type: string, status: 'True' | 'False', reason: string, message: string) =>
  nowIs(type, status, reason, message, { lastUpdateTime: timeNow() });

function statusOf(generation: number, phase: string, message: string, more: JsonObject = {}): JsonObject {
  return { observedGeneration: String(generation), phase, message, selector: 'app=web', ...more };
}

const progressing = (message: string) => is('Progressing', 'True', 'ReplicaSetUpdated', message);
const available = () => is('Available', 'True', 'AvailableReason', 'Rollout has minimum availability');
const counts = (replicas: number, updatedReplicas: number, availableReplicas: number) => ({
  HPAReplicas: replicas,
  ...{ replicas, updatedReplicas, availableReplicas, readyReplicas: availableReplicas },
});
const [first, second, third] = ['6b7f9c5d4', '7c8d5f6b9', '59fbd6c8f'];

/** Its phase is said by its controller, in one write with the generation. */
export const rollout: Play = {
  definition: 'rollouts.argoproj.io',
  sequences: [
    {
      about: 'is awaited until it is healthy',
      object: object('registry.test/ctwoc:1.0.0'),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            statusOf(1, 'Progressing', 'more replicas need to be updated', {
              conditions: [is('Progressing', 'True', 'NewReplicaSetCreated', `Created new replica set "web-${first}"`)],
              currentPodHash: first,
            }),
          ],
        },
        {
          after: '0 of 2 pods updated: more replicas need to be updated',
          statuses: () => [
            statusOf(1, 'Progressing', 'updated replicas are still becoming available', {
              conditions: [progressing(`ReplicaSet "web-${first}" is progressing.`)],
              ...{ ...counts(2, 2, 1), currentPodHash: first },
            }),
          ],
        },
        {
          after: '2 of 2 pods updated: updated replicas are still becoming available',
          statuses: () => [
            statusOf(1, 'Healthy', '', {
              conditions: [
                available(),
                is('Healthy', 'True', 'RolloutHealthy', 'Rollout is healthy'),
                is(
                  'Progressing',
                  'True',
                  'NewReplicaSetAvailable',
                  `ReplicaSet "web-${first}" has successfully progressed.`,
                ),
              ],
              ...{ ...counts(2, 2, 2), currentPodHash: first, stableRS: first, currentStepIndex: 2 },
            }),
          ],
        },
      ],
      ends: 'deployed',
      says: '✓ Rollout "web": 2 pods available',
    },
    {
      about: 'that was healthy with the version of before is awaited, until it pauses for somebody',
      object: object('registry.test/ctwoc:2.0.0'),
      moves: [
        { after: 'waiting for the controller', restsMs },
        {
          statuses: () => [
            statusOf(2, 'Progressing', 'more replicas need to be updated', {
              conditions: [available(), progressing('Rollout "web" is progressing.')],
              ...{ ...counts(2, 0, 2), currentPodHash: second, stableRS: first, currentStepIndex: 0 },
            }),
          ],
        },
        {
          after: '0 of 2 pods updated: more replicas need to be updated',
          statuses: () => [
            statusOf(2, 'Paused', 'CanaryPauseStep', {
              conditions: [available(), is('Paused', 'True', 'RolloutPaused', 'Rollout is paused')],
              pauseConditions: [{ reason: 'CanaryPauseStep', startTime: timeNow() }],
              ...{ ...counts(2, 1, 2), currentPodHash: second, stableRS: first, currentStepIndex: 1 },
              controllerPause: true,
            }),
          ],
        },
      ],
      ends: 'paused',
      says: 'Rollout "web": paused at step 2 of 2: 1 of 2 pods updated; promote it to continue',
    },
    {
      about: 'fails by the pods of its ReplicaSet, and is undone',
      object: object(missing),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            statusOf(3, 'Progressing', 'more replicas need to be updated', {
              conditions: [available(), progressing(`ReplicaSet "web-${third}" is progressing.`)],
              ...{ ...counts(2, 0, 2), currentPodHash: third, stableRS: first, currentStepIndex: 0 },
            }),
          ],
        },
        { after: '0 of 2 pods updated: more replicas need to be updated', makes: [replicaSet(third)] },
      ],
      ends: 'undone',
      says: `✗ Rollout "web": container "web": image "${missing}" not found`,
    },
  ],
};

/** As its controller makes it for a version. */
function replicaSet(hash: string): object {
  const labels = { app: 'web', 'rollouts-pod-template-hash': hash };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `web-${hash}`, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container({ image: missing })] } },
    },
  };
}
