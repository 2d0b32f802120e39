import { createHash } from 'node:crypto';

import { configMap, deployment, service } from '../../../test/support/objects.ts';
import type { Content } from '../../../test/support/workspace.ts';

/** A Deployment of one pod, a Service, and ConfigMaps up to `count` objects. Of another version, all but the Service differ. */
export function releaseOf(count: number, version = '1'): object[] {
  return [
    ...(count > 2 ? [service('web')] : []),
    ...Array.from({ length: Math.max(0, count - 2) }, (_, index) =>
      configMap(`config-${index}`, { key: `value ${index} of ${version}` }),
    ),
    deployment('web', { env: { RELEASE: version } }),
  ];
}

/**
 * The same of many objects: ConfigMaps of 1 kB that does not compress well, and every tenth a Service. They have no address,
 * for a cluster has no thousands of them.
 */
export function largeRelease(count: number, version = '1'): object[] {
  return [
    ...Array.from({ length: count - 1 }, (_, index) =>
      index % 10 === 0
        ? service(`service-${index}`, { clusterIP: 'None' })
        : configMap(`config-${index}`, { 'app.conf': textOf(`${index} ${version}`) }),
    ),
    deployment('web', { env: { RELEASE: version } }),
  ];
}

function textOf(seed: string): string {
  const lines = Array.from({ length: 13 }, (_, line) => createHash('sha256').update(`${seed} ${line}`).digest('hex'));
  return lines.map((value, line) => `key.${line}: ${value}`).join('\n');
}

/** Files with the same objects for all tools: plain, and as a chart for helm. */
export function filesOf(objects: readonly object[], version = '1'): Record<string, Content> {
  const metadata = { apiVersion: 'v2', name: 'bench', version: '1.0.0' };
  return {
    [`v${version}.yaml`]: objects,
    [`v${version}-chart/Chart.yaml`]: [metadata],
    [`v${version}-chart/templates/all.yaml`]: objects,
  };
}

/** The files of two versions of a release. */
export function twoVersions(of: (version: string) => readonly object[]): Record<string, Content> {
  return { ...filesOf(of('1'), '1'), ...filesOf(of('2'), '2') };
}
