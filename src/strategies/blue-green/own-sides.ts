import { InvalidInput } from '../../base/errors.ts';
import { numberAt, stringsAt } from '../../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import { isDeployment } from '../../manifests/kinds.ts';
import { templateLabels } from '../../traffic/pods.ts';
import { isPreview, selectorOf, selects, type Labels } from '../../traffic/services.ts';

/** One of two Deployments that take turns. */
export type Side = 'blue' | 'green';

export const bothSides: readonly Side[] = ['blue', 'green'];

export function otherSide(side: Side): Side {
  return side === 'blue' ? 'green' : 'blue';
}

/** Objects by their keys. */
export type Objects = ReadonlyMap<string, KubernetesObject>;

/** Where the user has written both sides: the one that the manifests hold, and the labels by which Services tell them apart. */
export interface OwnSide {
  side: Side;
  /** Empty as long as there is only one side. */
  labels: Readonly<Record<Side, Labels>>;
}

/** Of which side an object is by its name: `web-blue`, `web-green`. */
export function sideOfName({ metadata: { name } }: KubernetesObject): Side | undefined {
  return bothSides.find((side) => name.endsWith(`-${side}`));
}

/** Where an object of one of the user's sides is on a side. */
export function refOnOwn(side: Side, object: KubernetesObject): ObjectRef {
  const ref = refOf(object);
  return { ...ref, name: ref.name.replace(/-(?:blue|green)$/, `-${side}`) };
}

/** Where Deployments of the user's sides may run: each place once. */
export function refsOfOwnSides(objects: readonly KubernetesObject[]): ObjectRef[] {
  const refs = objects
    .filter((object) => isDeployment(object) && sideOfName(object) !== undefined)
    .flatMap((object) => bothSides.map((side) => refOnOwn(side, object)));
  return [...new Map(refs.map((ref) => [keyOf(ref), ref])).values()];
}

/** Of labels, those with these keys. */
export function only(labels: Labels, keys: readonly string[]): Labels {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => keys.includes(key)));
}

/**
 * How a Deployment of the user's takes turns with the other one.
 * @param live the Deployments of both sides as they are
 * @throws InvalidInput when Services could not tell their pods apart
 */
export function ownSideOf({ object, source }: Manifest, live: Objects): OwnSide | undefined {
  const side = sideOfName(object);
  if (side === undefined) return undefined;
  const twin = live.get(keyOf(refOnOwn(otherSide(side), object)));
  if (twin === undefined) return { side, labels: { blue: {}, green: {} } };
  const labels = { [side]: templateLabels(object), [otherSide(side)]: templateLabels(twin) } as Record<Side, Labels>;
  const keys = Object.keys(labels.blue).filter(
    (key) => Object.hasOwn(labels.green, key) && labels.green[key] !== labels.blue[key],
  );
  if (keys.length === 0) {
    throw new InvalidInput(`${describeRef(refOf(object))} and "${twin.metadata.name}" have pods with the same labels`, {
      location: source.locate(['spec', 'template', 'metadata', 'labels']),
      hint: 'Give both pod templates a label such as "version" with a different value on each side, so a Service can tell them apart.',
    });
  }
  return { side, labels: { blue: only(labels.blue, keys), green: only(labels.green, keys) } };
}

/**
 * Which of two sides gets the requests now; undefined when neither does.
 * @throws InvalidInput when both do
 */
export function servingOwnSide(
  workload: KubernetesObject,
  live: Objects,
  services: readonly KubernetesObject[],
): Side | undefined {
  const liveOn = (side: Side) => live.get(keyOf(refOnOwn(side, workload)));
  const leads = services
    .filter((service) => sideOfName(service) === undefined && !isPreview(service))
    .map((service) => ({ service, to: bothSides.filter((side) => leadsTo(service, liveOn(side))) }));
  const bound = new Set(leads.flatMap(({ to }) => (to.length === 1 ? to : [])));
  const [only] = bound;
  if (only !== undefined && bound.size === 1) return only;
  const running = bothSides.filter((side) => (numberAt(liveOn(side), 'spec', 'replicas') ?? 0) > 0);
  const loose = leads.find(({ to }) => to.length === 2);
  if (running.length < 2 || (bound.size === 0 && loose === undefined)) return running[0];
  const which =
    loose === undefined
      ? 'some Services send their requests to one side, and some to the other'
      : `${describeRef(refOf(loose.service))} sends its requests to both sides`;
  throw new InvalidInput(`it is not clear which side of ${describeRef(refOf(workload))} serves: ${which}`, {
    hint: 'Pin the Service to one of them first, by the label that tells their pods apart.',
  });
}

