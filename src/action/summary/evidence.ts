import type { Evidence, LogTail } from '../../rollout/evidence.ts';
import { plainLines } from '../harmless.ts';
import { code, codeBlock, details, html, prose, table } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';

/** Kubernetes' own words for reasons and states are shorter. */
const maxWord = 80;

/** What was seen around one failed object, folded: its conditions, the events and the ends of the logs. */
export function renderEvidence(evidence: Evidence, limits: SummaryLimits): string {
  const { object, conditions, events, logs } = evidence;
  const parts = [
    conditions.length === 0
      ? ''
      : table(
          ['Object', 'Condition', 'Status', 'Reason', 'Message'],
          conditions,
          (condition) => [
            `${prose(condition.object.kind)} ${code(condition.object.name)}`,
            prose(condition.type, maxWord),
            prose(condition.status, maxWord),
            prose(condition.reason, maxWord),
            prose(condition.message),
          ],
          limits.rows,
        ),
    events.length === 0
      ? ''
      : table(
          ['Time', 'Object', 'Event', 'Message'],
          events,
          (event) => [
            timeOf(event.time),
            `${prose(event.object.kind)} ${code(event.object.name)}`,
            event.type === 'Normal' ? prose(event.reason, maxWord) : `**${prose(event.reason, maxWord)}**`,
            prose(event.message) + (event.count > 1 ? ` (${event.count} times)` : ''),
          ],
          limits.rows,
        ),
    ...logs.slice(0, limits.rows).map((log) => renderLog(log, limits.logBytes)),
  ].filter((part) => part !== '');
  const title = `Evidence: ${html(object.kind)} <code>${html(object.name)}</code>`;
  return details(title, parts.length === 0 ? 'Nothing was found.' : parts.join('\n\n'));
}

function renderLog(log: LogTail, maxBytes: number): string {
  const lines = log.lines.flatMap((line) => plainLines(line));
  const run = log.previous ? ', the run before this one' : '';
  const title = `Log of container ${code(log.container)} in Pod ${code(log.pod)}${run}`;
  if (lines.length === 0) return `${title}: empty.`;
  const shown = lastLines(lines, maxBytes);
  if (shown.length === 0) return `${title}: left out, because this summary would be too large.`;
  const note = shown.length === lines.length ? '' : ` (the last ${shown.length} of ${lines.length} lines)`;
  return `${title}${note}:\n\n${codeBlock(shown)}`;
}

/** As many whole lines from the end as fit; of a last line that does not fit alone, its end. */
function lastLines(lines: readonly string[], maxBytes: number): string[] {
  let left = maxBytes;
  let first = lines.length;
  while (first > 0) {
    left -= Buffer.byteLength(lines[first - 1] ?? '') + 1;
    if (left < 0) break;
    first -= 1;
  }
  if (first < lines.length || maxBytes === 0) return lines.slice(first);
  // At most four bytes per character.
  return [`…${(lines.at(-1) ?? '').slice(-Math.floor(maxBytes / 4))}`];
}

/** `2026-03-01T10:20:30Z` → `10:20:30`; whatever else it is, as it is. */
function timeOf(iso: string): string {
  return /T(\d\d:\d\d:\d\d)/.exec(iso)?.[1] ?? prose(iso, 40);
}
