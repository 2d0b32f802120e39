import type { LogExcerpt } from '../rollout/log-excerpt.ts';

/** What stands above the end of a log. */
export function lastLinesOf({ container, lines }: LogExcerpt): string {
  return `${lines.length === 1 ? 'The last line' : `The last ${lines.length} lines`} of the log of container "${container}":`;
}
