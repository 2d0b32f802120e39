import { at, equal, listAt, objectsAt, stringAt } from '../../../base/json.ts';
import { condition, conditionsOf } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { failed, notObserved, ready, unchecked, type Facts, type Rule } from '../rule.ts';
import { judgeConditions, type Awaited } from './conditions.ts';
import { hasWaited, whenSilent } from './patience.ts';

const group = 'networking.gke.io';
const kindsOf = (...kinds: string[]) => kinds.map((kind) => ({ kind, group }));

export const managedCertificate: Rule = {
  kinds: kindsOf('ManagedCertificate'),
  ready:
    'its certificate and all its domains are Active; until then it is accepted, since DNS may come later and it takes up to an hour',
  failed:
    'ProvisioningFailedPermanently, or FailedCaaForbidden or FailedCaaChecking of a domain, said after this write',
  source: 'gke-managed-certs pkg/config (statuses)',
  judge: judgeCertificate,
};

export const ingressConfig: Rule = {
  kinds: [{ kind: 'BackendConfig', group: 'cloud.google.com' }, ...kindsOf('FrontendConfig')],
  ready: 'it is applied: errors are told by events of the Service or Ingress that uses it',
  failed: 'never',
  source: 'ingress-gce pkg/apis: it has no status',
  judge: () => ready('applied'),
};

export const policy: Rule = {
  kinds: kindsOf(
    'GCPBackendPolicy',
    'GCPGatewayPolicy',
    'HealthCheckPolicy',
    'GCPSessionAffinityPolicy',
    'GCPTrafficDistributionPolicy',
    'GCPAuthzPolicy',
    'GCPClientTLSPolicy',
    'GCPServerTLSPolicy',
  ),
  ready:
    'Attached is True for this generation, for each ancestor; accepted after 60 s without a status, since perhaps no Gateway uses its target yet',
  failed: 'Attached is False with reason Conflicted or Invalid for 30 s, or TargetNotFound for 120 s',
  source: 'gke-gateway-api apis/networking/v1/shared_types.go',
  judge: (object, facts) =>
    eachTelling(object, facts, () =>
      withTarget(
        untilTrue('Attached', ['Conflicted', 'Invalid'], 'Fix the policy, or remove the one it conflicts with.'),
      ),
    ),
};

export const trafficExtension: Rule = {
  kinds: kindsOf(
    'GCPTrafficExtension',
    'GCPRoutingExtension',
    'GCPEdgeExtension',
    'GCPAuthzExtension',
    'GCPWasmPlugin',
  ),
  ready:
    'Accepted, and ResolvedRefs where it is set, are True for this generation, for each ancestor; accepted after 60 s without a status',
  failed:
    'Accepted is False for 30 s with reason Invalid, NotAllowed, TooLarge, Required, InvalidCELExpression or Conflicted',
  source: 'gke-gateway-api apis/networking/v1 (ExtensionConditionAccepted, ExtensionConditionResolvedRefs)',
  judge: (object, facts) =>
    eachTelling(object, facts, (telling) => {
      const awaited = untilTrue('Accepted', refusals, 'Fix what the message says.');
      return condition(telling, 'ResolvedRefs') === undefined
        ? awaited
        : { ...awaited, types: [...awaited.types, 'ResolvedRefs'] };
    }),
};

const refusals: readonly string[] = [
  'Invalid',
  'NotAllowed',
  'TooLarge',
  'Required',
  'InvalidCELExpression',
  'Conflicted',
];

export const multiCluster: Rule = {
  kinds: [
    ...kindsOf('MultiClusterService', 'MultiClusterIngress'),
    ...['net.gke.io', 'multicluster.x-k8s.io'].flatMap((owner) =>
      ['ServiceExport', 'ServiceImport'].map((kind) => ({ kind, group: owner })),
    ),
  ],
  ready:
    'it is applied: the other clusters of the fleet follow at their own time; its address is told where it has one',
  failed: 'never',
  source: 'GKE documentation of Multi Cluster Ingress and multi-cluster Services',
  judge: (object) => {
    const address = stringAt(object, 'status', 'VIP') ?? '';
    return ready(address === '' ? 'applied' : `its address is ${address}`);
  },
};

