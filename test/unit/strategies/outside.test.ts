import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { countingStill, stepOutside, warningOf, type Counter } from '../../../src/strategies/outside.ts';
import { templateLabels } from '../../../src/traffic/pods.ts';

type Labels = Record<string, string>;

const own = { 'gke-rollout/workload': 'web', 'gke-rollout/track': 'canary' };

function deployment(name: string, selector: Labels, labels: Labels): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'shop' },
    spec: { selector: { matchLabels: selector }, template: { metadata: { labels } } },
  };
}

function service(selector: Labels): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' }, spec: { selector } };
}

function autoscaler(selector: Labels): Counter {
  const ref = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', namespace: 'shop', name: 'web' };
  return { ref, selector };
}

describe('a derived candidate beside a Deployment with an autoscaler (kubernetes/kubernetes#116898)', () => {
  test('gets other values for labels that no Service selects by', () => {
    const labels = { app: 'web', serves: 'shop', tier: 'front' };
    const candidate = deployment('web-canary', own, { ...labels, ...own });
    stepOutside(candidate, deployment('web', { app: 'web', tier: 'front' }, labels), [service({ serves: 'shop' })]);
    expect(templateLabels(candidate)).toEqual({ app: 'web-canary', serves: 'shop', tier: 'front-canary', ...own });
    expect(countingStill([autoscaler({ app: 'web', tier: 'front' })], candidate)).toEqual([]);
  });

  test('keeps every label that one of the Services selects by, and is then counted', () => {
    const labels = { app: 'web', serves: 'shop' };
    const candidate = deployment('web-canary', own, { ...labels, ...own });
    const stable = deployment('web', { app: 'web' }, labels);
    const services = [service({ serves: 'shop' }), service({ app: 'web' })];
    stepOutside(candidate, stable, services);
    expect(templateLabels(candidate)).toEqual({ ...labels, ...own });
    const counting = countingStill([autoscaler({ app: 'web' })], candidate);
    expect(counting).toHaveLength(1);
    expect(warningOf(counting, stable, services)).toContain(
      'HorizontalPodAutoscaler "web" counts the candidate\'s pods together with those of Deployment "web", because they have the labels app=web too',
    );
  });

  test('one label of several that is free is enough for the autoscaler, and not for a budget by another one', () => {
    const labels = { app: 'web', tier: 'front' };
    const candidate = deployment('web-canary', own, { ...labels, ...own });
    stepOutside(candidate, deployment('web', labels, labels), [service({ app: 'web' })]);
    const budget = { ...autoscaler({ app: 'web' }), ref: { ...autoscaler({}).ref, kind: 'PodDisruptionBudget' } };
    expect(countingStill([autoscaler(labels), budget], candidate)).toEqual([budget]);
  });

  test('has no value that is longer than a label may be', () => {
    const values = ['a', 'b'].map((end) => {
      const app = `${'w'.repeat(62)}${end}`;
      const candidate = deployment('web-canary', own, { app, serves: 'shop', ...own });
      stepOutside(candidate, deployment('web', { app }, { app, serves: 'shop' }), [service({ serves: 'shop' })]);
      return templateLabels(candidate)['app'];
    });
    expect(values).toEqual([
      expect.stringMatching(/^w{40,}-[0-9a-f]{8}-canary$/),
      expect.stringMatching(/^w{40,}-[0-9a-f]{8}-canary$/),
    ]);
    expect(values.map((value) => value?.length)).toEqual([63, 63]);
    expect(new Set(values).size).toBe(2);
  });
});
