import { InvalidInput } from '../base/errors.ts';
import { describeRef, refOf } from '../kubernetes/object.ts';
import { restartAnnotation } from '../manifests/config-hash.ts';
import { customKindOf } from '../manifests/custom-kinds.ts';
import { canRunTwice, keepsItsPods } from '../manifests/kinds.ts';
import { isCustomWorkload } from '../manifests/pod-template.ts';
import type { ConfigEffect } from '../apply/config-change.ts';
import { changesPods } from '../apply/preflight.ts';
import { trackLabel, isService, selectorOf } from '../traffic/services.ts';
import { bothSides } from './blue-green/own-sides.ts';
import type { Prepared } from '../apply/prepared.ts';

/** @throws InvalidInput for a workload that cannot run in two versions side by side */
export function refuseUnfit(prepared: readonly Prepared[], strategy: 'canary' | 'blue-green'): void {
  const unfit = prepared.find(isUnfit);
  if (unfit === undefined) return;
  const because = unfit.config?.state === 'renewed' ? `, because it reads ${readsOf(unfit.config)}` : '';
  throw new InvalidInput(
    `${describeRef(refOf(unfit.manifest.object))} would get new pods${because}, which the strategy "${strategy}" cannot do`,
    {
      location: unfit.manifest.source.locate([]),
      hint: `Its pods have their own names, storage or nodes. Deploy it with the strategy "rolling", as its own release${because === '' ? '' : `; or, if it reloads its config by itself, give it the annotation "${restartAnnotation}" with the value "false"`}.`,
    },
  );
}

/**
 * Call where there is no Deployment of which the strategy could try a new version: all else is rolled out at once.
 * @throws InvalidInput for a custom resource that would get new pods
 */
export function refuseCustom(prepared: readonly Prepared[], strategy: 'canary' | 'blue-green'): void {
  const unfit = prepared.find(isCustomUnfit);
  if (unfit === undefined) return;
  const { object, source } = unfit.manifest;
  const { triesBy } = customKindOf(object) ?? {};
  const own =
    triesBy === undefined
      ? ': its own controller replaces the pods'
      : `; to try a version first, use its own "${triesBy}"`;
  throw new InvalidInput(
    `${describeRef(refOf(object))} would get new pods, but the strategy "${strategy}" works with Deployments only`,
    { location: source.locate([]), hint: `Deploy it with the strategy "rolling"${own}.` },
  );
}

/** What gets new pods past the strategy where an earlier version is brought back, which nobody tries first; a sentence for each. */
export function describeReplacedInPlace(prepared: readonly Prepared[]): string[] {
  return prepared
    .filter((entry) => isUnfit(entry) || isCustomUnfit(entry))
    .map(
      ({ manifest }) =>
        `${describeRef(refOf(manifest.object))} has no second side: its pods are replaced in place, by its own update strategy`,
    );
}

function isUnfit(entry: Prepared): boolean {
  return !canRunTwice(entry.manifest.object) && changesPods(entry);
}

function isCustomUnfit(entry: Prepared): boolean {
  const { object } = entry.manifest;
  return isCustomWorkload(object) && keepsItsPods(object) && changesPods(entry);
}

function readsOf({ reads }: ConfigEffect): string {
  return reads.length === 0 ? 'different config than it started with' : `${reads.join(' and ')} of this release`;
}

/**
 * What is made beside the user's own may be called like something that is there already.
 * @param what what it is to be: `candidate`
 */
export function refuseForeign(prepared: readonly Prepared[], what: string): void {
  const foreign = prepared.find(({ live }) => live !== undefined && live.metadata.labels?.[trackLabel] === undefined);
  if (foreign === undefined) return;
  throw new InvalidInput(
    `the ${what} should be called ${describeRef(refOf(foreign.manifest.object))}, but one exists that this action did not create`,
    { hint: 'Delete it if it is no longer needed, or rename it.' },
  );
}

/**
 * A Service that a blue-green deploy has bound to one side would send requests to the old pods whatever the other
 * strategies do to the new ones. One that a killed promotion has left bound to its candidate is let go when that is undone.
 * @throws InvalidInput
 */
export function refusePinned(prepared: readonly Prepared[], strategy: 'rolling' | 'canary'): void {
  const pinned = prepared.find(
    ({ manifest, live }) =>
      live !== undefined &&
      isService(live) &&
      bothSides.some((side) => selectorOf(live)[trackLabel] === side) &&
      !(trackLabel in selectorOf(manifest.object)),
  );
  if (pinned === undefined) return;
  const ref = describeRef(refOf(pinned.manifest.object));
  throw new InvalidInput(
    `${ref} sends its requests to the ${selectorOf(pinned.live ?? pinned.manifest.object)[trackLabel] ?? ''} side of a blue-green deploy, which the strategy "${strategy}" would not change`,
    {
      location: pinned.manifest.source.locate(['spec', 'selector']),
      hint: `Deploy with "strategy: blue-green". To stop using it, deploy until the blue side serves, then remove "${trackLabel}" from the selector of the Service and delete the Deployments named "-green".`,
    },
  );
}
