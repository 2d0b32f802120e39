import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { demandOf, limitsOf } from '../../../src/capacity/demand.ts';
import { withDefaults } from '../../../src/capacity/limit-range.ts';
import { amountOf, formatAmount, isAmount } from '../../../src/capacity/quantity.ts';
import { live } from '../../support/rollout-objects.ts';
import { containerWith, templateWith } from './build.ts';

describe('a quantity', () => {
  test.each([
    ['cpu', '500m', 500],
    ['cpu', '0.1', 100],
    ['cpu', '2', 2000],
    ['cpu', 2, 2000],
    ['cpu', 0.25, 250],
    ['cpu', '100u', 1],
    ['requests.cpu', '1500m', 1500],
    ['memory', '1.5Gi', 1_610_612_736],
    ['memory', '128Mi', 134_217_728],
    ['memory', '1G', 1_000_000_000],
    ['memory', '1e3', 1000],
    ['memory', '1E3', 1000],
    ['memory', '1E', 1e18],
    ['memory', '.5Ki', 512],
    ['memory', '1500m', 2],
    ['nvidia.com/gpu', '2', 2],
    ['pods', '110', 110],
    ['memory', 'lots', 0],
    ['memory', undefined, 0],
  ])('%s of %j is %d', (resource, text, amount) => {
    expect(amountOf(resource, text)).toBe(amount);
  });

  test.each([
    ['cpu', 2000, '2'],
    ['limits.cpu', 1250, '1250m'],
    ['memory', 2 * 1024 ** 3, '2Gi'],
    ['memory', 1536 * 1024 ** 2, '1536Mi'],
    ['memory', 1_000_000_001, '953Mi'],
    ['memory', 0, '0'],
    ['nvidia.com/gpu', 3, '3'],
    ['requests.memory', 512, '512'],
  ])('%s of %d is written as %s', (resource, amount, text) => {
    expect(formatAmount(resource, amount)).toBe(text);
  });
});

describe('what a pod asks a node for', () => {
  const sidecar = (requests: JsonObject) => containerWith(requests, { name: 'sidecar', restartPolicy: 'Always' });

  test.each<[string, JsonObject, Record<string, number>]>([
    ['nothing, when nothing is said', templateWith(), {}],
    [
      'the sum of its containers',
      templateWith({}, { containers: [containerWith({ cpu: '1' }), containerWith({ cpu: '500m', memory: '1Ki' })] }),
      { cpu: 1500, memory: 1024 },
    ],
    [
      'the limit where there is no request, as for every GPU',
      templateWith({}, { containers: [containerWith({}, { limits: { cpu: '2', 'nvidia.com/gpu': '1' } })] }),
      { cpu: 2000, 'nvidia.com/gpu': 1 },
    ],
    [
      'the request where there is a limit too',
      templateWith({}, { containers: [containerWith({ cpu: '1' }, { limits: { cpu: '2' } })] }),
      { cpu: 1000 },
    ],
    [
      'what its largest init container needs, when that is more',
      templateWith(
        { cpu: '1', memory: '4Ki' },
        { initContainers: [containerWith({ cpu: '3' }), containerWith({ cpu: '2' })] },
      ),
      { cpu: 3000, memory: 4096 },
    ],
    [
      'its sidecars all the time',
      templateWith({ cpu: '1' }, { initContainers: [sidecar({ cpu: '1' })] }),
      { cpu: 2000 },
    ],
    [
      'a sidecar beside the init container after it',
      templateWith({ cpu: '1' }, { initContainers: [sidecar({ cpu: '1' }), containerWith({ cpu: '3' })] }),
      { cpu: 4000 },
    ],
    [
      'no sidecar beside the init container before it',
      templateWith({ cpu: '1' }, { initContainers: [containerWith({ cpu: '3' }), sidecar({ cpu: '1' })] }),
      { cpu: 3000 },
    ],
    ['the overhead of its runtime', templateWith({ cpu: '1' }, { overhead: { cpu: '250m' } }), { cpu: 1250 }],
    [
      'what it says as a whole, devices excepted',
      templateWith(
        { cpu: '1', 'nvidia.com/gpu': '1' },
        { resources: { requests: { cpu: '3', 'nvidia.com/gpu': '9' } } },
      ),
      { cpu: 3000, 'nvidia.com/gpu': 1 },
    ],
    [
      'its limit as a whole where nobody requests anything',
      templateWith({ cpu: '1' }, { resources: { limits: { cpu: '3', memory: '1Ki' } } }),
      { cpu: 1000, memory: 1024 },
    ],
    [
      'the ports of its node',
      templateWith({}, { containers: [containerWith({}, { ports: [{ containerPort: 80, hostPort: 8080 }] })] }),
      { 'host port 8080/TCP': 1 },
    ],
    [
      'all its ports, when it uses the network of its node',
      templateWith(
        {},
        { hostNetwork: true, containers: [containerWith({}, { ports: [{ containerPort: 53, protocol: 'UDP' }] })] },
      ),
      { 'host port 53/UDP': 1 },
    ],
  ])('is %s', (_, template, expected) => {
    expect(Object.fromEntries(demandOf(template, 1).perPod)).toEqual({ pods: 1, ...expected });
  });

  test('counts once for each pod', () => {
    const { perPod, total } = demandOf(templateWith({ 'nvidia.com/gpu': '2' }), 3);
    expect([perPod.get('nvidia.com/gpu'), total.get('nvidia.com/gpu'), total.get('pods')]).toEqual([2, 6, 3]);
  });

  test('is no limit where a container has none', () => {
    const spec = { containers: [containerWith({}, { limits: { cpu: '2' } }), containerWith({ memory: '1Ki' })] };
    expect(Object.fromEntries(limitsOf({ ...spec, overhead: { cpu: '1', memory: '1Ki' } }))).toEqual({ cpu: 3000 });
  });
});

describe('the defaults of a LimitRange', () => {
  const range = live('LimitRange', {
    apiVersion: 'v1',
    spec: {
      limits: [
        { type: 'Pod', max: { cpu: '64' } },
        { type: 'Container', default: { cpu: '2', memory: '1Gi' }, defaultRequest: { cpu: '1', memory: '512Mi' } },
      ],
    },
  });
  const resourcesOf = (requests: JsonObject, limits: JsonObject = {}) => {
    const template = templateWith({}, { containers: [containerWith(requests, { limits })] });
    const spec = withDefaults(template, [range])['spec'] as { containers: { resources: JsonObject }[] };
    return spec.containers[0]?.resources;
  };

  test('fill what a container leaves out', () => {
    expect(resourcesOf({})).toEqual({ requests: { cpu: '1', memory: '512Mi' }, limits: { cpu: '2', memory: '1Gi' } });
    expect(resourcesOf({ cpu: '3' })).toMatchObject({ requests: { cpu: '3', memory: '512Mi' } });
  });

  test('come after the limit that stands for a missing request', () => {
    expect(resourcesOf({}, { cpu: '1500m' })).toEqual({
      requests: { cpu: '1500m', memory: '512Mi' },
      limits: { cpu: '1500m', memory: '1Gi' },
    });
  });

  test('leave the template as it was', () => {
    const template = templateWith();
    withDefaults(template, [range]);
    expect(template).toEqual(templateWith());
  });
});

test.each(['3e4567890', '1e99999999', '7'.repeat(101)])('a number of unbounded size is no amount: %s', (text) => {
  expect(isAmount(text)).toBe(false);
  expect(amountOf('memory', text)).toBe(0);
});
