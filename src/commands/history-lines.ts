import { formatAgo } from '../base/clock.ts';
import type { ReleaseEvent } from '../release/release-event.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { HistoryEntry } from '../report/run-report.ts';

/** What a report tells of a revision. */
export function historyEntry(one: Revision): HistoryEntry {
  const { revision, outcome, finishedAt, commit, run, actor, restores, reason, cause, events, images } = one;
  return {
    revision,
    outcome,
    finishedAt,
    images: [...new Set(Object.values(images))],
    ...(commit === undefined ? {} : { commit }),
    ...(run === undefined ? {} : { run }),
    ...(actor === undefined ? {} : { actor }),
    ...(restores === undefined ? {} : { restores }),
    ...(reason === undefined ? {} : { reason }),
    ...(cause === undefined ? {} : { cause }),
    ...(events === undefined ? {} : { events }),
  };
}

/**
 * The lines of the log about a revision: what it was, and what was done to it since, newest first.
 * @param now milliseconds since the epoch
 */
export function historyLines(one: Revision, now: number): string[] {
  const { revision, outcome, finishedAt, commit, restores, cause, images, events = [] } = one;
  if (outcome === 'unreadable') return [`revision ${revision}: ${outcome}`];
  const origin = restores === undefined ? '' : `, restores revision ${restores}`;
  const from = commit === undefined ? '' : ` from ${commit.slice(0, 7)}`;
  const why = cause === undefined ? '' : ` (${cause})`;
  const shown = [...new Set(Object.values(images))].join(', ');
  return [
    `revision ${revision}: ${outcome}${why}${origin}, ${whenAndWho(finishedAt, one, now, from)}: ${shown}`,
    ...events.toReversed().map((event) => `    ${eventLine(event, now)}`),
  ];
}

/** `scale: Deployment web to 5, 5 min ago (2026-01-01T00:00:00Z) by octocat, "load test"` */
function eventLine(event: ReleaseEvent, now: number): string {
  const { command, what, outcome, cause, at } = event;
  const about = what === undefined ? '' : `: ${what}`;
  const end = outcome === 'done' ? '' : `, ${outcome}${cause === undefined ? '' : ` (${cause})`}`;
  return `${command}${about}${end}, ${whenAndWho(at, event, now)}`;
}

function whenAndWho(
  at: string,
  { actor, reason }: { actor?: string; reason?: string },
  now: number,
  from = '',
): string {
  const by = actor === undefined ? '' : ` by ${actor}`;
  const why = reason === undefined ? '' : `, "${reason}"`;
  return `${formatAgo(now - Date.parse(at))} (${at.replace(/\.\d+Z$/, 'Z')})${by}${from}${why}`;
}
