import { systemClock } from '../base/clock.ts';
import { createGitHub, type GitHubClient } from '../github/client.ts';
import { workflowPlace } from '../github/event.ts';

/** Connects to the GitHub of the run. It may have to ask for the id of the repository. @throws GitHubError */
export type ConnectGitHub = () => Promise<GitHubClient>;

/**
 * How to reach GitHub: once, by whoever asks first. It goes on when the run is cancelled, for that has to be told as well.
 * @param patienceMs for how long the run waits for GitHub in all
 * @returns undefined without a token, and where this is no run of a workflow
 */
export function gitHubOf(
  token: string | undefined,
  env: NodeJS.ProcessEnv,
  patienceMs?: number,
): ConnectGitHub | undefined {
  const place = workflowPlace(env);
  if (token === undefined || place === undefined) return undefined;
  let connected: Promise<GitHubClient> | undefined;
  return async () => await (connected ??= createGitHub({ ...place, token, clock: systemClock, env, patienceMs }));
}
