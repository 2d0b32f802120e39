import { at, booleanAt, isObject, stringAt, type Json } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';

/** Written by the command `pause`: JSON with the actor, the run and the time. */
const pausedByAnnotation = 'gke-rollout/paused-by';

/** `Deployment "web" is paused by octocat (https://…) since …: run "resume" to let it go on`; undefined when it is not. */
export function describePause(object: KubernetesObject): string | undefined {
  if (object.kind !== 'Deployment' || booleanAt(object, 'spec', 'paused') !== true) return undefined;
  const owner = object.metadata.managedFields?.find((entry) => at(entry.fieldsV1, 'f:spec', 'f:paused') !== undefined);
  const note = noteOf(object.metadata.annotations?.[pausedByAnnotation]);
  const who = note?.who ?? owner?.manager;
  const since = note?.since ?? owner?.time;
  const by = `${who === undefined ? '' : ` by ${who}`}${since === undefined ? '' : ` since ${since}`}`;
  return `${describeRef(refOf(object))} is paused${by}: run "resume" to let it go on`;
}

function noteOf(text: string | undefined): { who: string | undefined; since: string | undefined } | undefined {
  if (text === undefined) return undefined;
  try {
    const note = JSON.parse(text) as Json;
    if (!isObject(note)) return { who: text, since: undefined };
    const [actor, run, since] = ['actor', 'run', 'at'].map((key) => stringAt(note, key));
    return { who: actor === undefined || run === undefined ? (actor ?? run) : `${actor} (${run})`, since };
  } catch {
    return { who: text, since: undefined };
  }
}
