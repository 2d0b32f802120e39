import { formatAgo } from '../../base/clock.ts';
import { prose } from '../markdown.ts';

/**
 * A time as a person wants it, and once exactly: `3 h ago (2026-03-02 08:00:00 UTC)`.
 * @param now ISO 8601; where it is not known, only the exact time is told
 * @param between what stands before the exact time, which then has no brackets
 */
export function when(time: string, now: string | undefined, between?: string): string {
  const at = Date.parse(time);
  // What is recorded may be anything.
  if (Number.isNaN(at)) return prose(time, 40);
  const exact = new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
  if (now === undefined) return exact;
  const ago = formatAgo(Date.parse(now) - at);
  return between === undefined ? `${ago} (${exact})` : `${ago}${between}${exact}`;
}
