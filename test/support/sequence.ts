import { equal, objectAt, objectsAt, stringAt, type JsonObject } from '../../src/base/json.ts';
import type { KubernetesClient, WatchEvent } from '../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { decide, type FirstSeen } from '../../src/rollout/decide.ts';
import { readEvent } from '../../src/rollout/failures/events.ts';
import type { Facts } from '../../src/rollout/readiness/rule.ts';
import type { Verdict } from '../../src/rollout/verdict.ts';
import { defaultGraces } from '../../src/rollout/failures/graces.ts';
import type { Snapshot } from '../../src/rollout/snapshot.ts';

/** What a cluster showed of one workload over time, and what was decided about it. */
export interface Sequence {
  about: string;
  /** As the write left it, and when that was carried out: milliseconds since the epoch. */
  written: KubernetesObject;
  writtenAt: number;
  changed: boolean;
  steps: SequenceStep[];
  /** When the wait ended, and with what. */
  endedAt: number;
  verdict: Verdict['state'];
}

export interface SequenceStep {
  /** Milliseconds since the epoch. */
  at: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  object: KubernetesObject;
}

/** A client that keeps what its lists and watches show. */
export function recording(client: KubernetesClient, steps: SequenceStep[]): KubernetesClient {
  const keep = (type: SequenceStep['type'], object: KubernetesObject) => {
    steps.push({ at: Date.now(), type, object: slim(object) });
  };
  return new Proxy(client, {
    get: (target, name) => {
      if (name === 'list') {
        return async (...args: Parameters<KubernetesClient['list']>) => {
          const list = await target.list(...args);
          for (const object of list.items) {
            keep('ADDED', { ...object, apiVersion: object.apiVersion, kind: args[0].kind });
          }
          return list;
        };
      }
      if (name === 'watch') {
        return async function* (...args: Parameters<KubernetesClient['watch']>): AsyncIterable<WatchEvent> {
          for await (const event of target.watch(...args)) {
            if ('object' in event) keep(event.type, event.object);
            yield event;
          }
        };
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The verdict after each step, and at the end, as `decide` says it. @param own what the user says of the object */
export function replay(
  { written, writtenAt, changed, steps, endedAt }: Sequence,
  own: Pick<Facts, 'userRule'> = {},
): Verdict[] {
  let object = written;
  const kept = new Map<string, KubernetesObject>();
  const firstSeen: FirstSeen = new Map();
  const facts = { generation: written.metadata.generation ?? 0, changed, writtenAt, asWritten: written, ...own };
  let changedAt = writtenAt;
  const look = (now: number): Verdict => {
    const known = { ...facts, now, quietMs: now - changedAt };
    return decide(object, known, snapshotOf([...kept.values()]), firstSeen, defaultGraces).verdict;
  };
  const verdicts = steps.map((step) => {
    const { uid = '' } = step.object.metadata;
    if (step.object.kind === written.kind && step.object.metadata.name === written.metadata.name) {
      const isSame = equal(step.object['status'], object['status']);
      if (!isSame || step.object.metadata.generation !== object.metadata.generation) changedAt = step.at;
      object = step.object;
    } else if (step.type === 'DELETED') kept.delete(uid);
    else kept.set(uid, step.object);
    return look(step.at);
  });
  return [...verdicts, look(endedAt)];
}

function snapshotOf(objects: readonly KubernetesObject[]): Snapshot {
  const of = (kind: string) => objects.filter((object) => object.kind === kind);
  const owned = objects.filter(({ kind }) => !['Pod', 'ReplicaSet', 'Event'].includes(kind));
  return {
    pods: of('Pod'),
    replicaSets: of('ReplicaSet'),
    events: of('Event').map(readEvent),
    owned: { objects: owned, isBlind: false },
  };
}

/** Without what no rule looks at. */
export function slim(object: KubernetesObject): KubernetesObject {
  const metadata = { ...object.metadata };
  delete metadata.managedFields;
  delete metadata.resourceVersion;
  const whole = { ...object, metadata };
  if (object.kind !== 'Pod') return whole;
  const containers = (list: string): JsonObject[] =>
    objectsAt(object, 'spec', list).map(({ name, image, readinessProbe }) => ({
      ...{ name, image },
      ...(readinessProbe === undefined ? {} : { readinessProbe }),
    }));
  const { nodeName, restartPolicy } = objectAt(object, 'spec');
  return {
    ...whole,
    spec: {
      containers: containers('containers'),
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(restartPolicy === undefined ? {} : { restartPolicy }),
    },
  };
}

/**
 * One line for how it began and ended, and one for each step: the first time an object is whole, later it has only the
 * parts that have changed. Objects of other workloads are left out.
 */
export function writeSequence({ steps, ...about }: Sequence): string {
  const known = new Map<string, KubernetesObject>();
  const lines = steps
    .filter(({ object }) => isAbout(object, about.written.metadata.name))
    .map(({ at, type, object }) => {
      const before = known.get(idOf(object));
      known.set(idOf(object), object);
      if (before === undefined) return { at, type, object };
      const changes = Object.entries(object).filter(([part, value]) => !equal(value, before[part]));
      return { at, type, id: idOf(object), changes: Object.fromEntries(changes) };
    });
  return [about, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
}

export function readSequence(text: string): Sequence {
  const [about, ...lines] = text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  const known = new Map<string, KubernetesObject>();
  const steps = (lines as (SequenceStep | (Omit<SequenceStep, 'object'> & { id: string; changes: JsonObject }))[]).map(
    (line) => {
      const { at, type } = line;
      const object = 'object' in line ? line.object : ({ ...known.get(line.id), ...line.changes } as KubernetesObject);
      known.set(idOf(object), object);
      return { at, type, object };
    },
  );
  return { ...(about as Omit<Sequence, 'steps'>), steps };
}

function isAbout(object: KubernetesObject, name: string): boolean {
  const subject = stringAt(object, 'involvedObject', 'name') ?? object.metadata.name;
  return subject === name || subject.startsWith(`${name}-`);
}

function idOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}
