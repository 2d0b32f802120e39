import { InvalidInput } from '../../base/errors.ts';
import { isObject, listAt, objectsAt, stringAt, type Json, type JsonObject } from '../../base/json.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { throwAll, type Manifest } from '../../manifests/manifest.ts';
import { dropAnnotations } from './services.ts';

/** Where kinds have a list of the hosts that they answer for. */
const lists: Readonly<Record<string, string>> = {
  'gateway.networking.k8s.io/HTTPRoute': 'hostnames',
  'gateway.networking.k8s.io/GRPCRoute': 'hostnames',
  'gateway.networking.k8s.io/TLSRoute': 'hostnames',
  'networking.istio.io/VirtualService': 'hosts',
  'cert-manager.io/Certificate': 'dnsNames',
  'networking.gke.io/ManagedCertificate': 'domains',
};

/** By which external-dns makes records for a Service or an Ingress: those of what runs already would get another address. */
const dnsAnnotations = [
  'external-dns.alpha.kubernetes.io/hostname',
  'external-dns.alpha.kubernetes.io/internal-hostname',
];

/** The hosts that an object answers for; an empty one where a route answers for all. */
export function hostsOf(object: KubernetesObject): string[] {
  const hosts: string[] = [];
  eachHost(structuredClone(object), (host) => {
    hosts.push(host);
    return host;
  });
  return hosts;
}

/** Gives an object the hosts of the preview, in place. */
export function changeHosts(object: KubernetesObject, made: ReadonlyMap<string, string>): string[] {
  const changed = new Map<string, string>();
  eachHost(object, (host) => {
    const next = made.get(host) ?? host;
    if (next !== host) changed.set(host, next);
    return next;
  });
  return [...changed].map(([before, after]) =>
    before === '' ? `host ${after} instead of any host` : `host ${after} instead of ${before}`,
  );
}

/** Puts what `change` answers in the place of each host. */
function eachHost(object: KubernetesObject, change: (host: string) => string): void {
  const { spec } = object;
  const key = `${groupOf(object.apiVersion)}/${object.kind}`;
  const field = lists[key];
  if (isObject(spec)) {
    if (key === 'networking.k8s.io/Ingress') ingressHosts(spec, change);
    if (field === 'hosts') listedHosts(spec, field, (host) => (isOfMesh(host) ? host : change(host)));
    else if (field !== undefined) listedHosts(spec, field, change);
  }
  const annotations = object.metadata.annotations ?? {};
  for (const annotation of dnsAnnotations) {
    const names = annotations[annotation];
    if (names === undefined) continue;
    annotations[annotation] = names
      .split(',')
      .map((name) => change(name.trim()))
      .join(',');
  }
}

function ingressHosts(spec: JsonObject, change: (host: string) => string): void {
  const before: string[] = [];
  for (const rule of objectsAt(spec, 'rules')) {
    const named = stringAt(rule, 'host') ?? '';
    before.push(named);
    const host = change(named);
    if (host !== '') rule['host'] = host;
  }
  for (const entry of objectsAt(spec, 'tls')) {
    if (entry['hosts'] === undefined) continue;
    entry['hosts'] = listAt(entry, 'hosts').flatMap((host): Json[] =>
      typeof host === 'string' ? covered(host, before) : [host ?? null],
    );
    listedHosts(entry, 'hosts', change);
  }
}

/** What a wildcard of a certificate stands for: no host that anybody asks for, unless a rule has it, too. */
function covered(host: string, ruled: readonly string[]): string[] {
  const [first, ...rest] = host.split('.');
  const meant = ruled.filter((one) => one.split('.').slice(1).join('.') === rest.join('.') && one !== host);
  return first !== '*' || ruled.includes(host) || meant.length === 0 ? [host] : [...new Set(meant)];
}

function listedHosts(holder: JsonObject, field: string, change: (host: string) => string): void {
  const hosts = listAt(holder, field);
  // A route without hosts takes the requests of every host that its Gateway has, those of other previews among them.
  if (hosts.length === 0 && field === 'hostnames') {
    const host = change('');
    if (host !== '') holder[field] = [host];
  } else if (hosts.length > 0) {
    holder[field] = hosts.map((host) => (typeof host === 'string' ? change(host) : host));
  }
}

/** Names of Services, and what stands for all: no hosts that anybody asks for from outside of a mesh. */
function isOfMesh(host: string): boolean {
  return !host.includes('.') || /\.svc(?:\.|$)/.test(host);
}

/**
 * Drops what would ask for a certificate for each preview: 50 a week for a domain are soon used up, and then the proxy serves one
 * of its own (pawtograder/platform#822, skkuding/codedang#3088).
 */
export function dropCertificates(object: KubernetesObject): string[] {
  const found = dropAnnotations(
    object,
    (key) =>
      /^(?:acme\.)?cert-manager\.io\//.test(key) ||
      key === 'kubernetes.io/tls-acme' ||
      key === 'networking.gke.io/managed-certificates',
  );
  if (found.length === 0) return [];
  const secrets = objectsAt(object, 'spec', 'tls').flatMap((entry) => stringAt(entry, 'secretName') ?? []);
  const advice =
    secrets.length === 0
      ? 'use a wildcard certificate'
      : `copy a wildcard certificate as ${[...new Set(secrets)].map((name) => `"${name}"`).join(', ')} with "copy-secrets"`;
  return [
    `without the annotation ${found.join(', ')}: a certificate per preview hits the rate limits of its issuer; ${advice}`,
  ];
}

/**
 * Without the input `preview-host` a preview has the hosts of its manifests. One that has the number of the pull request in it was
 * put there for the preview; any other one is that of what runs already, whose requests the preview would take.
 * @throws InvalidInput, Failures
 */
export function refuseTakenHosts(manifests: readonly Manifest[], number: number, namespace: string): void {
  const ownNumber = new RegExp(`(?:^|[^a-z0-9]|pr)${number}(?![a-z0-9])`);
  const isOwn = (host: string) => ownNumber.test(host) || host.split('.').includes(namespace);
  throwAll(
    manifests.flatMap(({ object, source }) => {
      const taken = [...new Set(hostsOf(object))].filter((host) => host !== '' && !isOwn(host));
      if (taken.length === 0) return [];
      return [
        new InvalidInput(
          `${describeRef(refOf(object))} answers for ${taken.map((host) => `"${host}"`).join(', ')}, and so would its preview`,
          {
            location: source.locate(['spec']),
            hint: 'Set "preview-host", such as pr-{number}-{host-label}.preview.example.com, or put the pull request number into the host.',
          },
        ),
      ];
    }),
  );
}
