import { InvalidInput } from '../../base/errors.ts';
import { equal, objectAt, type Json } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { isConfig, isDeployment } from '../../manifests/kinds.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { imagesOf } from '../../manifests/pod-template.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { isService, selectorOf, selects } from '../../traffic/services.ts';
import { bothSides, otherSide, sideOfName, type Objects, type Side } from './own-sides.ts';

/** What decides which of the user's own sides a deploy brings in. */
export interface Facts {
  /** Which side gets the requests now. */
  serving: Side | undefined;
  /** The manifests of both. */
  shared: readonly Manifest[];
  sides: Readonly<Record<Side, readonly Manifest[]>>;
  /** What the live revision has recorded of both sides, if it has. */
  recorded?: Objects;
  /** The Deployments as they are. */
  live: Objects;
  /** Whether an input says which images are meant; otherwise the manifests do. */
  imagesGiven: boolean;
}

/**
 * The side that is to serve: the only one that there is a file of; the one that the manifest of a Service now selects and did
 * not before; the one at rest where its manifest is new, or where the images are. Otherwise the one that serves stays.
 * @throws InvalidInput when only the manifest of the side that serves has changed
 */
export function chooseSide(facts: Facts): Side {
  const side = sideToServe(facts);
  refuseInPlace(facts, side);
  return side;
}

function sideToServe(facts: Facts): Side {
  const { serving, sides } = facts;
  const [given, ...others] = bothSides.filter((side) => sides[side].length > 0);
  if (given !== undefined && others.length === 0) return given;
  const declared = declaredSide(
    manifestsOf(facts).map(({ object }) => object),
    sides,
  );
  if (serving === undefined) return declared ?? 'blue';
  const before = facts.recorded && declaredSide([...facts.recorded.values()], sides);
  if (declared !== undefined && declared !== serving && declared !== before) return declared;
  const idle = otherSide(serving);
  const isIdleMeant = isNew(facts, idle, facts.imagesGiven) || (facts.imagesGiven && isNew(facts, serving, false));
  return isIdleMeant ? idle : serving;
}

function manifestsOf({ shared, sides }: Facts): Manifest[] {
  // A Service that stands in the files of both sides says nothing of which one is meant.
  const keys = bothSides.map((side) => new Set(sides[side].map(({ object }) => keyOf(refOf(object)))));
  const own = [...sides.blue, ...sides.green].filter(
    ({ object }) => !keys.every((known) => known.has(keyOf(refOf(object)))),
  );
  return [...shared, ...own];
}

/** The one side whose pods Services select; undefined when they select both, or do not agree. */
function declaredSide(objects: readonly KubernetesObject[], sides: Facts['sides']): Side | undefined {
  const selected = objects
    .filter((object) => isService(object) && sideOfName(object) === undefined)
    .map((service) =>
      bothSides.filter((side) =>
        sides[side].some(({ object }) => isDeployment(object) && selects(selectorOf(service), templateLabels(object))),
      ),
    )
    .filter((found) => found.length === 1)
    .flat();
  return new Set(selected).size === 1 ? selected[0] : undefined;
}

/** Whether a side has another version than it had, as far as that is known. */
function isNew({ sides, recorded, live }: Facts, side: Side, ignoreImages: boolean): boolean {
  return sides[side].some(({ object }) => {
    const key = keyOf(refOf(object));
    if (recorded !== undefined) {
      if (!isDeployment(object) && !isConfig(object)) return false;
      const before = recorded.get(key);
      return before === undefined || !equal(versionOf(object, ignoreImages), versionOf(before, ignoreImages));
    }
    if (!isDeployment(object)) return false;
    const before = live.get(key);
    return before === undefined || (!ignoreImages && !equal(versionsOf(object), versionsOf(before)));
  });
}

/** All that makes its pods other pods. */
function versionOf(object: KubernetesObject, ignoreImages: boolean): Json {
  if (isConfig(object)) {
    const { data = null, binaryData = null, stringData = null } = object as Record<string, Json>;
    return { data, binaryData, stringData };
  }
  const copy = structuredClone(object);
  if (ignoreImages) for (const { holder, key } of imagesOf(copy)) Reflect.deleteProperty(holder, key);
  return objectAt(copy, 'spec', 'template');
}

function versionsOf(object: KubernetesObject): string[] {
  return imagesOf(object).map(({ image }) => image ?? '');
}

/** @throws InvalidInput when the side serves and has another version than it had */
function refuseInPlace(facts: Facts, side: Side): void {
  if (side !== facts.serving || facts.recorded === undefined || !isNew(facts, side, false)) return;
  const changed = facts.sides[side].find(({ object }) => isDeployment(object));
  if (changed === undefined) return;
  throw new InvalidInput(`${describeRef(refOf(changed.object))} serves, and its manifest has changed`, {
    location: changed.source.locate(['spec', 'template']),
    hint: `Write the new version into the manifest of the ${otherSide(side)} side, which is idle: that side is started, then gets the requests.`,
  });
}
