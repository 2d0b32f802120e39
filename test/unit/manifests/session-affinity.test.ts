import { expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { setSessionAffinity } from '../../../src/manifests/session-affinity.ts';
import { manifestOf } from '../release/build.ts';

function service(spec: Record<string, string | object>): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: spec as never };
}

test('is set with its time, taken away with it, and left alone by default', () => {
  const manifest = manifestOf(service({ selector: { app: 'web' } }));
  setSessionAffinity([manifest], undefined, 1000);
  expect(manifest.object['spec']).toEqual({ selector: { app: 'web' } });
  setSessionAffinity([manifest], 'client-ip', 1_800_000);
  expect(manifest.object['spec']).toEqual({
    selector: { app: 'web' },
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 1800 } },
  });
  setSessionAffinity([manifest], 'none', 1_800_000);
  expect(manifest.object['spec']).toEqual({ selector: { app: 'web' }, sessionAffinity: 'None' });
});

test('that could have no effect, or that Kubernetes would not accept, is an error', () => {
  const external = manifestOf(service({ type: 'ExternalName', externalName: 'example.com' }));
  expect(() => {
    setSessionAffinity([external], 'client-ip', 1000);
  }).toThrow('the input "session-affinity" has no effect: there is no Service in the manifests');
  expect(() => {
    setSessionAffinity([manifestOf(service({}))], 'client-ip', 90_000_000);
  }).toThrow('which Kubernetes does not accept');
});