function leadsTo(service: KubernetesObject, deployment: KubernetesObject | undefined): boolean {
  return deployment !== undefined && selects(selectorOf(service), templateLabels(deployment));
}

/**
 * That the files of the sides hold what their names say, and each what the other one does.
 * @throws InvalidInput
 */
export function checkSides(sides: Readonly<Record<Side, readonly Manifest[]>>): void {
  const [first] = [...sides.blue, ...sides.green];
  if (first !== undefined && !bothSides.some((side) => sides[side].some(({ object }) => isDeployment(object)))) {
    throw new InvalidInput(`${describeRef(refOf(first.object))} is in a file of one side, but no Deployment is`, {
      location: first.source.locate([]),
      hint: 'Put the Deployments of both sides into such files, or remove "-blue" or "-green" from the name of this one.',
    });
  }
  for (const side of bothSides) {
    for (const manifest of sides[side].filter(({ object }) => isDeployment(object))) {
      checkName(manifest, side);
      const twin = refOnOwn(otherSide(side), manifest.object);
      const other = sides[otherSide(side)].find(({ object }) => keyOf(refOf(object)) === keyOf(twin));
      if (other !== undefined) checkSelector(manifest, other);
      else if (sides[otherSide(side)].length > 0) {
        throw new InvalidInput(`${describeRef(refOf(manifest.object))} has no other side`, {
          location: manifest.source.locate(['metadata', 'name']),
          hint: `The files of the ${otherSide(side)} side have no Deployment "${twin.name}". Sides change together: give each the same Deployments.`,
        });
      }
    }
  }
}

/** Two sides in files that do not say so would be taken for two applications. @throws InvalidInput */
export function refuseUnnamedSides(manifests: readonly Manifest[]): void {
  const deployments = manifests.filter(({ object }) => isDeployment(object));
  const keys = new Set(deployments.map(({ object }) => keyOf(refOf(object))));
  const green = deployments.find(
    ({ object }) => sideOfName(object) === 'green' && keys.has(keyOf(refOnOwn('blue', object))),
  );
  if (green === undefined) return;
  const { name } = green.object.metadata;
  throw new InvalidInput(
    `Deployments "${refOnOwn('blue', green.object).name}" and "${name}" look like two sides, but their files do not say so`,
    {
      location: green.source.locate(['metadata', 'name']),
      hint: 'Put each into a file of its own whose name ends with "-blue.yaml" or "-green.yaml", so that they alternate.',
    },
  );
}

function checkName({ object, source }: Manifest, side: Side): void {
  if (sideOfName(object) === side) return;
  throw new InvalidInput(`${describeRef(refOf(object))} is in a file of the ${side} side but is not named after it`, {
    location: source.locate(['metadata', 'name']),
    hint: `Call it "${object.metadata.name}-${side}". Or use a single Deployment, in a file without "-blue" or "-green" in its name: the other side is created from it.`,
  });
}

/** Two Deployments that select each other's pods fight for them. */
function checkSelector({ object, source }: Manifest, other: Manifest): void {
  if (!selects(stringsAt(object, 'spec', 'selector', 'matchLabels'), templateLabels(other.object))) return;
  throw new InvalidInput(`${describeRef(refOf(object))} selects the pods of "${other.object.metadata.name}" too`, {
    location: source.locate(['spec', 'selector', 'matchLabels']),
    hint: 'Add a label to its selector and its pod template that has a different value on the other side.',
  });
}
