import { isStatus } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { historyKeeper } from '../manifests/kinds.ts';
import { readEvent } from '../rollout/failures/events.ts';
import { describeState, historyOf, versionName, type WorkloadRevision } from '../rollout/workload-history.ts';
import type { Context } from '../release/context.ts';
import { nameOf } from './find-workload.ts';
import type { WorkloadHistoryEntry } from '../report/run-report.ts';

/** Reads what the cluster keeps of a workload's earlier versions, newest first. */
export async function readHistory({ client }: Context, workload: KubernetesObject): Promise<WorkloadRevision[]> {
  const { namespace } = workload.metadata;
  const list = async (apiVersion: string, kind: string) => {
    const resource = await client.resource(apiVersion, kind);
    if (resource === undefined) return [];
    const { items } = await client.list(resource, namespace === undefined ? {} : { namespace });
    return items;
  };
  const isInReplicaSets = historyKeeper(workload) === 'ReplicaSet';
  const [replicaSets, controllerRevisions, pods, events] = await Promise.all([
    isInReplicaSets ? list('apps/v1', 'ReplicaSet') : [],
    isInReplicaSets ? [] : list('apps/v1', 'ControllerRevision'),
    isInReplicaSets ? [] : list('v1', 'Pod'),
    // They only sharpen the judgement, and a Role may not have them.
    list('v1', 'Event').catch((error: unknown) => {
      if (isStatus(error, 403)) return [];
      throw error;
    }),
  ]);
  return historyOf(workload, { replicaSets, controllerRevisions, pods, events: events.map(readEvent) });
}

export function historyEntry(workload: KubernetesObject, revision: WorkloadRevision): WorkloadHistoryEntry {
  const { pods, ready, createdAt, images, state, changeCause } = revision;
  return {
    workload: nameOf(workload),
    revision: revision.revision,
    state,
    createdAt,
    images,
    replicas: pods,
    ready,
    ...(changeCause === undefined ? {} : { changeCause }),
  };
}

/** `ReplicaSet #3 of Deployment/web: healthy (2 ready pods), 2026-11-25T10:12:00Z: registry.test/web:2 (cause: …)` */
export function describeRevision(workload: KubernetesObject, revision: WorkloadRevision): string {
  const { createdAt, images, changeCause } = revision;
  const cause = changeCause === undefined ? '' : ` (change-cause: ${changeCause})`;
  return `${versionName(workload, revision.revision)} of ${nameOf(workload)}: ${describeState(revision)}, ${createdAt}: ${[...new Set(images)].join(', ')}${cause}`;
}
