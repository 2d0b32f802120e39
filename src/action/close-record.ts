import { systemClock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import { DeploymentRecord, type SavedRecord } from './deployment-record.ts';
import { gitHubOf } from './github.ts';
import { gitHubRun } from './github-run.ts';
import type { Inputs } from './inputs.ts';
import { outcomeAfter, type Aftermath } from './record-outcome.ts';

/** How long the post step waits for GitHub, in ms. */
const closingMs = 7_000;

interface Left {
  record: SavedRecord;
  release: string;
  namespace: string;
}

/** Says in the record of a main step that was cancelled or killed what has become of its change. It throws nothing. */
export async function closeRecord(
  { record, release, namespace }: Left,
  aftermath: Aftermath,
  { githubToken }: Pick<Inputs, 'githubToken'>,
  { env, reporter }: { env: NodeJS.ProcessEnv; reporter: Reporter },
): Promise<void> {
  const outcome = outcomeAfter(aftermath);
  const github = gitHubOf(githubToken, env, closingMs);
  const run = gitHubRun(env);
  if (outcome === undefined || github === undefined || run === undefined) return;
  const { id, ...subject } = record;
  const left = new DeploymentRecord({ github, clock: systemClock, reporter, run }, { ...subject, release, namespace });
  left.resume(id);
  await left.close(outcome, closingMs);
}
