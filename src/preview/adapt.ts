import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { changeHosts, dropCertificates, hostsOf, refuseTakenHosts } from './adapt/hosts.ts';
import { whyLeftOut } from './adapt/left-out.ts';
import { refuseOutside, toPreview } from './adapt/place.ts';
import { adaptService, dropAddresses } from './adapt/services.ts';
import { adaptSize } from './adapt/size.ts';
import type { PreviewIdentity } from './identity.ts';
import { previewHosts } from './names.ts';

export interface AdaptOptions {
  identity: PreviewIdentity;
  /** Of the preview. */
  namespace: string;
  /** A namespace that manifests name because they are deployed there otherwise: what names it goes into the preview. */
  from?: string;
  /** The input `preview-host`. */
  host?: string;
  /** The input `replicas`: workloads that it names are left alone. */
  replicas: readonly string[];
  clusterScoped: 'fail' | 'skip';
}

export interface Adapted {
  manifests: Manifest[];
  /** What was changed and why, a line for each, beginning with the object. */
  changes: string[];
  /** The hosts that the preview answers under, without doubles; empty without the input `preview-host`. */
  hosts: string[];
}

/**
 * The manifests of a checkout as a preview has them. Those that are given stay as they are; what is changed or left out has its
 * line, so that nobody looks for a difference that was made on purpose.
 * @param manifests once their namespaces are set (`setNamespaces`): one without belongs to the whole cluster
 * @throws InvalidInput, Failures for objects that would reach out of the preview, and for hosts that something else answers for
 */
export function adaptForPreview(manifests: readonly Manifest[], options: AdaptOptions): Adapted {
  const changes: string[] = [];
  const tell = (object: KubernetesObject, line: string) => changes.push(`${describeRef(refOf(object))}: ${line}`);
  const inside: Manifest[] = [];
  for (const manifest of manifests) {
    const why = whyLeftOut(manifest.object, options);
    if (why === undefined) inside.push({ ...manifest, object: structuredClone(manifest.object) });
    else tell(manifest.object, `left out: ${why}`);
  }
  for (const { object } of inside) {
    for (const line of toPreview(object, options)) tell(object, line);
  }
  refuseOutside(inside, options.namespace);
  const hosts = hostsFor(inside, options);
  for (const { object } of inside) {
    for (const line of linesOf(object, options, hosts)) tell(object, line);
  }
  return { manifests: inside, changes, hosts: [...new Set(hosts.values())] };
}

function hostsFor(manifests: readonly Manifest[], { identity, host, namespace }: AdaptOptions): Map<string, string> {
  if (host === undefined) {
    refuseTakenHosts(manifests, identity.number, namespace);
    return new Map();
  }
  return previewHosts(
    identity,
    host,
    manifests.flatMap(({ object }) => hostsOf(object)),
  );
}

function linesOf(object: KubernetesObject, options: AdaptOptions, hosts: ReadonlyMap<string, string>): string[] {
  const hasHost = options.host !== undefined;
  const rewritten = hasHost ? changeHosts(object, hosts) : [];
  return [
    ...adaptSize(object, options.replicas),
    ...rewritten,
    ...(rewritten.length > 0 ? dropCertificates(object) : []),
    ...adaptService(object, hasHost),
    ...dropAddresses(object),
  ];
}
