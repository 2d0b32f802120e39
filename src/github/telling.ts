import { messageOf } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { GitHubError } from './github-error.ts';

/** What came of asking GitHub. */
export type Told<T> = { state: 'done'; value: T } | { state: 'failed'; error: GitHubError };

/** Asks GitHub where a failure must change nothing else: it never throws, and warns of each kind of problem once in a run. */
export interface Telling {
  ask<T>(call: () => Promise<T>): Promise<Told<T>>;
  /** Warns of one that came another way, unless one of its kind was told before. */
  warn(error: GitHubError): void;
}

/** @param signal that of the run: what fails because it ends is not told */
export function createTelling(reporter: Pick<Reporter, 'warning'>, signal?: AbortSignal): Telling {
  const told = new Set<string>();
  const warn = (error: GitHubError) => {
    const kind = kindOf(error);
    if (told.has(kind) || signal?.aborted === true) return;
    told.add(kind);
    reporter.warning([error.message, error.hint].filter((text) => text !== undefined && text !== '').join('. '));
  };
  return {
    warn,
    async ask(call) {
      try {
        return { state: 'done', value: await call() };
      } catch (thrown) {
        const error = asGitHubError(thrown);
        warn(error);
        return { state: 'failed', error };
      }
    },
  };
}

/** Anything that was thrown as what becomes of a call: a fault of our own stops a deploy as little as one of GitHub's. */
export function asGitHubError(thrown: unknown): GitHubError {
  if (thrown instanceof GitHubError) return thrown;
  return new GitHubError(`GitHub could not be asked: ${messageOf(thrown)}`, { problem: 'unreachable', cause: thrown });
}

/** What is missing or in the way is the same whatever was asked; what is refused differs from call to call. */
function kindOf({ problem, permission, message }: GitHubError): string {
  switch (problem) {
    case 'missing-right':
      return `missing ${permission ?? message}`;
    case 'limited':
    case 'unreachable':
      return problem;
    case 'refused':
      return message;
  }
}
