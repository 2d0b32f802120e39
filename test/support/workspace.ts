import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Text, bytes, or objects of a manifest. */
export type Content = string | Uint8Array | readonly object[];

/** A checkout: files by their path. JSON is YAML, so objects can be given as they are. */
export function createWorkspace(files: Readonly<Record<string, Content>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-workspace-'));
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, isObjects(content) ? content.map((object) => JSON.stringify(object)).join('\n---\n') : content);
  }
  return folder;
}

export function removeWorkspace(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

function isObjects(content: Content): content is readonly object[] {
  return Array.isArray(content);
}
