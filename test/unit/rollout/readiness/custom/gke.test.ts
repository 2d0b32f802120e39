import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const of = (generation: number, condition: JsonObject) => ({ ...condition, observedGeneration: generation });
const silent = 'unchecked: its controller has set no status; check that it is installed';

describe('a ManagedCertificate', () => {
  const written = (status?: JsonObject, domains = ['web.example.com', 'www.example.com']) =>
    custom('networking.gke.io/v1', 'ManagedCertificate', { spec: { domains }, ...(status && { status }) });
  const statusOf = (certificateStatus: string, ...domains: string[]) => ({
    certificateName: 'mcrt-0b1c',
    certificateStatus,
    domainStatus: domains.map((status, index) => ({ domain: ['web.example.com', 'www.example.com'][index], status })),
  });
  const last = (status: JsonObject | undefined, object = justMade(written())) =>
    decidedOver(object, [{ at: 1, ...(status && { status }) }], 1).at(-1);

  test('is ready when it and all its domains are active', () => {
    expect(last(statusOf('Active', 'Active', 'Active'))).toBe('ready: active');
    // As long as the status is of fewer domains than the change asks for.
    expect(last(statusOf('Active', 'Active'))).toBe('unchecked: not active yet: "www.example.com" is not checked yet');
  });

  test('that failed before the change is awaited while its status says so still', () => {
    const before = statusOf('Provisioning', 'FailedCaaChecking', 'Active');
    const shown = [
      { at: 1, status: before },
      { at: 5, status: statusOf('Active', 'Active', 'Active') },
    ];
    expect(decidedOver(written(before), shown, 5)).toEqual([
      'progressing: waiting for the controller',
      'ready: active',
    ]);
  });

  test('is accepted until then: DNS may come later, and it takes up to an hour', () => {
    expect(last(undefined)).toBe('unchecked: not active yet: "web.example.com" is not checked yet');
    expect(last(statusOf('Provisioning', 'Active', 'FailedNotVisible'))).toBe(
      'unchecked: not active yet: "www.example.com" is FailedNotVisible',
    );
    expect(last(statusOf('RenewalFailed', 'Active', 'Active'))).toBe(
      'unchecked: not active yet: its certificate is RenewalFailed',
    );
  });

  test('that can never be provisioned has failed', () => {
    expect(last(statusOf('Provisioning', 'FailedCaaForbidden', 'Provisioning'))).toBe(
      'failed: FailedCaaForbidden: ManagedCertificate "web": no certificate may be issued for "web.example.com": its CAA records do not allow it',
    );
    expect(last(statusOf('ProvisioningFailedPermanently', 'Provisioning'))).toBe(
      'failed: ProvisioningFailedPermanently: ManagedCertificate "web": its certificate cannot be provisioned',
    );
  });

  test('is not failed by a status of before the change until its controller had 30 s to look', () => {
    const before = statusOf('Provisioning', 'FailedCaaChecking', 'Active');
    const object = written(before);
    expect(
      decidedOver(object, [{ at: 29, status: before }, { at: 30 }], 30).map((text) =>
        text.split(':').slice(0, 2).join(':'),
      ),
    ).toEqual(['progressing: waiting for the controller', 'failed: FailedCaaChecking']);
    expect(decidedOver(object, [{ at: 1, status: before }], 1, { changed: false }).at(-1)).toMatch(
      /^failed: FailedCaaChecking/,
    );
  });

  test('that was not changed is judged as it is', () => {
    const status = statusOf('Active', 'Active', 'Active');
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: active']);
  });
});

test.each([
  ['cloud.google.com/v1', 'BackendConfig'],
  ['networking.gke.io/v1beta1', 'FrontendConfig'],
  ['networking.gke.io/v1', 'MultiClusterService'],
  ['net.gke.io/v1', 'ServiceExport'],
  ['net.gke.io/v1', 'ServiceImport'],
  ['multicluster.x-k8s.io/v1alpha1', 'ServiceExport'],
])('%s %s is ready when it is applied, changed or not', (apiVersion, kind) => {
  const object = custom(apiVersion, kind);
  expect(decidedOver(object, [{ at: 0 }], 0)).toEqual(['ready: applied']);
  expect(decidedOver(object, [{ at: 0 }], 0, { changed: false })).toEqual(['ready: applied']);
});

