import { basename } from 'node:path';

import { InvalidInput } from '../base/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from './manifest.ts';
import { isDeployment } from './kinds.ts';
import { imagesOf, writeImage } from './pod-template.ts';

export type VariantName = 'canary' | 'blue' | 'green';

/** `web-canary.yaml`, `web-canary.v2.yaml`: manifests of one strategy only. */
const variant = /-(?<name>canary|blue|green)\./;

/** Whether an object is named like one of two sides: `web-blue`, `web-green`. */
export function isNamedLikeASide({ metadata: { name } }: KubernetesObject): boolean {
  return /-(?:blue|green)$/.test(name);
}

/** Of which variant a manifest is by the name of its file; undefined for all strategies' own. */
export function variantOf({ source }: Manifest): VariantName | undefined {
  return variant.exec(basename(source.file))?.groups?.['name'] as VariantName | undefined;
}

/** Parts the manifests into those that a strategy with these variants takes and those that are meant for another one. */
export function selectVariants(
  manifests: readonly Manifest[],
  variants: readonly VariantName[],
): { taken: Manifest[]; left: Manifest[] } {
  const isTaken = (manifest: Manifest) => {
    const name = variantOf(manifest);
    return name === undefined || variants.includes(name);
  };
  return { taken: manifests.filter(isTaken), left: manifests.filter((manifest) => !isTaken(manifest)) };
}

/** The user's own candidate for a Deployment: one of its name with `-canary` at the end. */
export function canaryVariantOf({ object }: Manifest, variants: readonly Manifest[]): Manifest | undefined {
  const { kind, metadata } = object;
  return variants.find(
    (variant) => variant.object.kind === kind && variant.object.metadata.name === `${metadata.name}-canary`,
  );
}

/**
 * Lets stable Deployments have the images of the user's own candidates, in place: what is promoted is what was tried.
 * @throws InvalidInput for a candidate that belongs to none
 */
export function matchVariants(manifests: readonly Manifest[], variants: readonly Manifest[]): void {
  const deployments = manifests.filter(({ object }) => isDeployment(object));
  for (const variant of variants.filter(({ object }) => isDeployment(object))) {
    const stable = deployments.find((manifest) => canaryVariantOf(manifest, [variant]) !== undefined);
    if (stable === undefined) {
      throw new InvalidInput(`${describeRef(refOf(variant.object))} has no Deployment to be a candidate of`, {
        location: variant.source.locate(['metadata', 'name']),
        hint: 'Add the manifest of its Deployment, and give it the same name with "-canary" at the end.',
      });
    }
    adoptImages(stable, variant);
  }
}

/** Gives the containers and volumes of one workload the images of the other's of the same name. */
function adoptImages(workload: Manifest, from: Manifest): void {
  const images = new Map(imagesOf(from.object).map(({ name, image }) => [name, image]));
  for (const place of imagesOf(workload.object)) {
    const image = images.get(place.name);
    if (image !== undefined) writeImage(place, image);
  }
}
