import { describe, expect, test } from '@jest/globals';

import { Failure } from '../../../src/base/errors.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { checkStatus, chooseEndpoint } from '../../../src/google/choose-endpoint.ts';

const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';

/** A cluster as container v1 describes it; `ip` and `dns` are its endpoint settings. */
function cluster({ ip = {}, dns, ...more }: { ip?: JsonObject; dns?: JsonObject } & JsonObject = {}): JsonObject {
  return {
    endpoint: '203.0.113.7',
    masterAuth: { clusterCaCertificate: Buffer.from(pem).toString('base64') },
    controlPlaneEndpointsConfig: { ipEndpointsConfig: ip, ...(dns === undefined ? {} : { dnsEndpointConfig: dns }) },
    ...more,
  };
}

const name = 'gke-0123.us-central1.gke.goog';
const open = { endpoint: name, allowExternalTraffic: true };
const closed = { endpoint: name, allowExternalTraffic: false };
const onlyInside = { enabled: true, enablePublicEndpoint: false, privateEndpoint: '10.0.0.2' };

describe('by itself it takes', () => {
  test.each<[string, JsonObject, string, string]>([
    ['the public address', cluster(), 'public', 'https://203.0.113.7'],
    ['the public address beside an open DNS endpoint', cluster({ dns: open }), 'public', 'https://203.0.113.7'],
    [
      'the DNS endpoint when its public address is for authorized networks only',
      cluster({ dns: open, ip: { authorizedNetworksConfig: { enabled: true } } }),
      'dns',
      `https://${name}`,
    ],
    [
      'the public address with authorized networks when there is nothing else',
      cluster({ dns: closed, masterAuthorizedNetworksConfig: { enabled: true } }),
      'public',
      'https://203.0.113.7',
    ],
    [
      'the DNS endpoint when addresses are off',
      cluster({ dns: open, ip: { enabled: false } }),
      'dns',
      `https://${name}`,
    ],
    [
      'the internal address when there is no other',
      cluster({ dns: closed, ip: onlyInside }),
      'internal',
      'https://10.0.0.2',
    ],
    [
      'the internal address of an older private cluster',
      cluster({
        ip: {},
        endpoint: '10.0.0.3',
        privateClusterConfig: { enablePrivateEndpoint: true, privateEndpoint: '10.0.0.3' },
      }),
      'internal',
      'https://10.0.0.3',
    ],
    [
      'the public address of a cluster whose nodes alone are private',
      cluster({
        privateClusterConfig: { enablePrivateNodes: true, privateEndpoint: '10.0.0.3', publicEndpoint: '203.0.113.9' },
      }),
      'public',
      'https://203.0.113.9',
    ],
  ])('%s', (_, description, kind, server) => {
    expect(chooseEndpoint(description, 'auto', 'bootcamp')).toMatchObject({ kind, server });
  });
});

test('an IPv6 address is a URL all the same', () => {
  expect(chooseEndpoint(cluster({ endpoint: '2001:db8::7' }), 'public', 'bootcamp').server).toBe(
    'https://[2001:db8::7]',
  );
});

test('the authority of the cluster counts for addresses, never for names with a public certificate (hashicorp/terraform-provider-kubernetes#2637)', () => {
  expect(chooseEndpoint(cluster(), 'public', 'bootcamp').ca).toBe(pem);
  expect(chooseEndpoint(cluster({ dns: open }), 'dns', 'bootcamp')).not.toHaveProperty('ca');
});

test('without the authority nobody is trusted', () => {
  expect(() => chooseEndpoint(cluster({ masterAuth: {} }), 'public', 'bootcamp')).toThrow(
    'GKE returned no certificate authority for cluster "bootcamp"',
  );
});

describe('what is off is said so, with what is there instead:', () => {
  test.each<[string, JsonObject, Parameters<typeof chooseEndpoint>[1], RegExp]>([
    ['public', cluster({ ip: onlyInside }), 'public', /or use "endpoint: internal" or "endpoint: connect-gateway"/],
    ['internal', cluster({ ip: { enabled: false }, dns: open }), 'internal', /or use "endpoint: dns" or/],
    ['dns', cluster({ dns: closed }), 'dns', /--enable-dns-access, or use "endpoint: public" or/],
    ['dns of old clusters', cluster(), 'dns', /--enable-dns-access/],
    ['all of them', cluster({ ip: { enabled: false }, dns: closed }), 'auto', /--enable-dns-access/],
    ['internal without an address', cluster(), 'internal', /choose another "endpoint"/],
  ])('%s', (_, description, wanted, hint) => {
    let hinted: string | undefined;
    try {
      chooseEndpoint(description, wanted, 'bootcamp');
    } catch (error) {
      hinted = error instanceof Failure ? error.hint : undefined;
    }
    expect(hinted).toMatch(hint);
  });
});

describe('a cluster that is', () => {
  const status = (value: string, more: JsonObject = {}) => checkStatus({ status: value, ...more }, 'bootcamp');

  test('RUNNING is fine', () => {
    expect(status('RUNNING')).toBeUndefined();
  });

  test.each([
    ['RECONCILING', 'its API server may be briefly unavailable'],
    ['DEGRADED', 'DEGRADED: no nodes'],
  ])('%s is warned of', (value, text) => {
    expect(status(value, { conditions: [{ code: 'UNKNOWN' }, { message: 'no nodes' }] })).toContain(text);
  });

  test.each(['PROVISIONING', 'STOPPING', 'ERROR'])('%s is an error that gives the reason', (value) => {
    expect(() => status(value, { statusMessage: 'out of quota' })).toThrow(new RegExp(`\\(${value}\\): out of quota`));
  });
});
