import { describe, expect, it } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { decide, type Decision } from '../../../src/rollout/decide.ts';
import { conditionAt, factsOf, live, liveDaemonSet, podOf, timeAt } from '../../support/rollout-objects.ts';
import { defaultGraces } from '../../../src/rollout/failures/graces.ts';

function node(name: string, ready: 'True' | 'False' | 'Unknown' = 'True'): KubernetesObject {
  return live('Node', {
    apiVersion: 'v1',
    metadata: { name },
    status: { conditions: [conditionAt('Ready', ready)] },
  });
}

const nodes = [node('n1'), node('n2'), node('n3', 'Unknown')];

function podOn(daemonSet: KubernetesObject, nodeName: string, { ready = true, old = false, ending = false } = {}) {
  return podOf(daemonSet, {
    ready,
    metadata: {
      name: `web-${nodeName}`,
      uid: `web-${nodeName}`,
      labels: { 'pod-template-generation': old ? '1' : '2' },
      ...(ending ? { deletionTimestamp: timeAt(1) } : {}),
    },
    spec: { nodeName },
  });
}

function verdictOf(daemonSet: KubernetesObject, pods: KubernetesObject[], known = nodes): Decision {
  const snapshot = { pods, replicaSets: [], events: [], nodes: known };
  return decide(daemonSet, factsOf(daemonSet), snapshot, new Map(), defaultGraces);
}

// A dead node blocks every strict tool: kubernetes#139226.
describe('a DaemonSet with a node that is down', () => {
  const almost = liveDaemonSet({ updated: 2, available: 2 });
  const others = [podOn(almost, 'n1'), podOn(almost, 'n2')];

  it('is accepted, and said so, once the version runs on all other nodes', () => {
    const { verdict } = verdictOf(almost, [...others, podOn(almost, 'n3', { ready: false, old: true, ending: true })]);
    expect(verdict).toEqual({
      state: 'unchecked',
      message: '2 of 3 pods updated and ready; not waiting for nodes that are not ready: node "n3"',
    });
  });

  it('is accepted when its new pod sits on that node', () => {
    const waiting = liveDaemonSet({ updated: 3, available: 2 });
    const { verdict } = verdictOf(waiting, [...others, podOn(almost, 'n3', { ready: false })]);
    expect(verdict.state).toBe('unchecked');
  });

  it('goes on being awaited while a pod on another node is not ready, and the node is named', () => {
    const half = liveDaemonSet({ updated: 2, available: 1 });
    const pods = [podOn(half, 'n1'), podOn(half, 'n2', { ready: false }), podOn(half, 'n3', { ready: false })];
    const { verdict, suspicion } = verdictOf(half, pods);
    expect(verdict.state).toBe('progressing');
    expect(suspicion?.message).toBe('DaemonSet "web": node "n3" is not ready, so nothing starts there');
  });

  it('is not accepted before the other nodes have the new version, when the old pod blocks the update', () => {
    const blocked = liveDaemonSet({ updated: 0, available: 2 });
    const pods = [
      podOn(blocked, 'n1', { old: true }),
      podOn(blocked, 'n2', { old: true }),
      podOn(blocked, 'n3', { ready: false, old: true, ending: true }),
    ];
    const { verdict, suspicion } = verdictOf(blocked, pods);
    expect(verdict.state).toBe('progressing');
    expect(suspicion?.reason).toBe('NodeNotReady');
  });

  it('is not accepted while minReadySeconds have not passed elsewhere', () => {
    const young = liveDaemonSet({ updated: 3, available: 1 });
    expect(verdictOf(young, [...others, podOn(young, 'n3', { ready: false })]).verdict.state).toBe('progressing');
  });

  it('is not accepted on a status from before the write', () => {
    const unseen = liveDaemonSet({ updated: 2, available: 2, generation: 3, observed: 2 });
    expect(verdictOf(unseen, [...others, podOn(unseen, 'n3', { ready: false })]).verdict.state).toBe('progressing');
  });

  it('is awaited when nodes that are down have no pod of it, or nodes may not be seen', () => {
    expect(verdictOf(almost, others).verdict.state).toBe('progressing');
    const lost = podOn(almost, 'n3', { ready: false });
    expect(verdictOf(almost, [...others, lost], []).verdict.state).toBe('progressing');
  });

  it('is awaited when no node at all runs it', () => {
    const none = liveDaemonSet({ wanted: 1, updated: 1, available: 0 });
    expect(verdictOf(none, [podOn(none, 'n3', { ready: false })]).verdict.state).toBe('progressing');
  });
});
