import { booleanAt, isObject, numberAt } from '../../base/json.ts';
import { groupOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { isScalable } from '../../manifests/kinds.ts';
import { parseReplicas } from '../../manifests/replicas.ts';

/** One replica of each workload, and nothing at certain times of the day. A number that is not stated, or 0, stays. */
export function adaptSize(object: KubernetesObject, replicas: readonly string[]): string[] {
  const { spec } = object;
  if (!isObject(spec)) return [];
  const before = numberAt(spec, 'replicas');
  if (isScalable(object) && before !== undefined && before > 1 && !isAskedFor(object, replicas)) {
    spec['replicas'] = 1;
    return [`1 replica instead of ${before}: a preview needs no more (the input "replicas" overrides it)`];
  }
  if (object.kind === 'CronJob' && groupOf(object.apiVersion) === 'batch' && booleanAt(spec, 'suspend') !== true) {
    spec['suspend'] = true;
    return ['suspended: a preview must not run scheduled jobs meant for real customers'];
  }
  return [];
}

function isAskedFor({ kind, metadata }: KubernetesObject, lines: readonly string[]): boolean {
  return parseReplicas(lines).some(
    (request) =>
      (request.name === undefined || request.name === metadata.name) &&
      (request.kind === undefined || request.kind.toLowerCase() === kind.toLowerCase()),
  );
}
