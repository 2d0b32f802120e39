import { objectAt, stringsAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { pausedByAnnotation } from '../rollout/pause.ts';
import { changeCauseAnnotation, withoutNulls, type WorkloadRevision } from '../rollout/workload-history.ts';
import { extractOwned, unionFields } from './managed-fields.ts';
import { releaseAnnotation } from './mark.ts';
import { divide, type Claims } from './takeover.ts';

/** A pause, whoever has set it: it goes with an apply that does not have it. */
export const pausePaths: Claims = [
  ['spec', 'paused'],
  ['metadata', 'annotations', pausedByAnnotation],
];

/**
 * What going back to an earlier template replaces as a whole, whoever has written there: a variable that `kubectl set env` has
 * added must go, and a pause would keep the old pods.
 */
export const replacedPaths: Claims = [
  ['spec', 'template'],
  ...pausePaths,
  ['metadata', 'annotations', changeCauseAnnotation],
];

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * The manifest of a workload that nobody has given us one of: as it is in the cluster, with the pod template of an earlier
 * version of it. It is complete, so that it can be applied again when later versions have come and gone. Annotations of
 * other tools are left to them.
 */
export function manifestOfRevision(live: KubernetesObject, target: WorkloadRevision): KubernetesObject {
  const { name, namespace, labels = {} } = live.metadata;
  const annotations = ownAnnotations(live);
  if (target.changeCause !== undefined) annotations[changeCauseAnnotation] = target.changeCause;
  const spec: JsonObject = { ...objectAt(live, 'spec'), template: target.template };
  delete spec['paused'];
  return {
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: objectAt({ spec: withoutNulls(spec) }, 'spec'),
  };
}

/** Those that we own or are about to take over from kubectl. */
function ownAnnotations(live: KubernetesObject): Record<string, string> {
  const fieldsV1 = divide(live, []).ours.reduce<JsonObject>(unionFields, {});
  const owned = extractOwned(live, { manager: '', operation: 'Apply', apiVersion: live.apiVersion, fieldsV1 });
  const annotations = stringsAt(owned, 'metadata', 'annotations');
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => ![lastApplied, changeCauseAnnotation, releaseAnnotation].includes(key),
    ),
  );
}
