import { InvalidInput } from '../../base/errors.ts';
import { pullRequestOf, type WorkflowEvent } from '../../github/event.ts';
import type { GitHub, Repository } from '../../github/github.ts';
import type { PreviewRules, PreviewWhen } from '../../preview/decide.ts';
import { identityOf, type PreviewIdentity } from '../../preview/identity.ts';
import { previewNamespace, previewTask } from '../../preview/names.ts';
import type { Context } from '../../release/context.ts';
import type { WhichOptions } from './inputs.ts';

/** The preview that a run is about. */
export interface AskedPreview {
  identity: PreviewIdentity;
  repository: Repository;
  namespace: string;
  rules: PreviewRules;
  /** The full hash of the commit that this run would bring in; absent: the newest. */
  sha?: string;
}

/** @throws InvalidInput where the event is of no pull request and no input names one, or where a name cannot be made */
export function askedPreview(
  { event, ...context }: Pick<Context, 'event' | 'repository'>,
  options: WhichOptions,
): AskedPreview {
  const repository = repositoryOf(context);
  const { number, sha } = numberAsked(event, options.pullRequest);
  const identity = identityOf(repository, number, options.release);
  return {
    identity,
    repository,
    namespace: previewNamespace(identity, options.previewNamespace),
    rules: rulesOf(options),
    ...(sha === undefined ? {} : { sha }),
  };
}

export function rulesOf({ previewWhen = 'always', forks, previewUntil: until }: WhichOptions): PreviewRules {
  return { when: whenOf(previewWhen), forks, until };
}

/** Undefined for commands that make no records of previews. */
export function recordTask(
  event: WorkflowEvent,
  command: string,
  { release, pullRequest }: Pick<WhichOptions, 'release' | 'pullRequest'>,
): string | undefined {
  const number = pullRequest === undefined ? pullRequestOf(event) : Number(pullRequest.split('@')[0]);
  return command !== 'preview' || number === undefined ? undefined : previewTask({ number, release });
}

/** @throws InvalidInput without a token: an event says what was, and only GitHub what is */
export async function gitHubOf({ github }: Pick<Context, 'github'>): Promise<GitHub> {
  if (github !== undefined) return await github();
  throw new InvalidInput('the input "github-token" is empty, so GitHub cannot be asked about the pull request', {
    hint: 'Remove it, or set it to a token with "pull-requests: read".',
  });
}

/** @throws InvalidInput outside of a workflow, where nobody says it */
export function repositoryOf({ repository }: Pick<Context, 'repository'>): Repository {
  if (repository !== undefined) return repository;
  throw new InvalidInput('the variables of this run do not say which repository it belongs to', {
    hint: 'Run it in a workflow, or set GITHUB_REPOSITORY, GITHUB_REPOSITORY_ID and GITHUB_SERVER_URL.',
  });
}

function whenOf(text: string): PreviewWhen {
  if (text.startsWith('label:')) return { is: 'label', label: text.slice('label:'.length).trim() };
  return { is: text === 'ready' ? 'ready' : 'always' };
}

/** `7`, or `7@` and the full hash of the commit that somebody has agreed to. */
function numberAsked(event: WorkflowEvent, input: string | undefined): { number: number; sha?: string } {
  if (input !== undefined) {
    const [number = '', sha] = input.split('@');
    return { number: Number(number), ...(sha === undefined ? {} : { sha }) };
  }
  const number = pullRequestOf(event);
  if (number !== undefined) return { number, ...('headSha' in event ? { sha: event.headSha } : {}) };
  const name = event.name === 'other' ? event.event : event.name;
  throw new InvalidInput(`the event "${name}" has no pull request`, {
    hint: 'Run it on "pull_request", or set the input "pull-request" to its number.',
  });
}
