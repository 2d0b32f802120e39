import { readBoundedFile } from '../base/bounded-file.ts';
import { errorCode, Failure } from '../base/errors.ts';
import { at, booleanAt, isObject, numberAt, stringAt, type Json } from '../base/json.ts';
import { limits } from '../base/limits.ts';

/**
 * The event that started the run. Of what it says only numbers, hashes and names are kept: it is as old as the run, so that
 * what is wanted is for the API to say.
 */
export type WorkflowEvent =
  | {
      /** `pull_request_target` runs with all rights, on the workflow of the default branch. */
      name: 'pull_request' | 'pull_request_target';
      number: number;
      /** `opened`, `synchronize`, `closed` and the like. */
      action: string;
      /** The newest commit of the branch when the event happened. */
      headSha: string;
      /** Only ever true of one that is closed. */
      merged: boolean;
    }
  /** A queue tries a group of pull requests; its ref goes away again. */
  | { name: 'merge_group' }
  | { name: 'schedule' }
  | { name: 'workflow_dispatch' }
  | {
      name: 'workflow_run';
      /** The newest commit of the branch that the other workflow ran for. */
      headSha: string;
      /** Of pull requests of the repository itself; those of forks are not told. */
      pullRequests: readonly number[];
    }
  | {
      name: 'delete';
      /** What went away, without `refs/heads/`. */
      branch: string;
    }
  | { name: 'push' }
  | {
      /** One that this action has no rule for, or whose payload is not as GitHub documents it. */
      name: 'other';
      event: string;
    };

type Environment = Readonly<Record<string, string | undefined>>;

/** From `GITHUB_EVENT_NAME` and the file `GITHUB_EVENT_PATH`. A payload that cannot be read counts as one that says nothing. */
export function readEvent(env: Environment): WorkflowEvent {
  const event = env['GITHUB_EVENT_NAME'] ?? '';
  const path = env['GITHUB_EVENT_PATH'] ?? '';
  return eventOf(event, path === '' ? undefined : payloadIn(path));
}

/** @param event as `GITHUB_EVENT_NAME` has it */
export function eventOf(event: string, payload: Json | undefined): WorkflowEvent {
  const other: WorkflowEvent = { name: 'other', event: /^\w{1,60}$/.test(event) ? event : '' };
  switch (event) {
    case 'pull_request':
    case 'pull_request_target':
      return pullRequestEvent(event, payload) ?? other;
    case 'workflow_run':
      return workflowRunEvent(payload) ?? other;
    case 'delete': {
      const branch = stringAt(payload, 'ref') ?? '';
      return stringAt(payload, 'ref_type') === 'branch' && isLine(branch) ? { name: event, branch } : other;
    }
    case 'merge_group':
    case 'schedule':
    case 'workflow_dispatch':
    case 'push':
      return { name: event };
    default:
      return other;
  }
}

/** The pull request that the event is about; undefined where it is about none, or about several. */
export function pullRequestOf(event: WorkflowEvent): number | undefined {
  switch (event.name) {
    case 'pull_request':
    case 'pull_request_target':
      return event.number;
    case 'workflow_run':
      return event.pullRequests.length === 1 ? event.pullRequests[0] : undefined;
    case 'merge_group':
    case 'schedule':
    case 'workflow_dispatch':
    case 'delete':
    case 'push':
    case 'other':
      return undefined;
  }
}

/**
 * The commit that the run is about. With pull requests the runner names the merge that GitHub has made for trying, which shows
 * nowhere; what the branch has is meant. One that is merged is about the base branch.
 * @param sha as `GITHUB_SHA` has it
 */
export function commitOf(event: WorkflowEvent, sha: string | undefined): string | undefined {
  const known = isHash(sha) ? sha : undefined;
  switch (event.name) {
    case 'pull_request':
    case 'pull_request_target':
      return event.merged ? known : event.headSha;
    case 'workflow_run':
      return event.headSha;
    case 'merge_group':
    case 'schedule':
    case 'workflow_dispatch':
    case 'delete':
    case 'push':
    case 'other':
      return known;
  }
}

/** Where the API is, and which repository the workflow is of. */
export interface WorkflowPlace {
  /** `https://api.github.com`, `https://github.example.com/api/v3` */
  apiUrl: string;
  /** `https://github.com` */
  serverUrl: string;
  /** The id is missing where an old server or a stand-in for it does not tell it. */
  repository: { owner: string; name: string; id?: number };
}

/** From the variables that every runner sets; undefined where this is no run of a workflow. */
export function workflowPlace(env: Environment): WorkflowPlace | undefined {
  const { GITHUB_API_URL: apiUrl = '', GITHUB_SERVER_URL: serverUrl = '', GITHUB_REPOSITORY: full = '' } = env;
  const [, owner, name] = /^([\w.-]+)\/([\w.-]+)$/.exec(full) ?? [];
  if (!isWebAddress(apiUrl) || !isWebAddress(serverUrl) || owner === undefined || name === undefined) return undefined;
  const id = Number(env['GITHUB_REPOSITORY_ID']);
  return { apiUrl, serverUrl, repository: { owner, name, ...(isNumber(id) ? { id } : {}) } };
}

function pullRequestEvent(
  name: 'pull_request' | 'pull_request_target',
  payload: Json | undefined,
): WorkflowEvent | undefined {
  const number = numberAt(payload, 'pull_request', 'number');
  const headSha = stringAt(payload, 'pull_request', 'head', 'sha');
  const action = stringAt(payload, 'action') ?? '';
  if (!isNumber(number) || !isHash(headSha) || !/^\w{1,60}$/.test(action)) return undefined;
  return { name, number, action, headSha, merged: booleanAt(payload, 'pull_request', 'merged') === true };
}

function workflowRunEvent(payload: Json | undefined): WorkflowEvent | undefined {
  const headSha = stringAt(payload, 'workflow_run', 'head_sha');
  const listed = at(payload, 'workflow_run', 'pull_requests');
  if (!isHash(headSha) || !Array.isArray(listed)) return undefined;
  const numbers = listed.map((entry) => (isObject(entry) ? entry['number'] : undefined));
  return { name: 'workflow_run', headSha, pullRequests: numbers.filter(isNumber) };
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/** SHA-1 or SHA-256. */
function isHash(value: string | undefined): value is string {
  return value !== undefined && /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(value);
}

function isLine(text: string): boolean {
  return text !== '' && text.length <= 1000 && !/\p{Cc}/u.test(text);
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s?#@]+$/.test(text);
}

function payloadIn(path: string): Json | undefined {
  try {
    return JSON.parse(readBoundedFile(path, 'the event', limits.event).toString('utf8')) as Json;
  } catch (error) {
    // Not there, no file, too large, no JSON: the event says nothing then.
    if (error instanceof Failure || error instanceof SyntaxError || errorCode(error) !== '') return undefined;
    throw error;
  }
}