/** A status that was there before the write counts once its controller had time to look, ms. */
const staleMs = 30_000;
/** The target of a policy may be applied after it, ms. */
const targetGraceMs = 120_000;

function judgeCertificate(object: KubernetesObject, facts: Facts): Verdict {
  const whole = stringAt(object, 'status', 'certificateStatus') ?? '';
  const told = new Map(
    objectsAt(object, 'status', 'domainStatus').map((one) => [
      stringAt(one, 'domain') ?? '',
      stringAt(one, 'status') ?? '',
    ]),
  );
  const domains = listAt(object, 'spec', 'domains').filter((domain) => typeof domain === 'string');
  const refused = domains.find((domain) => (told.get(domain) ?? '').startsWith('FailedCaa'));
  const reason = whole === 'ProvisioningFailedPermanently' ? whole : refused && told.get(refused);
  if (reason !== undefined) {
    const isNew = !equal(at(object, 'status'), at(facts.asWritten, 'status')) || hasWaited(facts, staleMs);
    if (!isNew) return notObserved;
    return refused === undefined
      ? failed(
          object,
          reason,
          'its certificate cannot be provisioned',
          'Check its domains, and recreate it under another name.',
        )
      : failed(
          object,
          reason,
          `no certificate may be issued for "${refused}": its CAA records do not allow it`,
          'Allow pki.goog in the CAA records of the domain.',
        );
  }
  const pending = domains.find((domain) => told.get(domain) !== 'Active');
  if (whole === 'Active' && pending === undefined) return ready('active');
  const state = pending === undefined ? whole : (told.get(pending) ?? '');
  const about = pending === undefined ? 'its certificate' : `"${pending}"`;
  return unchecked(`not active yet: ${about} is ${state === '' ? 'not checked yet' : state}`);
}

function untilTrue(type: string, reasons: readonly string[], hint: string): Awaited {
  // Its controller need not name a generation.
  return { types: [type], observed: 'nowhere', failing: [{ type, reasons, graceMs: 30_000, hint }] };
}

/** What a policy is for may come a moment later. */
function withTarget(awaited: Awaited): Awaited {
  const failing = {
    type: 'Attached',
    reasons: ['TargetNotFound'],
    graceMs: targetGraceMs,
    hint: 'Create what its spec.targetRef names, or correct the name.',
  };
  return { ...awaited, failing: [...awaited.failing, failing] };
}

/** The first verdict that is not "ready" of what is told on the whole and for each ancestor. */
function eachTelling(
  object: KubernetesObject,
  facts: Facts,
  awaitedOf: (telling: KubernetesObject) => Awaited,
): Verdict {
  const before = tellingsOf(facts.asWritten);
  const tellings = tellingsOf(object)
    .map((telling, index) => ({ telling, asWritten: before[index] ?? facts.asWritten }))
    .filter(({ telling }) => conditionsOf(telling).length > 0);
  const silent = whenSilent(object, facts, tellings.length > 0);
  if (silent !== undefined) return silent;
  const verdicts = tellings.map(({ telling, asWritten }) =>
    judgeConditions(telling, { ...facts, asWritten }, awaitedOf(telling)),
  );
  const isStillLookedAt = (verdict: Verdict) => verdict.state !== 'ready' || verdict.sinceWriteMs !== undefined;
  return (
    verdicts.find(({ state }) => state !== 'ready') ?? verdicts.find(isStillLookedAt) ?? verdicts[0] ?? notObserved
  );
}

/** The object with what is told of it on the whole, and then with what is told for each ancestor. */
function tellingsOf(object: KubernetesObject): KubernetesObject[] {
  const statuses = [object['status'], ...objectsAt(object, 'status', 'ancestors')];
  return statuses.map((status) => ({ ...object, status }));
}