test('a MultiClusterIngress tells its address', () => {
  const object = custom('networking.gke.io/v1', 'MultiClusterIngress');
  expect(decidedOver(object, [{ at: 0 }, { at: 1, status: { VIP: '203.0.113.7' } }], 1)).toEqual([
    'ready: applied',
    'ready: its address is 203.0.113.7',
  ]);
});

const policies = [
  'GCPBackendPolicy',
  'GCPGatewayPolicy',
  'HealthCheckPolicy',
  'GCPSessionAffinityPolicy',
  'GCPTrafficDistributionPolicy',
  'GCPAuthzPolicy',
  'GCPClientTLSPolicy',
  'GCPServerTLSPolicy',
];

describe.each(policies)('a %s', (kind) => {
  const written = (status?: JsonObject) =>
    custom('networking.gke.io/v1', kind, {
      spec: { targetRef: { group: '', kind: 'Service', name: 'web' } },
      ...(status && { status }),
    });
  const attached = (generation: number, seconds = 2) =>
    of(generation, conditionAt('Attached', 'True', 'Attached', '', seconds));
  const refused = (generation: number, reason: string, seconds = 2) =>
    of(generation, conditionAt('Attached', 'False', reason, `policy is ${reason}`, seconds));

  test('is ready once it is attached for this generation', () => {
    const before = { conditions: [attached(1, -900)] };
    expect(
      decidedOver(
        written(before),
        [
          { at: 1, status: before },
          { at: 2, status: { conditions: [attached(2, -900)] } },
        ],
        2,
      ),
    ).toEqual(['progressing: waiting for the controller', 'ready: attached']);
  });

  test.each(['Conflicted', 'Invalid'])('that is %s has 30 s', (reason) => {
    const status = { conditions: [refused(1, reason)] };
    expect(decidedOver(justMade(written()), [{ at: 2, status }, { at: 31 }, { at: 32 }], 32)).toEqual([
      `progressing: policy is ${reason}`,
      `progressing: policy is ${reason}`,
      `failed: ${reason}: ${kind} "web": policy is ${reason}`,
    ]);
  });

  test('whose target comes later waits for it, and one that was refused before is not failed by that', () => {
    const missing = { conditions: [refused(1, 'TargetNotFound')] };
    expect(decidedOver(justMade(written()), [{ at: 2, status: missing }, { at: 121 }], 121).at(-1)).toBe(
      'progressing: policy is TargetNotFound',
    );
    const found = { conditions: [attached(1, 90)] };
    const late = [
      { at: 2, status: missing },
      { at: 90, status: found },
    ];
    expect(decidedOver(justMade(written()), late, 90).at(-1)).toBe('ready: attached');
    const before = { conditions: [refused(1, 'Invalid', -900)] };
    expect(decidedOver(written(before), [{ at: 100, status: before }], 100).at(-1)).toBe(
      'progressing: not Attached yet: Invalid: policy is Invalid',
    );
  });

  test('whose target does not come within 120 s has failed', () => {
    const missing = { conditions: [refused(1, 'TargetNotFound')] };
    expect(decidedOver(justMade(written()), [{ at: 2, status: missing }], 122).at(-1)).toBe(
      `failed: TargetNotFound: ${kind} "web": policy is TargetNotFound`,
    );
  });

  test('is not taken for attached to all by what was written since for one of its ancestors', () => {
    const ancestor = (name: string, seconds: number) => ({
      ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
      controllerName: 'networking.gke.io/gateway',
      conditions: [conditionAt('Attached', 'True', 'Attached', '', seconds)],
    });
    const before = { ancestors: [ancestor('edge', -100), ancestor('inner', -100)] };
    const shown = { ancestors: [ancestor('edge', 1), ancestor('inner', -100)] };
    expect(decidedOver(written(before), [{ at: 2, status: shown }, { at: 10 }], 10)).toEqual([
      'progressing: attached; checking that it stays so',
      'ready: attached',
    ]);
  });

  test('has to be attached for each of its ancestors', () => {
    const ancestor = (name: string, condition: JsonObject) => ({
      ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name },
      controllerName: 'networking.gke.io/gateway',
      conditions: [condition],
    });
    const last = (...ancestors: JsonObject[]) =>
      decidedOver(justMade(written()), [{ at: 2, status: { ancestors } }], 2).at(-1);
    expect(last(ancestor('edge', attached(1)), ancestor('inner', attached(1)))).toBe('ready: attached');
    expect(last(ancestor('edge', attached(1)), ancestor('inner', refused(1, 'Conflicted')))).toBe(
      'progressing: policy is Conflicted',
    );
  });

  test('whose conditions name no generation has to stay as it is for 10 s', () => {
    const told = [conditionAt('Attached', 'True', 'Attached', '', -900)];
    const ancestor = { ancestorRef: { name: 'edge' }, controllerName: 'networking.gke.io/gateway', conditions: told };
    for (const status of [{ conditions: told }, { ancestors: [ancestor] }])
      expect(decidedOver(written(status), [{ at: 9, status }, { at: 10 }], 10)).toEqual([
        'progressing: attached; checking that it stays so',
        'ready: attached',
      ]);
  });

  test('that no Gateway makes anything of is accepted after a minute', () => {
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      silent,
    ]);
    expect(decidedOver(justMade(written()), [{ at: 1 }], 1, { changed: false })).toEqual([silent]);
  });
});

