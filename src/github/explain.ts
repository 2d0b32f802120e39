import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { stringAt, objectsAt } from '../base/json.ts';
import { saidAt } from '../base/said.ts';
import { meaningOf, proxyRefusal } from '../http/network-error.ts';
import { GitHubError } from './github-error.ts';
import type { Answer, Question } from './questions.ts';

const inBetween = 'See whether a proxy or a login page stands in between: HTTPS_PROXY, NO_PROXY.';

/** Refusals with 403 that no permission of the workflow would change. */
const notAboutRights = /\blocked\b|archived|\bSAML\b|IP allow list|suspended|disabled|blocked/i;

/** What a refusal means, and what to do about it. */
export function refusalOf(question: Question, answer: Answer): GitHubError {
  const { status } = answer;
  const said = `${status}${wordsOf(answer)}`;
  const cannot = `cannot ${question.purpose}`;
  if (status === 401) {
    return new GitHubError(`${cannot}: GitHub does not accept the token (${said})`, {
      problem: 'refused',
      status,
      hint: 'See whether it has expired or was revoked: the token of a job ends with the job.',
    });
  }
  if (status === 404 || (status === 403 && !notAboutRights.test(wordsOf(answer))))
    return missingRight(question, said, status);
  if (status >= 500 || status === 408)
    return new GitHubError(`${cannot}: GitHub has a fault (${said})`, { problem: 'unreachable', status });
  if (status >= 300 && status < 400) {
    return new GitHubError(`${cannot}: the answer leads somewhere else (${said}), where the token must not go`, {
      problem: 'refused',
      status,
      hint: `See whether the repository was renamed or moved while the run was under way. ${inBetween}`,
    });
  }
  return new GitHubError(`${cannot}: GitHub refuses it (${said})`, { problem: 'refused', status });
}

function missingRight({ purpose, permission }: Question, said: string, status: number): GitHubError {
  const why = status === 404 ? 'it is not there, or the token may not see it' : 'the token may not';
  return new GitHubError(`cannot ${purpose}: ${why} (${said})`, {
    problem: 'missing-right',
    permission,
    status,
    hint: `Add "${permission}" under "permissions" of the job; a run for a fork cannot get more than "read".`,
  });
}

/** @param waitMs for how long GitHub wants to be left alone */
export function limitedError({ purpose }: Question, status: number, waitMs: number): GitHubError {
  const seconds = Math.ceil(waitMs / 1000);
  return new GitHubError(`cannot ${purpose}: GitHub takes no more requests with this token for ${seconds} s`, {
    problem: 'limited',
    status,
    hint: 'Nothing has to be done if it is rare; other jobs with the same token count as well.',
  });
}

/** No answer came. */
export function unreachableError(question: Question, host: string, error: unknown): GitHubError {
  const refused = proxyRefusal(error);
  const code = errorCode(error);
  const why = refused === undefined ? (meaningOf(code) ?? messageOf(rootOf(error))) : `the proxy answered ${refused}`;
  const unsure = question.repeatable ? '' : '; whether it was done all the same is not known';
  return new GitHubError(`cannot ${question.purpose}: no answer of ${host}: ${why}${unsure}`, {
    problem: 'unreachable',
    cause: error,
    hint:
      rootOf(error) instanceof Failure
        ? inBetween
        : `See whether this runner may reach ${host}: HTTPS_PROXY, NO_PROXY.`,
  });
}

/** An answer came, but none that GitHub gives. */
export function notGitHubs({ purpose }: Question, { status, headers }: Answer, problem: string): GitHubError {
  const type = /^[\w/+.-]{1,60}/.exec(headers['content-type'] ?? '')?.[0] ?? 'nothing';
  return new GitHubError(`cannot ${purpose}: what came is no answer of GitHub (${status}, ${type}): ${problem}`, {
    problem: 'unreachable',
    status,
    hint: inBetween,
  });
}

/** ` "Validation Failed: body is too long"`, or nothing where it says nothing. */
export function wordsOf({ data }: Answer): string {
  const said = saidAt(data, 'message');
  if (said === undefined) return '';
  const details = objectsAt(data, 'errors').flatMap(
    (error) => stringAt(error, 'message') ?? stringAt(error, 'code') ?? [],
  );
  const text = [said, ...details].join('; ').replaceAll(/\s+/g, ' ');
  return ` "${text.length > 300 ? `${text.slice(0, 300)}…` : text}"`;
}

function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof Error ? rootOf(error.cause) : error;
}
