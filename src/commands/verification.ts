import { InvalidInput } from '../base/errors.ts';
import { stringAt, stringsAt } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Check } from '../verify/check.ts';
import { secretsOfChecks } from '../verify/check-secrets.ts';
import { leadsToMetadata, metadataRefusal } from '../verify/metadata-hosts.ts';
import { parseChecks } from '../verify/parse.ts';
import { assertPassed, type CheckResult } from '../verify/result.ts';
import { untilRouted } from '../traffic/endpoints.ts';
import { podsBehind } from '../traffic/pods.ts';
import { portOf, serviceRef, type Sides } from '../verify/sides.ts';
import { verify } from '../verify/verify.ts';
import { isService, selects, previewName } from '../traffic/services.ts';
import type { MeasuredShare, VerifiedCandidate } from '../plan/execution.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import type { Prepared } from '../apply/prepared.ts';

/** The checks of the input `verify`; what is secret in it is masked. @param budgetMs as `parseChecks` has it. @throws Failures with every problem that there is */
export function readChecks({ reporter }: Pick<Context, 'reporter'>, text: string, budgetMs?: number): Check[] {
  for (const secret of secretsOfChecks(text)) reporter.mask(secret);
  return parseChecks(text, budgetMs);
}

/**
 * Whether all checks can be asked at the Services of the manifests, or at others of the cluster.
 * @throws InvalidInput before anything has changed
 */
export async function assertAskable(
  { client }: Context,
  checks: readonly Check[],
  manifests: readonly Manifest[],
  namespace: string,
): Promise<void> {
  for (const check of checks) {
    if (check.target.kind === 'url') {
      const { hostname } = new URL(check.target.url);
      if (await leadsToMetadata(hostname)) throw metadataRefusal(hostname);
      continue;
    }
    const { service: name } = check.target;
    const service =
      name === undefined
        ? mainService(manifests)
        : (servicesOf(manifests).find(({ metadata }) => metadata.name === name && metadata.namespace === namespace) ??
          (await client.read(serviceRef(namespace, name))));
    if (service === undefined) throw noService(check, manifests);
    portOf(check, service);
  }
}

function noService({ line, target }: Check, manifests: readonly Manifest[]): InvalidInput {
  const names = servicesOf(manifests).map(({ metadata }) => metadata.name);
  const list = names.length === 0 ? 'The manifests have none.' : `The manifests have ${names.join(', ')}.`;
  const wanted = target.kind === 'url' ? undefined : target.service;
  return wanted === undefined
    ? new InvalidInput(
        `line ${line} of the input "verify": it is not clear which Service to check: the manifests have ${names.length}`,
        { hint: `Name one, such as "service/NAME:PORT/path". ${list}` },
      )
    : new InvalidInput(`line ${line} of the input "verify": there is no Service "${wanted}"`, {
        hint: `Fix its name. ${list}`,
      });
}

/**
 * Waits until no request of a check can go to a pod of the old version any more: what that answers says nothing.
 * @throws Failure when it does not come about in time
 */
export async function untilAnsweredByNew(
  { client, clock, reporter }: Context,
  options: VerificationOptions,
  manifests: readonly Manifest[],
): Promise<void> {
  const service = mainService(manifests);
  const asked = [...byService(options, service && refOf(service)).keys()].filter((ref) => ref !== undefined);
  const services = (await Promise.all(asked.map((ref) => client.read(ref)))).filter((one) => one !== undefined);
  await untilRouted(client, services, { clock, reporter, signal: options.signal, deadline: options.deadline });
}

/**
 * Waits until Services that this run has made lead to their pods on all nodes: a connection that comes earlier goes nowhere, and
 * does not find its way later either. What does not come about is said.
 */
export async function untilReachable(
  { client, clock, reporter }: Context,
  { signal, deadline }: VerificationOptions,
  prepared: readonly Prepared[],
): Promise<void> {
  // As they are now: a switch has given them another selector since they were made.
  await untilRouted(client, madeServices(prepared), { clock, reporter, signal, deadline, courtesy: true, isNew: true });
}

export function madeServices(prepared: readonly Prepared[]): KubernetesObject[] {
  const made = prepared.filter(({ live, manifest }) => live === undefined && isService(manifest.object));
  return made.map(({ manifest }) => manifest.object);
}

/**
 * Carries the checks out on a release that is ready, with all of its pods on the new version.
 * @throws VerificationFailed
 */
export async function verifyRelease(
  context: Context,
  options: VerificationOptions,
  manifests: readonly Manifest[],
  report: Report,
): Promise<void> {
  const { checks } = options;
  if (checks.length === 0) return;
  const service = mainService(manifests);
  const live = service === undefined ? undefined : await context.client.read(refOf(service));
  const pods = live === undefined ? [] : await podsBehind(context.client, live);
  await carryOut(context, options, [{ checks, sides: { ...about(options, service), candidate: { pods } } }], report);
}

