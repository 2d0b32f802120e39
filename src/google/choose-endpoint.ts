import { Failure } from '../base/errors.ts';
import { sentence } from './google-error.ts';
import { booleanAt, objectAt, objectsAt, stringAt, type Json } from '../base/json.ts';
import { saidAt } from '../base/said.ts';

export const endpointKinds = ['auto', 'public', 'internal', 'dns', 'connect-gateway'] as const;

/** A way to the API server of a GKE cluster. */
export type EndpointKind = Exclude<(typeof endpointKinds)[number], 'auto'>;

/** The address to use, and why that one. */
interface ChosenEndpoint {
  kind: Exclude<EndpointKind, 'connect-gateway'>;
  server: string;
  /** PEM; absent where the certificate is a public one. */
  ca?: string;
  /** Completes "endpoint dns": why it was chosen by itself. */
  why?: string;
}

/** What a cluster offers, taken from its description (container v1 Cluster). */
interface Offer {
  publicAddress: string | undefined;
  internalAddress: string | undefined;
  dnsName: string | undefined;
  /** False when the setting says so; an older cluster has none. */
  ipIsOn: boolean;
  publicIsOn: boolean;
  dnsIsOpen: boolean;
  /** Only some networks may use the public address. */
  isRestricted: boolean;
}

/**
 * The endpoint that was asked for, or for `auto` the one that this runner most likely reaches: the public address, unless
 * only listed networks may use it and the DNS endpoint is open; else the DNS endpoint; else the internal address.
 * @throws Failure that says which setting is in the way, and what to use instead
 */
export function chooseEndpoint(cluster: Json, wanted: 'auto' | ChosenEndpoint['kind'], name: string): ChosenEndpoint {
  const offer = offerOf(cluster);
  const kind = wanted === 'auto' ? automatic(offer, name) : { kind: wanted };
  const problem = obstacle(kind.kind, offer, name);
  if (problem !== undefined) throw problem;
  const address = addressOf(kind.kind, offer);
  if (address === undefined) throw withoutAddress(kind.kind, cluster, name);
  return { ...kind, server: `https://${address}`, ...authority(kind.kind, address, cluster, name) };
}

function offerOf(cluster: Json): Offer {
  const ip = objectAt(cluster, 'controlPlaneEndpointsConfig', 'ipEndpointsConfig');
  const dns = objectAt(cluster, 'controlPlaneEndpointsConfig', 'dnsEndpointConfig');
  // What `ipEndpointsConfig` says now, this said before.
  const older = objectAt(cluster, 'privateClusterConfig');
  const publicIsOn = booleanAt(ip, 'enablePublicEndpoint') ?? booleanAt(older, 'enablePrivateEndpoint') !== true;
  const endpoint = stringAt(cluster, 'endpoint');
  const internal = stringAt(ip, 'privateEndpoint') ?? stringAt(older, 'privateEndpoint');
  return {
    publicAddress:
      stringAt(ip, 'publicEndpoint') ?? stringAt(older, 'publicEndpoint') ?? (publicIsOn ? endpoint : undefined),
    internalAddress: internal ?? (publicIsOn ? undefined : endpoint),
    dnsName: stringAt(dns, 'endpoint'),
    ipIsOn: booleanAt(ip, 'enabled') !== false,
    publicIsOn,
    dnsIsOpen: booleanAt(dns, 'allowExternalTraffic') === true,
    isRestricted:
      (booleanAt(ip, 'authorizedNetworksConfig', 'enabled') ??
        booleanAt(cluster, 'masterAuthorizedNetworksConfig', 'enabled')) === true,
  };
}

function automatic(offer: Offer, name: string): { kind: ChosenEndpoint['kind']; why: string } {
  const isPublic = offer.ipIsOn && offer.publicIsOn;
  if (isPublic && !(offer.isRestricted && offer.dnsIsOpen)) return { kind: 'public', why: 'its public address is on' };
  if (offer.dnsIsOpen) {
    const why = isPublic ? 'its public address is for authorized networks only' : 'it has no public address';
    return { kind: 'dns', why };
  }
  if (offer.ipIsOn)
    return { kind: 'internal', why: 'it has no public address, and its DNS endpoint is closed to outside traffic' };
  throw new Failure(
    `cluster "${name}" has no endpoint for a runner: its IP endpoints are off, and its DNS endpoint is closed to outside traffic`,
    {
      hint: `${openDns(name)}.`,
    },
  );
}

