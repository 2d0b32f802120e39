import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { Failures, type Failure } from '../../../src/base/errors.ts';
import type { Json } from '../../../src/base/json.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { parseManifests } from '../../../src/manifests/read/yaml.ts';

/** A manifest as it would come out of a file of its own. */
export function manifest(object: Record<string, Json>, file = 'test.yaml'): Manifest {
  const [first] = parseManifests(JSON.stringify({ metadata: { name: 'test' }, apiVersion: 'v1', ...object }), file);
  if (first === undefined) throw new Error('the builder made no manifest');
  return first;
}

/** A Deployment with a container for each image; `web`, unless named otherwise. */
export function deployment(images: readonly string[], name = 'web'): Manifest {
  const containers = images.map((image, index) => ({ name: `c${index}`, image }));
  return manifest({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { template: { spec: { containers } } },
  });
}

/** What `work` throws; fails the test when it throws nothing. */
export function thrownBy(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('nothing was thrown');
}

/** The problems that were thrown together; fails the test when it was anything else. */
export function problemsIn(thrown: unknown): readonly Failure[] {
  if (thrown instanceof Failures) return thrown.all;
  throw new Error('not several problems', { cause: thrown });
}

/** Runs `work` in a new folder that holds the given files, by their paths. */
export async function inFolder<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'manifests-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
    }
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
