import type { Finding, Problem } from '../../src/verify/answer.ts';

export function right(durationMs = 10): Finding {
  return { state: 'right', durationMs };
}

export function wrong(durationMs = 10, problem: Problem = 'server-error'): Finding {
  return { state: 'wrong', problem, message: 'answered 500', durationMs };
}

export const lost: Finding = { state: 'lost', message: 'the API server is overloaded' };

/** So many requests, of which the first went wrong; all of them took `durationMs`. */
export function requests(count: number, errors = 0, durationMs = 10): Finding[] {
  return Array.from({ length: count }, (_, index) => (index < errors ? wrong(durationMs) : right(durationMs)));
}
