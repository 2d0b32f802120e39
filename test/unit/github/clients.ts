import { createGitHub, type GitHubClient, type GitHubOptions } from '../../../src/github/client.ts';
import { GitHubError } from '../../../src/github/github-error.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import type { FakeGitHub } from '../../support/github/fake-github.ts';

/** A client of the loopback GitHub, for which time passes at once. */
export async function clientOf(fake: FakeGitHub, changes: Partial<GitHubOptions> = {}): Promise<GitHubClient> {
  const { id, owner, name } = fake.state.repository;
  return await createGitHub({
    token: fake.token,
    apiUrl: fake.apiUrl,
    serverUrl: fake.serverUrl,
    repository: { id, owner, name },
    clock: new HastyClock(),
    env: {},
    random: () => 0.5,
    ...changes,
  });
}

/** What GitHub would not do. @throws when it has done it, or has failed in another way */
export async function problemOf(call: Promise<unknown>): Promise<GitHubError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof GitHubError) return error;
    throw error;
  }
  throw new Error('GitHub has done it');
}
