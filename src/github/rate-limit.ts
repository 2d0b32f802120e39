import type { Clock } from '../base/clock.ts';
import { retryAfterOf } from '../http/retry.ts';
import { wordsOf } from './explain.ts';
import type { Answer } from './questions.ts';

/** "Wait for at least one minute" where GitHub does not say how long (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). */
const atLeastMs = 60_000;

/**
 * For how many milliseconds GitHub wants to be left alone; undefined for an answer that is no limit. A limit is told with 429 or with the
 * 403 of a missing right; what tells them apart are headers and words.
 * @param count which attempt it was, from 1: each is waited for twice as long where GitHub does not say
 */
export function waitOf(answer: Answer, clock: Clock, count: number): number | undefined {
  const { status, headers } = answer;
  if (status !== 429 && status !== 403) return undefined;
  const retryAfter = retryAfterOf(headers, clock);
  if (retryAfter !== undefined) return retryAfter;
  if (headers['x-ratelimit-remaining'] === '0') return untilReset(headers, clock) ?? atLeastMs;
  if (status !== 429 && !/rate limit|abuse detection/i.test(wordsOf(answer))) return undefined;
  // A moment more than the minute, so that it is never within a budget of one.
  return (atLeastMs + 1000) * 2 ** (count - 1);
}

/** By the clock of whoever has answered. */
function untilReset(headers: Answer['headers'], clock: Clock): number | undefined {
  const reset = Number(headers['x-ratelimit-reset']);
  if (!Number.isFinite(reset) || reset <= 0) return undefined;
  const sentAt = Date.parse(headers['date'] ?? '');
  return Math.max(1000, reset * 1000 - (Number.isNaN(sentAt) ? clock.now() : sentAt));
}
