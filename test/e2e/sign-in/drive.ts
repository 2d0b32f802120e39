import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Step, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import type { FakeGoogle } from '../../support/google/fake-google.ts';
import { leaks } from './secrets.ts';

export interface RunOptions {
  /** Files of the workspace. */
  files?: Record<string, string | readonly object[]>;
  env?: Record<string, string>;
  /** Variables of the job and of Google's hosts; those of the fake Google by default. */
  job?: Record<string, string>;
  /** Secrets beside those that the fake Google knows. */
  secrets?: readonly string[];
  /** Called while the main step runs. */
  meanwhile?: (step: Step) => Promise<void>;
  /** Called between main and post. */
  between?: (main: StepResult) => Promise<void>;
}

export interface Ran {
  main: StepResult;
  post: StepResult;
  failure: { message: string; hint?: string };
  /** When the process was started: milliseconds since the epoch. */
  startedAt: number;
}

/**
 * Main and post step of one use of the packaged action. Whatever the test is about: afterwards no secret may show anywhere, and
 * the fake Google must have been asked nothing that the real one does not know.
 */
export async function runSignIn(
  google: FakeGoogle,
  inputs: Record<string, string>,
  options: RunOptions = {},
): Promise<Ran> {
  const workspace = createWorkspace(options.files ?? { 'README.md': 'nothing to deploy' });
  const step = new Step(
    { namespace: 'default', release: 'shop', ...inputs },
    {
      workspace,
      env: { ...(options.job ?? google.env), ...options.env },
    },
  );
  try {
    const startedAt = Date.now();
    const running = step.main();
    await options.meanwhile?.(step);
    const main = await running;
    await options.between?.(main);
    const post = await step.post();
    const found = leaks([...google.secrets, ...(options.secrets ?? [])], [main, post], [workspace, step.temp]);
    if (found.length > 0) throw new Error(`secrets show: ${found.join('; ')}`);
    if (google.violations.length > 0)
      throw new Error(`Google's APIs know no such thing: ${google.violations.join('; ')}`);
    const told = main.outputs['failure'] ?? '';
    const failure = JSON.parse(told === '' ? '{}' : told) as Ran['failure'];
    return { main, post, failure, startedAt };
  } finally {
    step.dispose();
    removeWorkspace(workspace);
  }
}

/** A folder for files that a test hands in, apart from the workspace and RUNNER_TEMP, in which nothing may be left. */
export function scratch(files: Record<string, string>, mode = 0o600): string {
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-scratch-'));
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode });
  return folder;
}
