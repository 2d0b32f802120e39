import type { Preview } from './identity.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * When a preview expires: so long after the last deploy, whatever was said or done on the pull request since.
 * @param ttlMs absent: never
 */
export function expiryAfter(deployedAt: number, ttlMs: number | undefined): number | undefined {
  return ttlMs === undefined ? undefined : deployedAt + ttlMs;
}

/** @param isKept whether the pull request has the label that keeps its preview; absent: as it was at the last deploy */
export function isExpired(
  { expiresAt, keep }: Pick<Preview, 'expiresAt' | 'keep'>,
  now: number,
  isKept = keep,
): boolean {
  return !isKept && expiresAt !== undefined && expiresAt <= now;
}

/** How old something is, as exact as anybody wants to know: `12 minutes`, `5 hours`, `3 days`. */
export function ageInWords(ms: number): string {
  const count = (n: number, unit: string) => `${n} ${unit}${n === 1 ? '' : 's'}`;
  if (ms < minuteMs) return 'less than a minute';
  if (ms < hourMs) return count(Math.floor(ms / minuteMs), 'minute');
  if (ms < 2 * dayMs) return count(Math.floor(ms / hourMs), 'hour');
  return count(Math.floor(ms / dayMs), 'day');
}

/** `2026-03-01 10:20 UTC` */
export function utc(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
