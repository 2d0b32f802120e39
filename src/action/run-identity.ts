import { randomUUID } from 'node:crypto';

import { workflowPlace } from '../github/event.ts';
import type { Repository } from '../github/github.ts';
import type { RunIdentity } from '../release/run-identity.ts';
import { commitOfRun, gitHubRun } from './github-run.ts';

/**
 * Who runs, from the variables that the runner sets. Nothing in them tells the jobs of a matrix apart, hence `nonce`; the
 * post step takes the holder from the saved state instead.
 */
export function runIdentity(env: NodeJS.ProcessEnv, nonce: string = randomUUID().slice(0, 8)): RunIdentity {
  const github = gitHubRun(env);
  const commit = (github === undefined ? undefined : commitOfRun(github)) ?? env['GITHUB_SHA'];
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT } = env;
  const { GITHUB_JOB, GITHUB_ACTION, GITHUB_ACTOR } = env;
  const repository = GITHUB_REPOSITORY ?? 'local';
  const parts = [repository, GITHUB_RUN_ID, GITHUB_RUN_ATTEMPT, GITHUB_JOB, GITHUB_ACTION, nonce];
  return {
    holder: parts.filter((part) => part !== undefined && part !== '').join('/'),
    ...(GITHUB_SERVER_URL === undefined || GITHUB_RUN_ID === undefined
      ? {}
      : { url: `${GITHUB_SERVER_URL}/${repository}/actions/runs/${GITHUB_RUN_ID}` }),
    ...(GITHUB_ACTOR === undefined ? {} : { actor: GITHUB_ACTOR }),
    ...(commit === undefined ? {} : { commit }),
  };
}

/** The repository of the workflow; undefined outside of one, and where the runner does not tell its number. */
export function repositoryOfRun(env: NodeJS.ProcessEnv): Repository | undefined {
  const place = workflowPlace(env);
  const id = place?.repository.id;
  if (place === undefined || id === undefined) return undefined;
  const { owner, name } = place.repository;
  return { id, owner, name, url: `${place.serverUrl.replace(/\/$/, '')}/${owner}/${name}` };
}

/** The name of the repository, as a name that Kubernetes accepts: what a release is called by default. */
export function defaultRelease(env: NodeJS.ProcessEnv): string {
  const name = (env['GITHUB_REPOSITORY'] ?? '').split('/').at(-1) ?? '';
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .slice(0, 63)
    .replaceAll(/^-+|(?<!-)-+$/g, '');
  return label === '' ? 'default' : label;
}
