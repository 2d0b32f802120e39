import { InvalidInput } from '../base/errors.ts';
import { stringAt } from '../base/json.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Check } from '../traffic/check.ts';
import { assertPassed } from '../traffic/result.ts';
import { podsBehind, portOf, serviceRef, type Sides } from '../traffic/sides.ts';
import { verify } from '../traffic/verify.ts';
import type { Context } from './context.ts';
import type { Draft } from './draft.ts';

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
    if (check.target.kind === 'url') continue;
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
        `line ${line} of the input "verify": which Service to ask is not clear: the manifests have ${names.length}`,
        { hint: `Name one, such as "service/NAME:PORT/path". ${list}` },
      )
    : new InvalidInput(`line ${line} of the input "verify": there is no Service "${wanted}"`, {
        hint: `Correct its name. ${list}`,
      });
}

/**
 * Carries the checks out on a release that is ready, with all of its pods on the new version.
 * @throws VerificationFailed
 */
export async function verifyRelease(
  { client, clock, reporter }: Context,
  { checks, namespace }: { checks: readonly Check[]; namespace: string },
  manifests: readonly Manifest[],
  { deadline, signal }: { deadline: number; signal: AbortSignal },
  draft: Draft,
): Promise<void> {
  if (checks.length === 0) return;
  await reporter.group('Verify', async () => {
    const service = mainService(manifests);
    const pods = service === undefined ? [] : await podsBehind(client, service);
    const sides: Sides = {
      namespace,
      ...(service === undefined ? {} : { service: refOf(service) }),
      candidate: { pods },
    };
    const results = await verify(client, checks, sides, { clock, reporter, signal, deadline });
    draft.add({ checks: results });
    assertPassed(results);
  });
  draft.mark(`${checks.length} ${checks.length === 1 ? 'check' : 'checks'} passed`);
}

/** The Service that a check means when it names none: the only one, or the only one that is open to the outside. */
function mainService(manifests: readonly Manifest[]): KubernetesObject | undefined {
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
