import { InvalidInput } from '../base/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { variantOf } from '../manifests/variants.ts';
import { listRevisions, liveRevision } from '../release/revision.ts';
import {
  checkSides,
  otherSide,
  refsOfOwnSides,
  servingOwnSide,
  type Side,
} from '../strategies/blue-green/own-sides.ts';
import { chooseSide } from '../strategies/blue-green/turns.ts';
import type { StrategyName } from '../strategies/traits.ts';
import { servicesIn } from '../traffic/services.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import { readJournal } from '../release/journal.ts';
import { isHalfDone, leftoverIn } from '../release/leftover.ts';

interface TurnOptions extends Required<ChangeOptions> {
  imageTag?: string;
  images: readonly string[];
}

export interface Turn {
  /** With those of the side that is to serve. */
  manifests: Manifest[];
  /** What the files of the other side hold. */
  idle: KubernetesObject[];
  /** As `manifests`, with those of the other side instead. */
  others: Manifest[];
  /** A run is at work, or a dead one has left something half done: which side is to serve holds only once that is settled. */
  isHalfDone: boolean;
}

/**
 * Decides which of the user's own sides a deploy brings in, from what serves and what is recorded.
 * @param shared manifests of both sides
 * @throws InvalidInput for sides that do not fit each other
 */
export async function takeTurn(
  context: Context,
  options: TurnOptions,
  shared: readonly Manifest[],
  variants: readonly Manifest[],
): Promise<Turn> {
  const { client, reporter } = context;
  const { namespace, release, imageTag, images } = options;
  const of = (side: Side) => variants.filter((manifest) => variantOf(manifest) === side);
  const sides = { blue: of('blue'), green: of('green') };
  checkSides(sides);
  const objects = variants.map(({ object }) => object);
  const [journal, services, revisions, found] = await Promise.all([
    readJournal(client, namespace, release),
    servicesIn(client, namespace),
    listRevisions(client, namespace, release),
    Promise.all(refsOfOwnSides(objects).map((ref) => client.read(ref))),
  ]);
  const halfDone = isHalfDone(leftoverIn(journal, revisions));
  const live = byKey(found.filter((object) => object !== undefined));
  const last = liveRevision(revisions);
  const workload = objects.find(isDeployment);
  const side = chooseSide({
    // What is half done says nothing of which side serves once it is undone, and both may for a while.
    serving: halfDone ? undefined : workload && servingOwnSide(workload, live, services),
    shared,
    sides,
    ...(last?.idle === undefined ? {} : { recorded: byKey([...last.objects, ...last.idle]) }),
    live,
    imagesGiven: imageTag !== undefined || images.length > 0,
  });
  const idle = sides[otherSide(side)].map(({ object }) => object);
  const names = namesOf(sides[side].map(({ object }) => object));
  reporter.info(`${names} is the next live side${idle.length === 0 ? '' : `; ${namesOf(idle)} is left as it is`}`);
  const others = [...shared, ...sides[otherSide(side)]];
  return { manifests: [...shared, ...sides[side]], idle, others, isHalfDone: halfDone };
}

function namesOf(objects: readonly KubernetesObject[]): string {
  return objects
    .filter(isDeployment)
    .map(({ metadata }) => metadata.name)
    .join(', ');
}

/**
 * Where two sides take turns, their Services go by what the turn is. Another strategy leaves the sides' files out and would
 * apply the Services as they are written: to a side that has no pods, perhaps.
 * @param left manifests that the strategy leaves out
 * @throws InvalidInput when the release is deployed in these sides
 */
export async function refuseOtherStrategy(
  { client }: Context,
  { namespace, release, strategy }: { namespace: string; release: string; strategy: StrategyName },
  left: readonly Manifest[],
): Promise<void> {
  const side = left.find(
    (manifest) => isDeployment(manifest.object) && ['blue', 'green'].includes(variantOf(manifest) ?? ''),
  );
  if (side === undefined || liveRevision(await listRevisions(client, namespace, release))?.idle === undefined) return;
  throw new InvalidInput(
    `release "${release}" has a blue and a green side, and the strategy "${strategy}" would leave out ${describeRef(refOf(side.object))}`,
    {
      location: side.source.locate([]),
      hint: 'Deploy with "strategy: blue-green". To stop using it, remove the files of both sides, and put the Deployment that should serve and its Service into files without "-blue" or "-green" in their names.',
    },
  );
}

function byKey(objects: readonly KubernetesObject[]): Map<string, KubernetesObject> {
  return new Map(objects.map((object) => [keyOf(refOf(object)), object]));
}
