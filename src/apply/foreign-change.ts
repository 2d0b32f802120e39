import { equal, isObject, numberAt, ownValue, type Json, type JsonObject } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject, type ManagedFieldsEntry } from '../kubernetes/object.ts';
import { decidesAnswers, isWorkload } from '../manifests/kinds.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, entriesOf, extractOwned } from './managed-fields.ts';

/** What somebody else has made of an object since we wrote it. */
interface ForeignChange {
  /** Whether what runs now is not what was written; otherwise only its number of pods is another one. */
  isOther: boolean;
  /** `Deployment "web": "kubectl-set" changed spec.template.spec.containers[web].image while we waited` */
  message: string;
  hint: string;
}

/** Managers that scale by a metric or a schedule: to nothing as well. */
const autoscalers = /^(?:kube-controller-manager|keda)|autoscaler|downscaler|hpa/;

/**
 * Compares the fields that our apply owned when it was answered with what is there now. What others have added is theirs; what
 * they have overwritten or removed means that something else gets ready than was written.
 * @param asWritten as the server answered our write, or as it was found when nothing was to be written
 */
export function foreignChange(asWritten: KubernetesObject, now: KubernetesObject): ForeignChange | undefined {
  const { generation, resourceVersion } = now.metadata;
  const isSame = generation === undefined ? resourceVersion === asWritten.metadata.resourceVersion : false;
  if (isSame || (generation !== undefined && generation === asWritten.metadata.generation)) return undefined;
  if (!decidesAnswers(now)) return undefined;
  const [then, current] = [applyEntry(asWritten, fieldManager), applyEntry(now, fieldManager)];
  // A later write of our own tells nothing about others.
  if (then === undefined || (current !== undefined && current.time !== then.time)) return undefined;
  const [written, found] = [extractOwned(asWritten, then), extractOwned(now, then)];
  delete written['metadata'];
  delete found['metadata'];
  const changed = differences(written, found).filter((field) => field !== 'spec.paused');
  const others = changed.filter((field) => field !== 'spec.replicas');
  const scaledTo = numberAt(now, 'spec', 'replicas');
  const isScaled = isWorkload(now) && numberAt(asWritten, 'spec', 'replicas') !== scaledTo;
  if (others.length > 0) return told(now, `changed ${others.join(', ')}`, lastWriter(now), true);
  if (!isScaled || (scaledTo !== 0 && changed.length === 0)) return undefined;
  const writer = lastScaler(now) ?? lastWriter(now);
  const isStopped = scaledTo === 0 && !autoscalers.test(writer?.manager ?? '');
  return told(now, `scaled it to ${scaledTo ?? 1}`, writer, isStopped);
}

function told(
  object: KubernetesObject,
  what: string,
  writer: ManagedFieldsEntry | undefined,
  isOther: boolean,
): ForeignChange {
  const { manager, time } = writer ?? {};
  const who =
    manager === undefined ? 'somebody else' : `somebody else ("${manager}"${time === undefined ? '' : `, ${time}`})`;
  return {
    isOther,
    message: `${describeRef(refOf(object))}: ${who} ${what} during this run`,
    hint: 'Two changes collided: find out who made the other one, then re-run the one that should win.',
  };
}

/** Who wrote last beside us and the controllers of the status. */
function lastWriter(object: KubernetesObject): ManagedFieldsEntry | undefined {
  const others = entriesOf(object).filter(
    ({ manager, subresource = '' }) => manager !== fieldManager && subresource !== 'status',
  );
  return latest(others);
}

function lastScaler(object: KubernetesObject): ManagedFieldsEntry | undefined {
  return latest(entriesOf(object).filter(({ subresource }) => subresource === 'scale'));
}

function latest(entries: readonly ManagedFieldsEntry[]): ManagedFieldsEntry | undefined {
  return entries.toSorted((left, right) => (left.time ?? '').localeCompare(right.time ?? '')).at(-1);
}

/** Paths at which two values differ: `spec.template.spec.containers[web].image`. */
function differences(left: Json | undefined, right: Json | undefined, path = ''): string[] {
  if (equal(left, right)) return [];
  if (isObject(left) && isObject(right)) {
    return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
      differences(ownValue(left, key), ownValue(right, key), path === '' ? key : `${path}.${key}`),
    );
  }
  if (Array.isArray(left) && Array.isArray(right)) {
    const [one, other] = [byName(left), byName(right)];
    if (one !== undefined && other !== undefined) {
      return [...new Set([...one.keys(), ...other.keys()])].flatMap((name) =>
        differences(one.get(name), other.get(name), `${path}[${name}]`),
      );
    }
  }
  return [path];
}

/** The entries of a list by their names; undefined where not all have one. */
function byName(list: readonly Json[]): Map<string, JsonObject> | undefined {
  const named = list.flatMap((item) =>
    isObject(item) && typeof item['name'] === 'string' ? [[item['name'], item] as const] : [],
  );
  return named.length === list.length ? new Map(named) : undefined;
}
