import { numberAt } from '../base/json.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Prepared } from '../apply/prepared.ts';
import { addressesOf } from '../rollout/readiness/service.ts';
import type { AddressReport } from './run-report.ts';
import type { RolloutWatch } from './watch.ts';

/** Where a Service answers from outside, without a slash at the end so that a path can follow; nothing for all other objects. */
export function addressReports(service: KubernetesObject | undefined): AddressReport[] {
  if (service?.kind !== 'Service') return [];
  const port = numberAt(service, 'spec', 'ports', 0, 'port') ?? 80;
  const scheme = port === 443 ? 'https' : 'http';
  const suffix = port === 443 || port === 80 ? '' : `:${port}`;
  return addressesOf(service).map((address) => ({
    ref: refOf(service),
    address,
    url: `${scheme}://${address.includes(':') ? `[${address}]` : address}${suffix}`,
  }));
}

/** Of the Services among what was applied. */
export function addressesIn(prepared: readonly Prepared[], watch: Pick<RolloutWatch, 'latest'>): AddressReport[] {
  return prepared.flatMap(({ manifest }) => addressReports(watch.latest(refOf(manifest.object))));
}