/**
 * Carries the checks out on a candidate, beside the stable version where that serves too. Checks of Services that it is not
 * behind have nothing to say of it, and are made when all is ready.
 * @returns the share that it was measured to get, where one is wanted and a check says where the version stands
 * @throws VerificationFailed
 */
export async function verifyCandidate(
  context: Context,
  options: VerificationOptions,
  manifests: readonly Manifest[],
  candidate: VerifiedCandidate,
  report: Report,
): Promise<MeasuredShare | undefined> {
  const service = mainService(manifests);
  const main = service === undefined ? undefined : refOf(service);
  const rounds: Round[] = [];
  for (const [ref, checks] of byService(options, main)) {
    const sides = await sidesAt(context, options, ref, candidate);
    if (ref === undefined || sides.candidate.pods.length > 0) rounds.push({ checks, sides });
  }
  if (rounds.length === 0) return undefined;
  const results = await carryOut(context, options, rounds, report);
  const share = results.findLast((result) => result.share !== undefined)?.share;
  return share === undefined ? undefined : { percent: share.measured, requests: share.requests };
}

/** The checks by the Service that they ask: the one that they name, or else the main one, if there is one. */
function byService(
  { checks, namespace }: VerificationOptions,
  main: ObjectRef | undefined,
): Map<ObjectRef | undefined, Check[]> {
  const groups = new Map<ObjectRef | undefined, Check[]>();
  for (const check of checks) {
    const name = check.target.kind === 'url' ? undefined : check.target.service;
    const asked = name === undefined ? main : serviceRef(namespace, name);
    const known = [...groups.keys()].find((ref) => isSameRef(ref, asked));
    const ref = known ?? asked;
    groups.set(ref, [...(groups.get(ref) ?? []), check]);
  }
  return groups;
}

function isSameRef(one: ObjectRef | undefined, other: ObjectRef | undefined): boolean {
  return one === undefined || other === undefined ? one === other : keyOf(one) === keyOf(other);
}

/** Which of the pods behind a Service are the candidate's, and which are stable. */
async function sidesAt(
  { client }: Context,
  { namespace }: VerificationOptions,
  ref: ObjectRef | undefined,
  candidate: VerifiedCandidate,
): Promise<Sides> {
  const live = ref === undefined ? undefined : await client.read(ref);
  if (live === undefined) return { namespace, ...(ref === undefined ? {} : { service: ref }), candidate: { pods: [] } };
  const service = refOf(live);
  const behind = await podsBehind(client, live);
  if (candidate === 'preview') {
    const twin = await client.read({ ...service, name: previewName(service.name) });
    if (twin === undefined) return { namespace, service, candidate: { pods: [] } };
    return {
      namespace,
      service,
      candidate: { pods: await podsBehind(client, twin), service: refOf(twin) },
      ...(behind.length === 0 ? {} : { stable: { pods: behind, service } }),
    };
  }
  const { selector, wantedShare, formerShare } = candidate;
  const isCandidate = (pod: KubernetesObject) => selects(selector, stringsAt(pod, 'metadata', 'labels'));
  const stable = behind.filter((pod) => !isCandidate(pod));
  return {
    namespace,
    service,
    candidate: { pods: behind.filter(isCandidate) },
    ...(stable.length === 0 ? {} : { stable: { pods: stable } }),
    wantedShare,
    formerShare,
  };
}

/** Checks that ask the same pods. */
interface Round {
  checks: readonly Check[];
  sides: Sides;
}

export interface VerificationOptions {
  checks: readonly Check[];
  namespace: string;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
}

function about({ namespace }: VerificationOptions, service: KubernetesObject | undefined) {
  return { namespace, ...(service === undefined ? {} : { service: refOf(service) }) };
}

async function carryOut(
  { client, clock, reporter }: Context,
  { signal, deadline }: VerificationOptions,
  rounds: readonly Round[],
  report: Report,
): Promise<CheckResult[]> {
  const results = await reporter.group('Verify', async () => {
    const all: CheckResult[] = [];
    for (const { checks, sides } of rounds) {
      const made = await verify(client, checks, sides, { clock, reporter, signal, deadline });
      report.addChecks(made);
      assertPassed(made);
      all.push(...made);
    }
    return all;
  });
  report.mark(`${results.length} ${results.length === 1 ? 'check' : 'checks'} passed`);
  return results;
}

/** The Service that a check means when it names none: the only one, or the only one that is open to the outside. */
export function mainService(manifests: readonly Manifest[]): KubernetesObject | undefined {
  const services = servicesOf(manifests);
  const outside = services.filter((service) => stringAt(service, 'spec', 'type') === 'LoadBalancer');
  const [service, ...others] = services.length > 1 ? outside : services;
  return others.length === 0 ? service : undefined;
}

function servicesOf(manifests: readonly Manifest[]): KubernetesObject[] {
  return manifests
    .map(({ object }) => object)
    .filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Service');
}
