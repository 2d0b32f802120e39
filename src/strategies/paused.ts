import { InvalidInput } from '../base/errors.ts';
import { booleanAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { changesPods } from '../apply/preflight.ts';
import { isHeldBack, isPaused, pausedError } from '../rollout/pause.ts';
import type { Prepared } from '../apply/prepared.ts';

/**
 * Somebody has paused a Deployment on purpose, and no pod of it would change whatever is applied (kubernetes/website#28884).
 * One whose manifest says so is meant to be paused.
 * @throws InvalidInput when one of these would need new pods, or still does
 */
export function refusePaused(prepared: readonly Prepared[]): void {
  const paused = prepared.find((entry) => staysPaused(entry) && (changesPods(entry) || isHeld(entry)));
  if (paused?.live === undefined) return;
  throw pausedError(paused.live);
}

/**
 * What is brought up beside the version that serves would have no pods at all.
 * @throws InvalidInput for a manifest that says paused, and whose pods would change
 */
export function refusePausedManifest(prepared: readonly Prepared[], strategy: 'canary' | 'blue-green'): void {
  const paused = prepared.find((entry) => saysPaused(entry.manifest.object) && changesPods(entry));
  if (paused === undefined) return;
  const { object, source } = paused.manifest;
  throw new InvalidInput(
    `${describeRef(refOf(object))} says "paused: true", with which the strategy "${strategy}" gets no pods of the new version`,
    {
      location: source.locate(['spec', 'paused']),
      hint: 'Remove it, or deploy with "strategy: rolling", which applies it and leaves the pods as they are.',
    },
  );
}

/** Whether a Deployment that is paused is so after the apply, though its manifest does not say it. */
function staysPaused({ manifest, live, predicted, claims = [] }: Prepared): boolean {
  const isResumed = claims.some((path) => path.join('.') === 'spec.paused');
  return (
    live !== undefined && isPaused(live) && !saysPaused(manifest.object) && !isResumed && isPaused(predicted ?? live)
  );
}

function isHeld({ live }: Prepared): boolean {
  return live !== undefined && isHeldBack(live);
}

function saysPaused(object: KubernetesObject): boolean {
  return object.kind === 'Deployment' && booleanAt(object, 'spec', 'paused') === true;
}
