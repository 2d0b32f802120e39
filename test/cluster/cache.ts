import { mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Where builds and the state of clusters lie; nothing of it is part of the repository. */
export const cacheFolder = process.env['GKE_ROLLOUT_CACHE'] ?? join(homedir(), '.cache/gke-rollout');

/** Writes a file and the folders above it; returns its path. */
export function write(path: string, data: string | Buffer): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, data);
  return path;
}
