import { booleanAt, isObject, at, objectsAt, stringAt, stringsAt, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { condition } from '../kubernetes/conditions.ts';
import { matchesExpression } from './selectors.ts';

/** Why a node takes no pod of a template, whatever is free on it. */
export type Obstacle =
  { kind: 'not-ready' } | { kind: 'cordoned' } | { kind: 'taint'; taint: string } | { kind: 'not-selected' };

const cordon = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' };

/** What keeps pods of this spec off the node (kube-scheduler's filters); undefined when it fits. */
export function obstacleOn(node: KubernetesObject, spec: JsonObject | undefined): Obstacle | undefined {
  if (!isSelected(node, spec)) return { kind: 'not-selected' };
  const tolerations = objectsAt(spec, 'tolerations');
  if (booleanAt(node, 'spec', 'unschedulable') === true && !isTolerated(cordon, tolerations)) {
    return { kind: 'cordoned' };
  }
  if (condition(node, 'Ready')?.status !== 'True') return { kind: 'not-ready' };
  const taint = objectsAt(node, 'spec', 'taints').find((candidate) => {
    const effect = stringAt(candidate, 'effect');
    return (effect === 'NoSchedule' || effect === 'NoExecute') && !isTolerated(candidate, tolerations);
  });
  return taint === undefined ? undefined : { kind: 'taint', taint: stringAt(taint, 'key') ?? '' };
}

/** By `nodeName`, `nodeSelector` and the required part of the node affinity. */
export function isSelected(node: KubernetesObject, spec: JsonObject | undefined): boolean {
  const labels = node.metadata.labels ?? {};
  const name = stringAt(spec, 'nodeName');
  if (name !== undefined && name !== node.metadata.name) return false;
  if (!Object.entries(stringsAt(spec, 'nodeSelector')).every(([key, value]) => labels[key] === value)) return false;
  const required = at(spec, 'affinity', 'nodeAffinity', 'requiredDuringSchedulingIgnoredDuringExecution');
  if (!isObject(required)) return true;
  const fields = { 'metadata.name': node.metadata.name };
  // One of the terms; a term that says nothing matches no node.
  return objectsAt(required, 'nodeSelectorTerms').some((term) => {
    const expressions = objectsAt(term, 'matchExpressions');
    const onFields = objectsAt(term, 'matchFields');
    return (
      expressions.length + onFields.length > 0 &&
      expressions.every((expression) => matchesExpression(expression, labels)) &&
      onFields.every((expression) => matchesExpression(expression, fields))
    );
  });
}

function isTolerated(taint: JsonObject, tolerations: readonly JsonObject[]): boolean {
  return tolerations.some((toleration) => {
    const key = stringAt(toleration, 'key') ?? '';
    const effect = stringAt(toleration, 'effect') ?? '';
    const operator = stringAt(toleration, 'operator') ?? 'Equal';
    if (effect !== '' && effect !== stringAt(taint, 'effect')) return false;
    if (key !== '' && key !== stringAt(taint, 'key')) return false;
    if (operator === 'Exists') return true;
    const value = stringAt(toleration, 'value') ?? '';
    return operator === 'Equal' && key !== '' && value === (stringAt(taint, 'value') ?? '');
  });
}
