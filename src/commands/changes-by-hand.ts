import { formatFieldPath } from '../kubernetes/field-path.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { at, isObject, ownValue, stringAt, type Json, type Path } from '../base/json.ts';
import { changedByHand, versionPaths } from '../apply/managers.ts';
import { isAsStated } from '../apply/same-value.ts';
import { hasTimeToLive } from '../apply/still-there.ts';
import { customKindOf } from '../manifests/custom-kinds.ts';
import { isConfig, runsOnce } from '../manifests/kinds.ts';
import { hasPods, podFieldsOf, podsIn } from '../manifests/pod-template.ts';
import { isService } from '../traffic/services.ts';

export interface HandChange {
  /** One sentence. */
  text: string;
  /** The key of an object that is gone as a whole. */
  deleted?: string;
}

/**
 * What somebody has changed by hand of the version that runs: values with another owner, and what was recorded that is
 * gone, or parts of it. One sentence for each object and manager.
 * @param recorded those of which it is known whether they are there
 * @param running the objects as they are, by the keys that they have in the revision
 * @param since ISO 8601, when the run of the version began: who had written before that only owns what no manifest says, such as
 * the server's defaults of an object that helm has made
 */
export function describeChangesByHand(
  recorded: readonly KubernetesObject[],
  running: ReadonlyMap<string, KubernetesObject>,
  since: string,
): HandChange[] {
  // The server keeps whole seconds.
  const from = Math.floor(Date.parse(since) / 1000) * 1000;
  return recorded.flatMap((object) => {
    const key = keyOf(refOf(object));
    const live = running.get(key);
    if (live === undefined)
      return isMissed(object) ? [{ text: `${describeRef(refOf(object))}: someone deleted it`, deleted: key }] : [];
    const paths = [...versionPaths, ...changedPlaces(object, live)];
    const later = changedByHand(live, paths).filter(({ time }) => !(Date.parse(time) < from));
    const byManager = Map.groupBy(later, ({ manager }) => manager);
    const changed = [...byManager].map(([manager, fields]) => {
      const time = fields[0]?.time ?? '';
      const names = fields.map(({ field }) => field);
      return `${describeRef(refOf(live))}: "${manager}" has changed ${shortened(names)}${time === '' ? '' : ` (${time})`}`;
    });
    const gone = paths.flatMap((path) => missing(at(object, ...path), at(live, ...path), path));
    const texts =
      gone.length === 0 ? changed : [...changed, `${describeRef(refOf(live))}: someone removed ${shortened(gone)}`];
    return texts.map((text) => ({ text }));
  });
}

/** Whether the version is another one without it: it runs pods, or decides what they answer. What may end by itself is no loss. */
function isMissed(object: KubernetesObject): boolean {
  const mayEnd = runsOnce(object) || customKindOf(object)?.ends === true || hasTimeToLive(object);
  const endsItself = object.kind === 'Pod' && (stringAt(object, 'spec', 'restartPolicy') ?? 'Always') !== 'Always';
  return !mayEnd && !endsItself && (hasPods(object) || isConfig(object) || isService(object));
}

/**
 * Where a custom resource has pods, or their image, that are not as they were recorded; of a list the path of the whole. What is
 * only added there, a rollback leaves to who has added it.
 */
function changedPlaces(recorded: KubernetesObject, live: KubernetesObject): string[][] {
  const kind = customKindOf(recorded);
  if (kind === undefined) return [];
  const { image = [] } = kind;
  const places: { stated: Json | undefined; path: Path }[] = [
    ...podsIn(recorded).map(({ spec, path }) => ({ stated: podFieldsOf(spec), path })),
    ...(image.length === 0 ? [] : [{ stated: at(recorded, ...image), path: image }]),
  ];
  const changed = places.filter(({ stated, path }) => !isAsStated(stated, at(live, ...path), path));
  const paths = changed.map(({ path }) => {
    const index = path.findIndex((step) => typeof step === 'number');
    return path.slice(0, index === -1 ? path.length : index).map(String);
  });
  const isKnown = (path: Path) => versionPaths.some((known) => known.every((step, index) => path[index] === step));
  return [...new Map(paths.map((path) => [path.join('.'), path])).values()].filter((path) => !isKnown(path));
}

const shownFields = 4;

function shortened(names: readonly string[]): string {
  const shown = names.slice(0, shownFields).join(', ');
  return names.length > shownFields ? `${shown} and ${names.length - shownFields} more` : shown;
}

/** Where the live value lacks what the recorded one has: keys of maps, and entries of lists that have names. */
function missing(recorded: Json | undefined, live: Json | undefined, path: Path): string[] {
  if (isEmpty(recorded)) return [];
  if (live === undefined) return [formatFieldPath(path)];
  if (isObject(recorded) && isObject(live)) {
    return Object.entries(recorded).flatMap(([key, value]) => missing(value, ownValue(live, key), [...path, key]));
  }
  if (!Array.isArray(recorded) || !Array.isArray(live)) return [];
  return recorded.flatMap((item) => {
    const name = isObject(item) ? item['name'] : undefined;
    if (typeof name !== 'string') return [];
    return missing(
      item,
      live.find((other) => isObject(other) && other['name'] === name),
      [...path, name],
    );
  });
}

/** What the server does not keep. */
function isEmpty(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.keys(value).length === 0 : !value;
}
