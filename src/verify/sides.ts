import { Failure, InvalidInput } from '../base/errors.ts';
import { objectsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { containersOf } from '../manifests/pod-template.ts';
import { parseReference } from '../manifests/reference.ts';
import type { Check } from './check.ts';
import { podsBehind } from '../traffic/pods.ts';
import { listPorts, servicePort, type ServicePort } from '../traffic/ports.ts';
import { hasCredentials, isReachable, podWay, podsWay, serviceWays, urlWay, type Way } from './ways.ts';

/** Who is asked: the versions of one workload, and the address that they share. */
export interface Sides {
  namespace: string;
  /** The live Service of the workload. */
  service?: ObjectRef;
  /** The pods of the new version, and a Service that leads to them only. */
  candidate: VersionSide;
  stable?: VersionSide;
  /** In percent; only of a canary. */
  wantedShare?: number;
  /** What it was before this step, in percent. */
  formerShare?: number;
}

interface VersionSide {
  pods: readonly KubernetesObject[];
  service?: ObjectRef;
}

/** The ways that one check takes. */
export interface Plan {
  /** Leads to the new version; with `stable` beside it, to nothing else. */
  candidate: Way;
  stable?: Way;
  /** The address that users take, where it leads to both versions. */
  shared?: Way;
  /** The pods of the new version, and one of the stable version, each by itself. */
  candidatePods: PodWay[];
  stablePods: PodWay[];
}

export interface PodWay {
  pod: KubernetesObject;
  way: Way;
}

/** @throws Failure when it cannot be asked as the check wants it */
export async function planOf(client: KubernetesClient, check: Check, sides: Sides, signal: AbortSignal): Promise<Plan> {
  const { target } = check;
  if (target.kind === 'url') {
    const way = urlWay(target.url);
    const pods = sides.service === undefined ? undefined : await podWays(client, check, sides, sides.service);
    return {
      candidate: way,
      ...(sides.stable === undefined ? {} : { shared: way }),
      candidatePods: pods?.candidate ?? [],
      stablePods: pods?.stable ?? [],
    };
  }
  const isOther = target.service !== undefined && target.service !== sides.service?.name;
  if (isOther) return await planOfOther(client, check, sides, target.service ?? '', signal);
  const { service, candidate, stable } = sides;
  if (service === undefined)
    throw new Failure(`check "${check.name}" names no Service`, { hint: 'Add "service: NAME".' });
  const pods = await podWays(client, check, sides, service);
  if (check.eachPod) return eachOf(pods.candidate);
  if (stable === undefined) {
    const [way] = await chooseWay(check, [await waysOf(client, check, candidate.service ?? service)], signal);
    return { candidate: way, candidatePods: pods.candidate, stablePods: [] };
  }
  const [shared] = await chooseWay(check, [await waysOf(client, check, service)], signal);
  const facts = { shared, candidatePods: pods.candidate, stablePods: pods.stable };
  if (candidate.service !== undefined && stable.service !== undefined) {
    const both = await Promise.all([candidate.service, stable.service].map((ref) => waysOf(client, check, ref)));
    const [first, second] = await chooseWay(check, both, signal);
    return { ...facts, candidate: first, ...(second === undefined ? {} : { stable: second }) };
  }
  // Both sides in the same way, or their latencies say nothing about each other.
  return {
    ...facts,
    candidate: podsWay(pods.candidate.map(({ way }) => way)),
    stable: podsWay(pods.stable.map(({ way }) => way)),
  };
}

/** A Service beside that of the workload: it is asked as a whole. */
async function planOfOther(
  client: KubernetesClient,
  check: Check,
  { namespace }: Sides,
  name: string,
  signal: AbortSignal,
): Promise<Plan> {
  const ref = serviceRef(namespace, name);
  const { service, port } = await readService(client, check, ref);
  const pods = (await podsBehind(client, service)).map((pod) => ({ pod, way: podWay(client, pod, port) }));
  if (check.eachPod) return eachOf(pods);
  const [way] = await chooseWay(check, [serviceWays(client, service, port)], signal);
  return { candidate: way, candidatePods: pods, stablePods: [] };
}

/** The pods alone, whether or not their Service is reachable. */
function eachOf(candidatePods: PodWay[]): Plan {
  return { candidate: podsWay(candidatePods.map(({ way }) => way)), candidatePods, stablePods: [] };
}

export function serviceRef(namespace: string, name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Service', namespace, name };
}

async function podWays(
  client: KubernetesClient,
  check: Check,
  { candidate, stable }: Sides,
  ref: ObjectRef,
): Promise<{ candidate: PodWay[]; stable: PodWay[] }> {
  const { port } = await readService(client, check, ref);
  const of = (pods: readonly KubernetesObject[]) => pods.map((pod) => ({ pod, way: podWay(client, pod, port) }));
  return { candidate: of(candidate.pods), stable: of(stable?.pods ?? []) };
}

async function waysOf(client: KubernetesClient, check: Check, ref: ObjectRef): Promise<Way[]> {
  const { service, port } = await readService(client, check, ref);
  return serviceWays(client, service, port);
}

async function readService(
  client: KubernetesClient,
  check: Check,
  ref: ObjectRef,
): Promise<{ service: KubernetesObject; port: ServicePort }> {
  const service = await client.read(ref);
  if (service === undefined) {
    throw new Failure(`there is no ${describeRef(ref, true)}, which check "${check.name}" calls`, {
      hint: 'Fix its name in the input "verify".',
    });
  }
  return { service, port: portOf(check, service) };
}

/** @throws InvalidInput when the Service has no such port */
export function portOf({ name, line, target }: Check, service: KubernetesObject): ServicePort {
  const wanted = target.kind === 'url' ? undefined : target.port;
  const port = servicePort(service, wanted);
  if (port !== undefined) return port;
  const what = wanted === undefined ? 'no TCP port' : `no port "${wanted}"`;
  throw new InvalidInput(
    `line ${line} of the input "verify": ${describeRef(refOf(service))} has ${what}, which check "${name}" calls`,
    {
      hint: `Its ports are ${listPorts(service)}.`,
    },
  );
}

/**
 * The first kind of way that is reachable for all of the Services, so that they are asked alike.
 * @throws Failure when the check wants a way that there is not
 */
async function chooseWay(check: Check, services: readonly Way[][], signal: AbortSignal): Promise<[Way, ...Way[]]> {
  const [first = []] = services;
  for (const { kind } of first) {
    signal.throwIfAborted();
    if (check.via !== undefined && check.via !== kind) continue;
    if (check.via === undefined && kind === 'proxy' && hasCredentials(check.headers)) continue;
    const alike = services.flatMap((ways) => ways.find((way) => way.kind === kind) ?? []);
    if (alike.length < services.length) continue;
    // What the user wants is tried even if it seems to be out of reach: it may come up in a moment.
    if (check.via === undefined && !(await Promise.all(alike.map(isReachable))).every(Boolean)) continue;
    const [way, ...others] = alike;
    if (way !== undefined) return [way, ...others];
  }
  if (check.via === undefined) {
    throw new Failure(`check "${check.name}" cannot be run: no address of its Service is reachable from here`, {
      hint: 'A header "Authorization" cannot go through the API server, which would use it itself. Use "url".',
    });
  }
  throw new Failure(`check "${check.name}" cannot be run with "via: ${check.via}": its Service has no such address`, {
    hint: 'Leave "via" out, or choose another one.',
  });
}

/**
 * The tag, or else the digest, of the image that these pods run in their first container.
 * @throws Failure when there is no pod, or they run several
 */
export function versionOfImages(pods: readonly KubernetesObject[]): string {
  const versions = new Set(
    pods.map((pod) => {
      const { tag, digest } = parseReference(containersOf(pod).at(initContainers(pod))?.image ?? '');
      return tag ?? digest ?? 'latest';
    }),
  );
  const [version, ...others] = versions;
  if (version !== undefined && others.length === 0) return version;
  throw new Failure(
    version === undefined
      ? 'there is no pod to read "{version}" from'
      : `"{version}" is ambiguous: the pods run ${[...versions].join(', ')}`,
    { hint: 'Write the version itself into the input "verify".' },
  );
}

function initContainers(pod: KubernetesObject): number {
  return objectsAt(pod, 'spec', 'initContainers').length;
}
