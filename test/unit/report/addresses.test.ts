import { expect, test } from '@jest/globals';

import { addressReports } from '../../../src/report/addresses.ts';
import { live, liveDeployment } from '../../support/rollout-objects.ts';

function service(port: number, ...ingress: { ip?: string; hostname?: string }[]) {
  const parts = { spec: { type: 'LoadBalancer', ports: [{ port }] }, status: { loadBalancer: { ingress } } };
  return live('Service', { apiVersion: 'v1', ...parts });
}

test.each([
  [80, { ip: '203.0.113.7' }, 'http://203.0.113.7'],
  [443, { hostname: 'web.example.com' }, 'https://web.example.com'],
  [8080, { ip: '2001:db8::7' }, 'http://[2001:db8::7]:8080'],
])('a Service at port %d of %j answers at %s', (port, ingress, url) => {
  expect(addressReports(service(port, ingress)).map((report) => report.url)).toEqual([url]);
});

test('a Service without an address, and what is no Service, answers nowhere', () => {
  expect([service(80), liveDeployment(), undefined].flatMap((object) => addressReports(object))).toEqual([]);
});
