import { InvalidInput } from '../base/errors.ts';
import { isObject, numberAt, setAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { customKindOf } from './custom-kinds.ts';
import type { Manifest } from './manifest.ts';
import { trimmed } from './lines.ts';
import { isScalable } from './kinds.ts';

/** What a line of the input `replicas` asks for; without a name it is meant for the only workload there is. */
export interface ReplicaRequest {
  line: string;
  kind?: string;
  name?: string;
  replicas: number;
}

interface ReplicasChange {
  workload: ObjectRef;
  /** Undefined when the manifest leaves the number to the server or an autoscaler. */
  before: number | undefined;
  after: number;
}

/** More pods than any cluster runs: beyond it, it is a mistake. */
const most = 100_000;

/**
 * Sets `spec.replicas` in place.
 * @param lines see `parseReplicas`
 * @throws InvalidInput when a line cannot be read, fits no workload, or could mean several
 */
export function setReplicas(manifests: readonly Manifest[], lines: readonly string[]): ReplicasChange[] {
  const candidates = manifests
    .map(({ object }) => object)
    .filter((object) => isScalable(object) && isObject(object['spec']))
    .map((object) => ({ object, kind: object.kind, name: object.metadata.name }));
  const requests = parseReplicas(lines);
  refuseElsewhere(
    requests,
    manifests.map(({ object }) => object),
  );
  return matchReplicas(requests, candidates).map(({ candidate: { object }, replicas }) => {
    const before = numberAt(object, 'spec', 'replicas');
    setAt(object, ['spec', 'replicas'], replicas);
    return { workload: refOf(object), before, after: replicas };
  });
}

/**
 * Reads lines such as `5`, `web=5`, `StatefulSet/db=3`.
 * @throws InvalidInput for anything else, and for several lines of which one names no workload
 */
export function parseReplicas(lines: readonly string[]): ReplicaRequest[] {
  const requests = trimmed(lines).map((line) => {
    const match = /^(?:(?:(?<kind>[A-Za-z]+)\/)?(?<name>[a-z0-9.-]+)\s*=\s*)?(?<replicas>\d+)$/.exec(line)?.groups;
    const replicas = Number(match?.['replicas']);
    if (match === undefined || replicas > most) {
      throw new InvalidInput(`the input "replicas" has "${line}", which is not a number of pods`, {
        hint: 'Use a number such as 5, or lines such as web=5 or StatefulSet/db=3.',
      });
    }
    const { kind, name } = match;
    return { line, replicas, ...(kind === undefined ? {} : { kind }), ...(name === undefined ? {} : { name }) };
  });
  if (requests.length > 1 && requests.some((request) => request.name === undefined)) {
    throw new InvalidInput('the input "replicas" has several lines, but not all of them name a workload', {
      hint: 'Use lines such as web=5.',
    });
  }
  return requests;
}

/**
 * Custom resources that run pods and have no `spec.replicas` for them.
 * @param objects all that there are, those that can be scaled too
 * @throws InvalidInput for a request that means one of them
 */
export function refuseElsewhere(requests: readonly ReplicaRequest[], objects: readonly KubernetesObject[]): void {
  const scalable = objects.filter(isScalable);
  for (const { line, kind, name } of requests) {
    const isMeant = (object: KubernetesObject) =>
      (name === undefined || name === object.metadata.name) &&
      (kind === undefined || kind.toLowerCase() === object.kind.toLowerCase());
    const meant = scalable.some(isMeant)
      ? undefined
      : objects.find((one) => isMeant(one) && customKindOf(one) !== undefined);
    if (meant === undefined) continue;
    throw new InvalidInput(
      `the input "replicas" has "${line}", but ${describeRef(refOf(meant))} has no "spec.replicas" for its pods`,
      {
        hint: `Its number of pods is set by ${customKindOf(meant)?.numberIn ?? ''}: change that in its manifest, and deploy.`,
      },
    );
  }
}

/**
 * Which of the candidates each request means.
 * @throws InvalidInput when a request fits none or, without a name, more than one of them, and for two of one workload
 */
export function matchReplicas<T extends { kind: string; name: string }>(
  requests: readonly ReplicaRequest[],
  candidates: readonly T[],
): { candidate: T; replicas: number }[] {
  const listed =
    candidates.length === 0
      ? 'no workload here can be scaled'
      : `there are ${candidates.map(({ kind, name }) => `${kind}/${name}`).join(', ')}`;
  const taken = new Map<T, ReplicaRequest>();
  return requests.flatMap((request) => {
    const matching = candidates.filter(
      ({ kind, name }) =>
        (request.name === undefined || request.name === name) &&
        (request.kind === undefined || request.kind.toLowerCase() === kind.toLowerCase()),
    );
    if (matching.length === 0) {
      throw new InvalidInput(`the input "replicas" has "${request.line}", but ${listed}`, {
        hint: 'Fix the name of the workload.',
      });
    }
    if (matching.length > 1) {
      throw new InvalidInput(`the input "replicas" has "${request.line}", which matches several workloads: ${listed}`, {
        hint: 'Name one of them with NAME=NUMBER or KIND/NAME=NUMBER.',
      });
    }
    return matching.map((candidate) => {
      const other = taken.get(candidate);
      if (other !== undefined) throw doubleRequest(other, request, candidate);
      taken.set(candidate, request);
      return { candidate, replicas: request.replicas };
    });
  });
}

function doubleRequest(
  first: ReplicaRequest,
  second: ReplicaRequest,
  { kind, name }: { kind: string; name: string },
): InvalidInput {
  return new InvalidInput(
    `the input "replicas" has "${first.line}" and "${second.line}", which are both for ${kind}/${name}`,
    { hint: 'Remove one of them.' },
  );
}
