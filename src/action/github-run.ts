import { readEvent, workflowPlace, type WorkflowEvent } from '../github/event.ts';

/**
 * The run of GitHub Actions that this process is a part of. Every address comes from what the runner says, so that it is right on
 * a server of one's own, too.
 */
export interface GitHubRun {
  /** `https://github.com/acme/shop` */
  repository: string;
  /** The page of the run: `https://github.com/acme/shop/actions/runs/42` */
  url: string;
  /** The same, of this attempt where it was run again. */
  attemptUrl: string;
  event: WorkflowEvent;
  /** Who has started it. */
  actor?: string;
  /** The full hash that it was started for: with pull requests that of the merge that GitHub has made for trying. */
  sha?: string;
  /** Where the event is about one. */
  pullRequest?: { number: number; url: string };
}

/** The full hash of a commit, SHA-1 or SHA-256. */
export const fullHash = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** Undefined where this is no run of GitHub Actions. */
export function gitHubRun(env: NodeJS.ProcessEnv): GitHubRun | undefined {
  const place = workflowPlace(env);
  const id = env['GITHUB_RUN_ID'] ?? '';
  const attempt = env['GITHUB_RUN_ATTEMPT'] ?? '';
  if (place === undefined || !/^\d+$/.test(id)) return undefined;
  const { owner, name } = place.repository;
  const repository = `${place.serverUrl.replace(/\/$/, '')}/${owner}/${name}`;
  const url = `${repository}/actions/runs/${id}`;
  const { GITHUB_ACTOR: actor = '', GITHUB_SHA: sha = '' } = env;
  const event = readEvent(env);
  const number = 'number' in event ? event.number : undefined;
  return {
    repository,
    url,
    attemptUrl: /^\d+$/.test(attempt) && attempt !== '1' ? `${url}/attempts/${attempt}` : url,
    event,
    ...(actor === '' ? {} : { actor }),
    ...(fullHash.test(sha) ? { sha } : {}),
    ...(number === undefined ? {} : { pullRequest: { number, url: `${repository}/pull/${number}` } }),
  };
}

/**
 * The commit that a deploy of the run brings in: in `pull_request` events the newest of the branch, since the merge that GitHub
 * makes for trying shows nowhere. Other events are about what is checked out where nothing else is asked for.
 */
export function commitOfRun({ event, sha }: GitHubRun): string | undefined {
  return event.name === 'pull_request' && !event.merged ? event.headSha : sha;
}
