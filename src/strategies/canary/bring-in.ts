import { keyOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import type { Prepared } from '../../apply/prepared.ts';
import { stage, type Decision, type PlanContext, type Stage } from '../../plan/plan.ts';
import type { Apply, Step } from '../../plan/step.ts';
import type { ReplicaShare } from '../../traffic/replica-share.ts';
import { servicesIn } from '../../traffic/services.ts';
import { podsTo, withPods } from '../numbers.ts';
import { podsOf } from '../../manifests/pod-template.ts';
import { behindWhich, inEach } from './neighbours.ts';
import { shareOf, type CanaryOptions, type Pair } from './pairs.ts';

/** What comes in beside the stable version. */
interface Arrival {
  pairs: readonly Pair[];
  /** All that only the candidate needs: copies of config, candidates. */
  temporary: readonly Prepared[];
  /** Stable pods make room first. */
  inPlace: boolean;
}

/** Which step of a canary it is. */
interface StepPlace {
  percent: number;
  /** From 1 on. */
  number: number;
  of: number;
}

/** What a step of a canary goes by, read when it begins: an autoscaler may have changed numbers since the one before. */
interface StepWorld {
  /** Pods of each pair. */
  pods: readonly { stable: number; candidate: number }[];
  services: readonly KubernetesObject[];
}

/** One stage for each step of a canary. */
export function canaryStages(arrival: Arrival, options: CanaryOptions): Stage[] {
  return options.steps.map((percent, index) =>
    stage(
      async (context) => await lookAtNumbers(context, arrival.pairs),
      (world) => decideStep(arrival, { percent, number: index + 1, of: options.steps.length }, world, options),
    ),
  );
}

async function lookAtNumbers(context: PlanContext, pairs: readonly Pair[]): Promise<StepWorld> {
  const { client } = context;
  const stable = pairs.map(({ live }) => live);
  const [pods, services] = await Promise.all([
    Promise.all(
      pairs.map(async ({ live, candidate }) => {
        const [now, beside] = await Promise.all([client.read(refOf(live)), client.read(refOf(candidate.object))]);
        return { stable: podsOf(now ?? live), candidate: beside === undefined ? 0 : podsOf(beside) };
      }),
    ),
    inEach(context, stable, servicesIn),
  ]);
  return { pods, services };
}

/**
 * Brings the share of the requests that the candidate gets to so many percent, watches it, and carries the checks out. Where all
 * places are taken, stable pods go before those of the candidate come; otherwise afterwards.
 */
export function decideStep(
  arrival: Arrival,
  { percent, number, of }: StepPlace,
  world: StepWorld,
  options: CanaryOptions,
): Decision {
  const { pairs, inPlace } = arrival;
  const isFirst = number === 1;
  const heading = `step ${number} of ${of}: ${percent} %`;
  const shares = pairs.map((_, index) => {
    const { stable, candidate } = world.pods[index] ?? { stable: 1, candidate: 0 };
    return shareOf(options.constantTotal && !isFirst ? stable + candidate : stable, percent, options);
  });
  const makeRoom: Step = {
    do: 'set',
    title: `Scale the stable version down to its share, so the total stays the same`,
    fields: pairs.map(({ live }, index) => podsTo(refOf(live), shares[index]?.stable ?? 1)),
    until: 'ready',
  };
  const bringIn = bringInAt(arrival, shares, { percent, isFirst });
  const write = !options.constantTotal ? [bringIn] : inPlace ? [makeRoom, bringIn] : [bringIn, makeRoom];
  const services = new Set(pairs.flatMap(({ live }) => behindWhich(world.services, live)));
  return {
    heading,
    steps: [
      ...write,
      { do: 'route', title: 'Wait until requests reach the candidate', services: [...services].map(refOf) },
      {
        do: 'hold',
        title: 'Observe the candidate',
        meanwhile: heading,
        objects: arrival.temporary.map(({ manifest }) => refOf(manifest.object)),
        forMs: options.stepDurationMs,
      },
      ...pairs.map(({ live, candidate }): Step => ({
        do: 'verify',
        title: `Verify ${candidate.object.metadata.name} at ${percent} %`,
        of: { stable: refOf(live), candidate: refOf(candidate.object), percent },
      })),
    ],
  };
}

function bringInAt(
  { pairs, temporary }: Arrival,
  shares: readonly ReplicaShare[],
  { percent, isFirst }: { percent: number; isFirst: boolean },
): Apply {
  const wanted = new Map(
    pairs.map(({ candidate }, index) => [keyOf(refOf(candidate.object)), shares[index]?.candidate ?? 1]),
  );
  const objects = temporary.map(({ manifest }): Manifest => {
    const replicas = wanted.get(keyOf(refOf(manifest.object)));
    return replicas === undefined || podsOf(manifest.object) === replicas ? manifest : withPods(manifest, replicas);
  });
  const names = pairs.map(({ candidate }, index) => {
    const pods = shares[index]?.candidate ?? 1;
    return `${candidate.object.metadata.name} with ${pods === 1 ? '1 pod' : `${pods} pods`}`;
  });
  return {
    do: 'apply',
    title: `Roll out ${names.join(', ')}: ${percent} % of the requests`,
    objects,
    // What the first step has written is not as it was compared any more.
    ...(isFirst ? { compared: temporary } : {}),
  };
}