const extensions = [
  'GCPTrafficExtension',
  'GCPRoutingExtension',
  'GCPEdgeExtension',
  'GCPAuthzExtension',
  'GCPWasmPlugin',
];

describe.each(extensions)('a %s', (kind) => {
  const written = () =>
    justMade(custom('networking.gke.io/v1', kind, { spec: { targetRefs: [{ kind: 'Gateway', name: 'edge' }] } }));
  const statusOf = (status: string, reason: string, ...others: JsonObject[]) => ({
    ancestors: [
      {
        ancestorRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' },
        controllerName: 'networking.gke.io/gateway',
        conditions: [of(1, conditionAt('Accepted', status, reason, `it is ${reason}`, 2)), ...others],
      },
    ],
  });

  test('is ready once it is accepted', () => {
    const shown = [
      { at: 1 },
      { at: 2, status: statusOf('False', 'Internal') },
      { at: 90, status: statusOf('True', 'Accepted') },
    ];
    expect(decidedOver(written(), shown, 90)).toEqual([
      'progressing: waiting for the controller',
      'progressing: not Accepted yet: Internal: it is Internal',
      'ready: accepted',
    ]);
  });

  test('whose Service is not there yet waits for it', () => {
    const refs = (status: string, reason: string) => of(1, conditionAt('ResolvedRefs', status, reason, '', 2));
    const shown = [
      { at: 2, status: statusOf('True', 'Accepted', refs('False', 'ExtensionServiceNotFound')) },
      { at: 60, status: statusOf('True', 'Accepted', refs('True', 'ResolvedRefs')) },
    ];
    expect(decidedOver(written(), shown, 60)).toEqual([
      'progressing: not ResolvedRefs yet: ExtensionServiceNotFound',
      'ready: accepted, resolved refs',
    ]);
  });

  test('that is refused has 30 s', () => {
    expect(
      decidedOver(written(), [{ at: 2, status: statusOf('False', 'NotAllowed') }, { at: 31 }, { at: 32 }], 32),
    ).toEqual([
      'progressing: it is NotAllowed',
      'progressing: it is NotAllowed',
      `failed: NotAllowed: ${kind} "web": it is NotAllowed`,
    ]);
  });
});