/** The setting that is in the way of this endpoint. */
function obstacle(kind: ChosenEndpoint['kind'], offer: Offer, name: string): Failure | undefined {
  const others = alternatives(offer, kind);
  if (kind === 'dns') {
    if (offer.dnsIsOpen) return undefined;
    return new Failure(
      `the DNS endpoint of cluster "${name}" is closed to traffic from outside (dnsEndpointConfig.allowExternalTraffic)`,
      {
        hint: `${openDns(name)}${others}.`,
      },
    );
  }
  if (!offer.ipIsOn) {
    return new Failure(`cluster "${name}" has no addresses: its IP endpoints are off (ipEndpointsConfig.enabled)`, {
      hint: `Turn them on with: gcloud container clusters update ${name} --enable-ip-access${others}.`,
    });
  }
  if (kind === 'public' && !offer.publicIsOn) {
    return new Failure(`the public endpoint of cluster "${name}" is off (ipEndpointsConfig.enablePublicEndpoint)`, {
      hint: `Turn it on with: gcloud container clusters update ${name} --no-enable-private-endpoint${others}.`,
    });
  }
  return undefined;
}

function openDns(name: string): string {
  return `Open it with: gcloud container clusters update ${name} --enable-dns-access`;
}

function alternatives(offer: Offer, but: ChosenEndpoint['kind']): string {
  const usable = [
    offer.dnsIsOpen ? 'dns' : undefined,
    offer.ipIsOn && offer.publicIsOn ? 'public' : undefined,
    offer.ipIsOn ? 'internal' : undefined,
    'connect-gateway',
  ].filter((kind) => kind !== undefined && kind !== but);
  return `, or use ${usable.map((kind) => `"endpoint: ${kind ?? ''}"`).join(' or ')}`;
}

function addressOf(kind: ChosenEndpoint['kind'], offer: Offer): string | undefined {
  const addresses = { public: offer.publicAddress, internal: offer.internalAddress, dns: offer.dnsName };
  const address = addresses[kind];
  if (address === undefined || address === '') return undefined;
  return address.includes(':') && !address.includes('.') ? `[${address}]` : address;
}

function withoutAddress(kind: ChosenEndpoint['kind'], cluster: Json, name: string): Failure {
  const status = stringAt(cluster, 'status') ?? 'unknown';
  return new Failure(`cluster "${name}" has no ${kind === 'dns' ? 'DNS' : kind} endpoint (its status is ${status})`, {
    hint: 'Wait until the cluster is running, or choose another "endpoint".',
  });
}

/** Names under gke.goog have a certificate that everybody trusts (hashicorp/terraform-provider-kubernetes#2637). */
function authority(kind: ChosenEndpoint['kind'], address: string, cluster: Json, name: string): { ca?: string } {
  if (kind === 'dns' || address.endsWith('.gke.goog')) return {};
  const encoded = stringAt(cluster, 'masterAuth', 'clusterCaCertificate') ?? '';
  const ca = Buffer.from(encoded, 'base64').toString('utf8');
  if (ca.includes('-----BEGIN CERTIFICATE-----')) return { ca };
  throw new Failure(`GKE returned no certificate authority for cluster "${name}", so its identity cannot be verified`, {
    hint: 'Use "endpoint: dns", or wait until the cluster is running.',
  });
}

/**
 * Whether a cluster in this state can be deployed to: undefined when all is well, a warning where it is limited.
 * @throws Failure when it has no API server now
 */
export function checkStatus(cluster: Json, name: string): string | undefined {
  const status = stringAt(cluster, 'status') ?? '';
  const said = objectsAt(cluster, 'conditions').flatMap((condition) => saidAt(condition, 'message') ?? []);
  const why = [...said, stringAt(cluster, 'statusMessage') ?? ''].find((text) => text !== '');
  const because = why === undefined ? '' : `: ${sentence(why)}`;
  switch (status) {
    case 'PROVISIONING':
      throw new Failure(`cluster "${name}" is still being created (PROVISIONING)${because}`, {
        hint: 'Run it again once "gcloud container clusters list" shows RUNNING.',
      });
    case 'STOPPING':
      throw new Failure(`cluster "${name}" is being deleted (STOPPING)${because}`, {
        hint: 'Deploy to another cluster.',
      });
    case 'ERROR':
      throw new Failure(`cluster "${name}" is in an error state (ERROR)${because}`, {
        hint: `See "gcloud container clusters describe ${name}" for what it needs.`,
      });
    case 'DEGRADED':
      return `cluster "${name}" is DEGRADED${because}`;
    case 'RECONCILING':
      return `cluster "${name}" is being updated (RECONCILING)${because}; its API server may be briefly unavailable`;
    default:
      return undefined;
  }
}
