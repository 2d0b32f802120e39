import { ownValue } from '../base/json.ts';
import { conditionsOf, timeOf } from '../kubernetes/conditions.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { utc } from './expiry.ts';

/** The conditions of a namespace that is going (kubernetes pkg/controller/namespace/deletion/status_condition_utils.go). */
const meanings: Readonly<Record<string, string>> = {
  NamespaceDeletionDiscoveryFailure: 'the API server cannot reach one of its extensions',
  NamespaceDeletionGroupVersionParsingFailure: 'the API server has a kind in a version that it does not know',
  NamespaceDeletionContentFailure: 'something in it could not be deleted',
  NamespaceContentRemaining: 'objects are left',
  NamespaceFinalizersRemaining: 'finalizers are left',
};

/**
 * Since when a namespace is going, and all that it waits for by its own account: completes "it …". An extension that does not answer
 * keeps every namespace of the cluster (kubernetes/kubernetes#75788, cilium/cilium#10323).
 */
export function whatHangs(namespace: KubernetesObject): string {
  const since = timeOf(namespace.metadata.deletionTimestamp);
  const found = conditionsOf(namespace).flatMap(({ type, status, message }) => {
    const meaning = status === 'True' ? ownValue(meanings, type) : undefined;
    return meaning === undefined ? [] : [`${meaning}: ${message}`];
  });
  return [since === undefined ? 'is being deleted' : `has been terminating since ${utc(since)}`, ...found].join('; ');
}
