import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { setSessionAffinity } from '../../../src/manifests/session-affinity.ts';
import { manifestOf, objectOf } from '../release/build.ts';

function service(spec: JsonObject, name = 'web', annotations: Record<string, string> = {}): KubernetesObject {
  return objectOf('v1', 'Service', { spec }, { name, annotations });
}

const outside = { type: 'LoadBalancer', selector: { app: 'web' } };
const input = (affinity: string | undefined, timeoutMs = 1_800_000, services: string[] = []) => ({
  affinity,
  timeoutMs,
  services,
});

test('is set with its time, taken away with it, and left alone by default', () => {
  const manifest = manifestOf(service({ ...outside }));
  expect(setSessionAffinity([manifest], input(undefined), [])).toEqual([]);
  expect(manifest.object['spec']).toEqual(outside);
  expect(setSessionAffinity([manifest], input('client-ip'), [])).toEqual(['web']);
  expect(manifest.object['spec']).toEqual({
    ...outside,
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 1800 } },
  });
  setSessionAffinity([manifest], input('none'), []);
  expect(manifest.object['spec']).toEqual({ ...outside, sessionAffinity: 'None' });
});

test('that could have no effect, or that Kubernetes would not accept, is an error', () => {
  const external = manifestOf(service({ type: 'ExternalName', externalName: 'example.com' }));
  expect(() => setSessionAffinity([external], input('client-ip'), [])).toThrow(
    'the input "session-affinity" has no effect: there is no Service in the manifests',
  );
  expect(() => setSessionAffinity([manifestOf(service({}))], input('client-ip', 90_000_000), [])).toThrow(
    'which Kubernetes does not accept',
  );
  expect(() => setSessionAffinity([manifestOf(service({}))], input('client-ip'), [])).toThrow(
    'no Service in the manifests gets requests from outside: web',
  );
  expect(() => setSessionAffinity([manifestOf(service({}))], input('client-ip', 1000, ['chat']), [])).toThrow(
    'the input "session-affinity-services" has "chat", but the Services in the manifests are web',
  );
});

describe('which Services are meant', () => {
  const backend = { service: { name: 'behind', port: { number: 80 } } };
  const ingress = objectOf('networking.k8s.io/v1', 'Ingress', {
    spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }] },
  });
  const route = objectOf('gateway.networking.k8s.io/v1', 'HTTPRoute', {
    spec: { parentRefs: [{ name: 'gate' }], rules: [{ backendRefs: [{ name: 'routed', port: 80 }] }] },
  });
  const mesh = objectOf('networking.istio.io/v1', 'VirtualService', {
    spec: { http: [{ route: [{ destination: { host: 'meshed.shop.svc.cluster.local' } }] }] },
  });
  const elsewhere = objectOf('gateway.networking.k8s.io/v1', 'HTTPRoute', {
    spec: {
      rules: [
        {
          backendRefs: [
            { name: 'internal', namespace: 'other' },
            { name: 'internal', kind: 'Bucket' },
          ],
        },
      ],
    },
  });
  const services = [
    service({}, 'internal'),
    service({ type: 'NodePort' }, 'ported'),
    service({}, 'behind'),
    service({}, 'routed'),
    service({}, 'meshed'),
    service({}, 'grouped', { 'cloud.google.com/neg': '{"exposed_ports": {"80": {}}}' }),
  ].map((object) => manifestOf(object));

  test('those that requests from outside come to, by the manifests or by the cluster', () => {
    const manifests = [...services, manifestOf(ingress)];
    const names = setSessionAffinity(manifests, input('client-ip'), [route, mesh, elsewhere]);
    expect(names).toEqual(['ported', 'behind', 'routed', 'meshed', 'grouped']);
    expect(services[0]?.object['spec']).toEqual({});
  });

  test('or those that are named', () => {
    expect(setSessionAffinity(services, input('none', 1000, [' internal ']), [ingress])).toEqual(['internal']);
  });
});
