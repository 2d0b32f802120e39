import { formatDuration } from '../../base/clock.ts';
import type { RunReport } from '../../report/run-report.ts';
import { details, html, prose, table } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';

/** What every run says of itself is no event. */
const routine = new Set(['manifests are valid', 'all objects are ready']);

/** What happened in the cluster, in order of time; nothing where the heading says it all. */
export function renderTimeline({ timeline, headline }: RunReport, limits: SummaryLimits): string {
  const events = timeline.filter(({ text }) => !routine.has(text) && text !== headline);
  if (events.length === 0) return '';
  return details(
    html('Timeline'),
    table(['After', 'What'], events, ({ atMs, text }) => [formatDuration(atMs), prose(text)], limits.rows),
  );
}
