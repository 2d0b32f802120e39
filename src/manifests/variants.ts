import { basename } from 'node:path';

import type { Manifest } from './manifest.ts';

export type Strategy = 'rolling' | 'canary' | 'blue-green';

/** `web-canary.yaml`, `web-canary.v2.yaml`: manifests of one strategy only. */
const variant = /-(?<name>canary|blue|green)\./;

const variantsOf: Readonly<Record<Strategy, readonly string[]>> = {
  rolling: [],
  canary: ['canary'],
  'blue-green': ['blue', 'green'],
};

/** Parts the manifests into those that the strategy takes and those that are meant for another one. */
export function selectVariants(
  manifests: readonly Manifest[],
  strategy: Strategy,
): { taken: Manifest[]; left: Manifest[] } {
  const isTaken = ({ source }: Manifest) => {
    const name = variant.exec(basename(source.file))?.groups?.['name'];
    return name === undefined || variantsOf[strategy].includes(name);
  };
  return { taken: manifests.filter(isTaken), left: manifests.filter((manifest) => !isTaken(manifest)) };
}
