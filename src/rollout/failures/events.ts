import { numberAt, stringAt } from '../../base/json.ts';
import { saidAt } from '../../base/said.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { timeOf } from '../../kubernetes/conditions.ts';

/** An event, whichever of the API's two generations of fields it uses. */
export interface ObjectEvent {
  uid: string;
  kind: string;
  name: string;
  type: string;
  reason: string;
  message: string;
  count: number;
  firstAt: number;
  lastAt: number;
  /** Of the involved pod, where it is about one. */
  container?: string;
}

export function readEvent(event: KubernetesObject): ObjectEvent {
  const eventTime = timeOf(stringAt(event, 'eventTime'));
  const first = timeOf(stringAt(event, 'firstTimestamp')) ?? eventTime ?? timeOf(event.metadata.creationTimestamp) ?? 0;
  const last =
    timeOf(stringAt(event, 'series', 'lastObservedTime')) ?? timeOf(stringAt(event, 'lastTimestamp')) ?? first;
  const container = /\{(?<name>[^{}]+)\}$/.exec(stringAt(event, 'involvedObject', 'fieldPath') ?? '')?.groups?.['name'];
  return {
    ...(container === undefined ? {} : { container }),
    uid: stringAt(event, 'involvedObject', 'uid') ?? '',
    kind: stringAt(event, 'involvedObject', 'kind') ?? '',
    name: stringAt(event, 'involvedObject', 'name') ?? '',
    type: stringAt(event, 'type') ?? '',
    reason: stringAt(event, 'reason') ?? '',
    message: withoutCredentials(saidAt(event, 'message') ?? ''),
    count: numberAt(event, 'series', 'count') ?? numberAt(event, 'count') ?? 1,
    firstAt: first,
    lastAt: last,
  };
}

/** Docker Hub names the user and the token in its answer about rate limits. */
function withoutCredentials(message: string): string {
  return message.replace(/(pull rate limit as ).*?(?=\.\s|$)/is, '$1***');
}

const indexes = new WeakMap<readonly ObjectEvent[], Map<string, ObjectEvent[]>>();

/** Those of one object. A namespace may have thousands, and one look asks for those of each pod: they are put in order once. */
export function eventsOf({ metadata }: KubernetesObject, events: readonly ObjectEvent[]): readonly ObjectEvent[] {
  const index = indexes.get(events) ?? Map.groupBy(events, (event) => event.uid);
  indexes.set(events, index);
  return index.get(metadata.uid ?? '') ?? [];
}
