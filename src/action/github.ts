import { systemClock } from '../base/clock.ts';
import { createGitHub, type GitHubClient } from '../github/client.ts';

/** Connects to the GitHub of the run. It may have to ask for the id of the repository. @throws GitHubError */
export type ConnectGitHub = () => Promise<GitHubClient>;

/**
 * How to reach GitHub: once, by whoever asks first. It goes on when the run is cancelled, for that has to be told as well.
 * @param patienceMs for how long the run waits for GitHub in all
 * @returns undefined without a token, and where the runner does not say where GitHub is
 */
export function gitHubOf(
  token: string | undefined,
  env: NodeJS.ProcessEnv,
  patienceMs?: number,
): ConnectGitHub | undefined {
  const { GITHUB_SERVER_URL: serverUrl = '', GITHUB_API_URL: apiUrl = '' } = env;
  const [owner = '', name = ''] = (env['GITHUB_REPOSITORY'] ?? '').split('/');
  if (token === undefined || serverUrl === '' || apiUrl === '' || owner === '' || name === '') return undefined;
  const known = /^[1-9]\d{0,15}$/.exec(env['GITHUB_REPOSITORY_ID'] ?? '');
  const id = known === null ? undefined : Number(known[0]);
  let connected: Promise<GitHubClient> | undefined;
  return async () =>
    await (connected ??= createGitHub({
      token,
      apiUrl,
      serverUrl,
      repository: { owner, name, id },
      clock: systemClock,
      env,
      patienceMs,
    }));
}
