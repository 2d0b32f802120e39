import { describe, expect, test } from '@jest/globals';

import { divide, needsTakeover } from '../../../src/apply/takeover.ts';
import { configMap, fields, owner, updater } from '../release/build.ts';

const claims = [
  ['spec', 'template'],
  ['spec', 'paused'],
] as const;
const inTemplate = { 'f:spec': { 'f:template': { 'f:spec': { 'f:hostname': {} } } } };

describe('fields at a claimed path', () => {
  test('become ours, and the rest of what their owner has stays theirs', () => {
    const theirs = { 'f:spec': { ...inTemplate['f:spec'], 'f:replicas': {} } };
    const live = configMap({}, { managedFields: [updater('kubectl-edit', theirs)] });
    expect(needsTakeover(live, claims)).toBe(true);
    expect(divide(live, claims)).toEqual({
      ours: [inTemplate],
      others: [updater('kubectl-edit', fields('spec', 'replicas'))],
    });
  });

  test('leave no owner without fields behind, and no tree without leaves: that would stand for the field itself', () => {
    const theirs = { 'f:spec': { ...inTemplate['f:spec'], 'f:paused': {} }, 'f:metadata': { 'f:labels': {} } };
    const managedFields = [updater('kubectl-rollout', inTemplate), updater('kubectl-edit', theirs)];
    expect(divide(configMap({}, { managedFields }), claims)).toEqual({
      ours: [inTemplate, inTemplate, fields('spec', 'paused')],
      others: [updater('kubectl-edit', fields('metadata', 'labels'))],
    });
  });

  test('stay with a controller that writes a subresource', () => {
    const scale = updater('kube-controller-manager', inTemplate, { subresource: 'status' });
    const live = configMap({}, { managedFields: [scale] });
    expect(needsTakeover(live, claims)).toBe(false);
    expect(divide(live, claims)).toEqual({ ours: [], others: [scale] });
  });

  test('become ours below the pod template, too, where a controller has them', () => {
    const live = configMap({}, { managedFields: [updater('reload-controller', inTemplate)] });
    const deeper = [['spec', 'template', 'spec', 'hostname']];
    expect(needsTakeover(live, deeper)).toBe(true);
    expect(divide(live, deeper)).toEqual({ ours: [inTemplate], others: [] });
  });

  test('are the whole pod template where "kubectl rollout undo" has brought it back, whatever is claimed', () => {
    const theirs = { 'f:spec': { ...inTemplate['f:spec'], 'f:replicas': {} } };
    const live = configMap({}, { managedFields: [updater('kubectl', theirs)] });
    expect(needsTakeover(live)).toBe(true);
    expect(divide(live, [])).toEqual({ ours: [inTemplate], others: [updater('kubectl', fields('spec', 'replicas'))] });
  });

  test('need no takeover when they are ours already', () => {
    expect(needsTakeover(configMap({}, { managedFields: [owner(inTemplate)] }), claims)).toBe(false);
  });
});

test('without claims, only predecessors give their fields away', () => {
  const managedFields = [
    updater('kubectl-client-side-apply', fields('data', 'a')),
    updater('kubectl-edit', inTemplate),
  ];
  const live = configMap({}, { managedFields });
  expect(divide(live, [])).toEqual({ ours: [fields('data', 'a')], others: [updater('kubectl-edit', inTemplate)] });
});
