/** The real toolkit with temporary files in place of the runner's, and what it wrote to stdout. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { jest } from '@jest/globals';

/** Runs `work` and returns the lines that reached stdout. */
export async function stdoutOf(work: () => Promise<void> | void): Promise<string[]> {
  let text = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    await work();
  } finally {
    write.mockRestore();
  }
  // As the runner reads it: at every kind of line break.
  return text.split(/\r\n|\r|\n/).filter((line) => line !== '');
}

/** Runs `work` with a file behind `variable` and returns its text. */
export async function fileOf(
  variable: 'GITHUB_OUTPUT' | 'GITHUB_STATE' | 'GITHUB_STEP_SUMMARY',
  work: () => Promise<void> | void,
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-action-'));
  const path = join(folder, 'file');
  const before = process.env[variable];
  writeFileSync(path, '');
  process.env[variable] = path;
  try {
    await work();
    return readFileSync(path, 'utf8');
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = before;
    rmSync(folder, { recursive: true });
  }
}

/** The `name<<delimiter` form in which the toolkit writes; the last value of a name counts, as for the runner. */
export function valuesOf(file: string): Record<string, string> {
  const entries = [
    ...file.matchAll(/^(?<name>[^\n<]+)<<(?<delimiter>ghadelimiter_\S+)\n(?<value>[^]*?)\n\k<delimiter>$/gm),
  ];
  return Object.fromEntries(entries.map(({ groups = {} }) => [groups['name'] ?? '', groups['value'] ?? '']));
}
