import { Failure } from '../base/errors.ts';
import { readBoundedFile } from '../base/bounded-file.ts';
import { booleanAt, numberAt, objectAt, stringAt, type Json } from '../base/json.ts';
import { limits } from '../base/limits.ts';

/** The run of GitHub Actions that this process is a part of. Every address comes from what the runner says, so that it is right on a server of one's own, too. */
export interface GitHubRun {
  /** `https://github.com/acme/shop` */
  repository: string;
  /** The page of the run: `https://github.com/acme/shop/actions/runs/42` */
  url: string;
  /** The same, of this attempt where it was run again. */
  attemptUrl: string;
  event: string;
  /** Who has started it. */
  actor?: string;
  /** The full hash that it was started for: with pull requests that of the merge that GitHub has made for trying. */
  sha?: string;
  /** Where the event is about one. */
  pullRequest?: PullRequestOfEvent;
}

interface PullRequestOfEvent {
  number: number;
  url: string;
  /** The newest commit of its branch. */
  headSha: string;
  /** It is part of the base branch by now, and that is what the run is about. */
  isMerged: boolean;
}

/** The full hash of a commit, SHA-1 or SHA-256. */
export const fullHash = /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/;

/** Undefined where this is no run of GitHub Actions. */
export function gitHubRun(env: NodeJS.ProcessEnv): GitHubRun | undefined {
  const server = env['GITHUB_SERVER_URL'] ?? '';
  const name = env['GITHUB_REPOSITORY'] ?? '';
  const id = env['GITHUB_RUN_ID'] ?? '';
  const attempt = env['GITHUB_RUN_ATTEMPT'] ?? '';
  if (!/^https?:\/\/[^\s/?#@]+(?:\/[^\s?#]*)?$/.test(server)) return undefined;
  if (!/^[\w.-]+\/[\w.-]+$/.test(name) || !/^\d+$/.test(id)) return undefined;
  const repository = `${server.replace(/\/$/, '')}/${name}`;
  const url = `${repository}/actions/runs/${id}`;
  const { GITHUB_EVENT_NAME: event = '', GITHUB_ACTOR: actor = '', GITHUB_SHA: sha = '' } = env;
  const pullRequest = pullRequestOf(env, repository);
  return {
    repository,
    url,
    attemptUrl: /^\d+$/.test(attempt) && attempt !== '1' ? `${url}/attempts/${attempt}` : url,
    event,
    ...(actor === '' ? {} : { actor }),
    ...(fullHash.test(sha) ? { sha } : {}),
    ...(pullRequest === undefined ? {} : { pullRequest }),
  };
}

/**
 * The commit that the run is about: of a pull request the newest of its branch, since the merge that GitHub makes for trying shows
 * nowhere.
 */
export function commitOfRun({ event, pullRequest, sha }: GitHubRun): string | undefined {
  return event === 'pull_request' && pullRequest?.isMerged === false ? pullRequest.headSha : sha;
}

/** Reads the event, which the runner leaves in a file. What is not as GitHub documents it counts as not there. */
function pullRequestOf(env: NodeJS.ProcessEnv, repository: string): PullRequestOfEvent | undefined {
  const path = env['GITHUB_EVENT_PATH'] ?? '';
  if (path === '') return undefined;
  const found = objectAt(eventIn(path), 'pull_request');
  const number = numberAt(found, 'number');
  const headSha = stringAt(found, 'head', 'sha') ?? '';
  if (number === undefined || !Number.isSafeInteger(number) || number < 1 || !fullHash.test(headSha)) return undefined;
  const isMerged = booleanAt(found, 'merged') === true;
  return { number, url: `${repository}/pull/${number}`, headSha, isMerged };
}

function eventIn(path: string): Json | undefined {
  try {
    return JSON.parse(readBoundedFile(path, 'the event', limits.event).toString('utf8')) as Json;
  } catch (error) {
    if (error instanceof Failure || error instanceof SyntaxError || (error as { code?: unknown }).code !== undefined)
      return undefined;
    throw error;
  }
}
