import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import {
  byKept,
  byOriginal,
  keptKey,
  keptLabels,
  labelsToSetApart,
  setApart,
} from '../../../../src/strategies/blue-green/apart.ts';
import { selects, type Labels } from '../../../../src/traffic/services.ts';

function workload(labels: Labels): KubernetesObject {
  const template = { metadata: { labels: { ...labels } } };
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { template } };
}

function service(selector: Labels, name = 'web'): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { ...selector } } };
}

function policy(spec: KubernetesObject['spec']): KubernetesObject {
  return { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata: { name: 'web' }, spec: spec ?? null };
}

const around = { services: [], policies: [], budgets: [] };
const labels = { app: 'web', 'app.kubernetes.io/name': 'shop' };

describe('pods that are set apart', () => {
  test.each(['app', 'app.kubernetes.io/name', 'workload'])('by %s keep its value under a key of ours', (key) => {
    expect(keptKey(key)).toMatch(/^(?:[a-z.-]+\.)?as\.gke-rollout\/[a-z]+$/);
    expect(byOriginal(byKept({ [key]: 'x', other: 'y' }, [key]))).toEqual({ [key]: 'x', other: 'y' });
  });

  test('are not selected by what selects the others, and by what is kept they are', () => {
    const pods = setApart(labels, ['app']);
    expect(selects({ app: 'web' }, pods)).toBe(false);
    expect(selects(byKept({ app: 'web' }, ['app']), pods)).toBe(true);
    expect(selects(byKept({ app: 'web' }, ['app']), labels)).toBe(false);
    expect(selects({ 'app.kubernetes.io/name': 'shop' }, pods)).toBe(true);
    expect(keptLabels(workload(pods))).toEqual(['app']);
    expect(keptLabels(workload(labels))).toEqual([]);
  });

  test('have values that are as short as those of labels must be', () => {
    const long = 'a'.repeat(63);
    const pods = setApart({ app: long }, ['app']);
    expect(pods['app']).toHaveLength(63);
    expect(pods['app']).not.toBe(long);
    expect(pods[keptKey('app')]).toBe(long);
  });
});

describe('the labels that set pods apart', () => {
  const pods = [workload(labels)];

  test('are as few as every Service needs', () => {
    const services = [service({ app: 'web' }), service(labels, 'both')];
    expect(labelsToSetApart(services, pods, around)).toEqual(['app']);
    const other = service({ 'app.kubernetes.io/name': 'shop' }, 'name');
    expect(labelsToSetApart([...services, other], pods, around)).toEqual(['app', 'app.kubernetes.io/name']);
  });

  test('are none that a NetworkPolicy goes by, as its subject or as a peer', () => {
    const subject = policy({ podSelector: { matchLabels: { app: 'web' } } });
    const peer = policy({
      podSelector: {},
      ingress: [{ from: [{ podSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } }] }],
    });
    const foreign = policy({ podSelector: { matchLabels: { app: 'other' } } });
    for (const policies of [[subject], [peer]]) {
      expect(labelsToSetApart([service(labels)], pods, { ...around, policies })).toEqual(['app.kubernetes.io/name']);
      expect(labelsToSetApart([service({ app: 'web' })], pods, { ...around, policies })).toBeUndefined();
    }
    expect(labelsToSetApart([service({ app: 'web' })], pods, { ...around, policies: [foreign] })).toEqual(['app']);
  });

  test('are those that a budget counts by only where there is no other', () => {
    const budget = { ...policy({ selector: { matchLabels: { app: 'web' } } }), kind: 'PodDisruptionBudget' };
    const budgets = [budget];
    expect(labelsToSetApart([service(labels)], pods, { ...around, budgets })).toEqual(['app.kubernetes.io/name']);
    expect(labelsToSetApart([service({ app: 'web' })], pods, { ...around, budgets })).toEqual(['app']);
  });

  test('are not there where the new value belongs to another Service', () => {
    const services = [service({ app: 'web-green' }, 'other')];
    expect(labelsToSetApart([service({ app: 'web' })], pods, { ...around, services })).toBeUndefined();
  });
});
