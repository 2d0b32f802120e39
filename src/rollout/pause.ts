import { InvalidInput } from '../base/errors.ts';
import { at, booleanAt, isObject, numberAt, stringAt, type Json } from '../base/json.ts';
import { longestReason } from '../base/reason.ts';
import { describeRef, refOf, type KubernetesObject, type ManagedFieldsEntry } from '../kubernetes/object.ts';
import { canBePaused } from '../manifests/kinds.ts';

/** Who has paused a Deployment with the command `pause`: JSON, for the texts of later runs. */
export const pausedByAnnotation = 'gke-rollout/paused-by';

/** Owner of `spec.paused` where our command has set it. */
export const pauseManager = 'gke-rollout-pause';

/** Owners of what a manifest says: ours (release/field-manager.ts) and that of `kubectl apply`. */
const manifestManagers: readonly string[] = ['gke-rollout', 'kubectl-client-side-apply'];

/** Who has set `spec.paused`, as far as the object tells. */
interface Pauser {
  actor?: string;
  /** Why, as the input `reason` says. */
  reason?: string;
  /** The URL of the run. */
  run?: string;
  /** Where it was no run of ours: who wrote the field, as `metadata.managedFields` has it. */
  manager?: string;
  /** ISO 8601. */
  at?: string;
}

export function isPaused(object: KubernetesObject | undefined): boolean {
  return object !== undefined && canBePaused(object) && booleanAt(object, 'spec', 'paused') === true;
}

/**
 * Whether a pause keeps a Deployment's pods from being what it asks for. The number of pods follows also while it is paused
 * (kubernetes pkg/controller/deployment/sync.go), and pods that are not ready are no matter of the pause.
 */
export function isHeldBack(object: KubernetesObject): boolean {
  if (!isPaused(object)) return false;
  if ((numberAt(object, 'status', 'observedGeneration') ?? 0) < (object.metadata.generation ?? 0)) return true;
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const existing = numberAt(object, 'status', 'replicas') ?? 0;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  return updated < wanted || existing > updated;
}

/** The value of the annotation. */
export function pauseNote(
  { actor, url, reason }: { actor?: string; url?: string; reason?: string },
  now: number,
): string {
  const pauser: Pauser = {
    ...(actor === undefined ? {} : { actor }),
    ...(url === undefined ? {} : { run: url }),
    at: new Date(now).toISOString(),
    ...(reason === undefined ? {} : { reason }),
  };
  return JSON.stringify(pauser);
}

/**
 * Who has paused a Deployment; undefined where nobody has, or nothing is known of it. The annotation counts only while our
 * command still owns the field: somebody may have resumed and paused it since.
 */
function pauserOf(object: KubernetesObject): Pauser | undefined {
  const entry = ownerOfPause(object);
  if (!isPaused(object) || entry === undefined) return undefined;
  const noted =
    entry.manager === pauseManager ? readNote(object.metadata.annotations?.[pausedByAnnotation]) : undefined;
  return noted ?? { manager: entry.manager, ...(entry.time === undefined ? {} : { at: entry.time }) };
}

/** `by octocat (https://…/runs/1) at 2026-11-29T00:30:00Z: load test`; with nothing known, `by somebody`. */
export function pausedBy(object: KubernetesObject): string {
  const pauser = pauserOf(object);
  if (pauser === undefined) return 'by somebody';
  if (isPausedByManifest(object)) return 'by its manifest';
  const { actor, run, reason, manager = 'a run of this action' } = pauser;
  const time = pauser.at === undefined ? '' : ` at ${pauser.at.replace(/\.\d+Z$/, 'Z')}`;
  const since = reason === undefined ? time : `${time}: "${reason}"`;
  if (actor === undefined) return `by ${run ?? manager}${since}`;
  return run === undefined ? `by ${actor}${since}` : `by ${actor} (${run})${since}`;
}

/** Whether it is a manifest that says so: nobody has stopped a rollout. */
export function isPausedByManifest(object: KubernetesObject): boolean {
  return isPaused(object) && manifestManagers.includes(ownerOfPause(object)?.manager ?? '');
}

/** How many pods have the version that a Deployment asks for: `1 of 3 pods updated`. */
export function updatedPods(object: KubernetesObject): string {
  const wanted = numberAt(object, 'spec', 'replicas') ?? 1;
  const updated = numberAt(object, 'status', 'updatedReplicas') ?? 0;
  return `${updated} of ${wanted === 1 ? '1 pod' : `${wanted} pods`} updated`;
}

/** The entry of `managedFields` that owns `spec.paused`. */
export function ownerOfPause(object: KubernetesObject): ManagedFieldsEntry | undefined {
  return object.metadata.managedFields?.find((entry) => at(entry.fieldsV1, 'f:spec', 'f:paused') !== undefined);
}

function readNote(text: string | undefined): Pauser | undefined {
  if (text === undefined) return undefined;
  try {
    const note = JSON.parse(text) as Json;
    if (!isObject(note)) return undefined;
    const [actor, run, time, reason] = ['actor', 'run', 'at', 'reason'].map((key) => stringAt(note, key));
    return {
      ...(actor === undefined ? {} : { actor }),
      ...(run === undefined ? {} : { run }),
      ...(time === undefined ? {} : { at: time }),
      // Anybody may have written it.
      ...(reason === undefined ? {} : { reason: reason.slice(0, 2 * longestReason) }),
    };
  } catch {
    return undefined;
  }
}

/** What to do about a Deployment that somebody has paused. */
const resumeHint =
  'Run the command "resume" (or kubectl rollout resume) first, or "rollback" to go back, which resumes it too.';

/** What the user reads of a Deployment that is paused and would have to change its pods. */
export function pausedError(object: KubernetesObject): InvalidInput {
  return new InvalidInput(
    `${describeRef(refOf(object), true)} is paused ${pausedBy(object)}, so its pods would not change`,
    { hint: resumeHint },
  );
}
