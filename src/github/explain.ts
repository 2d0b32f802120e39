import { errorCode, Failure, messageOf } from '../base/errors.ts';
import { stringAt, objectsAt } from '../base/json.ts';
import { saidAt } from '../base/said.ts';
import { meaningOf, proxyRefusal } from '../http/network-error.ts';
import { GitHubError } from './github-error.ts';
import type { Answer, Question } from './questions.ts';

const inBetween = 'Check for a proxy or login page in between: HTTPS_PROXY, NO_PROXY.';

/** Refusals with 403 that no permission of the workflow would change. */
const notAboutRights = /\blocked\b|archived|\bSAML\b|IP allow list|suspended|disabled|blocked/i;

/** What a refusal means, and what to do about it. */
export function refusalOf(question: Question, answer: Answer): GitHubError {
  const { status } = answer;
  const said = `${status}${wordsOf(answer)}`;
  const cannot = `cannot ${question.purpose}`;
  if (status === 401) {
    return new GitHubError(`${cannot}: GitHub rejected the token (${said})`, {
      problem: 'refused',
      status,
      hint: 'Check whether it has expired or was revoked: the token of a job ends with the job.',
    });
  }
  if (status === 404 || (status === 403 && !notAboutRights.test(wordsOf(answer))))
    return missingRight(question, said, status);
  if (status >= 500 || status === 408)
    return new GitHubError(`${cannot}: GitHub has a problem (${said})`, { problem: 'unreachable', status });
  if (status >= 300 && status < 400) {
    return new GitHubError(`${cannot}: the response redirects (${said}), where the token must not be sent`, {
      problem: 'refused',
      status,
      hint: `Check whether the repository was renamed or moved during the run. ${inBetween}`,
    });
  }
  return new GitHubError(`${cannot}: GitHub refused it (${said})`, { problem: 'refused', status });
}

function missingRight({ purpose, permission }: Question, said: string, status: number): GitHubError {
  const why = status === 404 ? 'it does not exist, or the token has no access to it' : 'the token has no permission';
  return new GitHubError(`cannot ${purpose}: ${why} (${said})`, {
    problem: 'missing-right',
    permission,
    status,
    hint: `Add "${permission}" under "permissions" of the job; a run of a fork never gets more than "read".`,
  });
}

/** @param waitMs for how long GitHub wants to be left alone */
export function limitedError({ purpose }: Question, status: number, waitMs: number): GitHubError {
  const seconds = Math.ceil(waitMs / 1000);
  return new GitHubError(`cannot ${purpose}: GitHub rate-limits this token for another ${seconds} s`, {
    problem: 'limited',
    status,
    hint: 'Nothing to do if it is rare; other jobs with the same token count too.',
  });
}

/** No answer came. */
export function unreachableError(question: Question, host: string, error: unknown): GitHubError {
  const refused = proxyRefusal(error);
  const code = errorCode(error);
  const why = refused === undefined ? (meaningOf(code) ?? messageOf(rootOf(error))) : `the proxy answered ${refused}`;
  const unsure = question.repeatable ? '' : '; whether it was carried out anyway is unknown';
  return new GitHubError(`cannot ${question.purpose}: no response from ${host}: ${why}${unsure}`, {
    problem: 'unreachable',
    cause: error,
    hint:
      rootOf(error) instanceof Failure ? inBetween : `Check that this runner can reach ${host}: HTTPS_PROXY, NO_PROXY.`,
  });
}

/** An answer came, but none that GitHub gives. */
export function notGitHubs({ purpose }: Question, { status, headers }: Answer, problem: string): GitHubError {
  const type = /^[\w/+.-]{1,60}/.exec(headers['content-type'] ?? '')?.[0] ?? 'nothing';
  return new GitHubError(`cannot ${purpose}: the response is not from GitHub (${status}, ${type}): ${problem}`, {
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
