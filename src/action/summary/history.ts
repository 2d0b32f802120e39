import type { ReleaseEvent } from '../../release/release-event.ts';
import type { HistoryEntry, Links, RunReport, WorkloadHistoryEntry } from '../../report/run-report.ts';
import { shownState, versionName } from '../../rollout/workload-history.ts';
import { imageChange } from './image-change.ts';
import { code, prose, table } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';
import { commitLink, runLink } from './links.ts';
import { when } from './when.ts';

/** What the command `status` has found: what was changed last, and the revisions, newest first. */
export function renderHistory(report: RunReport, limits: SummaryLimits): string {
  const { history = [], workloadHistory = [], health, links } = report;
  const parts = [
    lastChange(history, health?.at, links),
    history.length === 0 ? '' : revisionTable(report, history, limits),
    workloadHistory.length === 0 ? '' : workloadTable(workloadHistory, health?.at, limits),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

interface Change {
  what: string;
  at: string;
  actor?: string;
  run?: string;
  reason?: string;
}

/** The newest of all that was done, whatever has become of it. */
function lastChange(history: readonly HistoryEntry[], now: string | undefined, links: Links | undefined): string {
  const changes = history
    .filter(({ outcome }) => outcome !== 'unreadable')
    .flatMap(({ revision, outcome, finishedAt, events = [], ...by }): Change[] => [
      { ...by, what: `revision ${revision} (${outcome})`, at: finishedAt },
      ...events.map((event) => ({ ...event, what: eventText(event) })),
    ]);
  const [last] = changes.toSorted((left, right) => Date.parse(right.at) - Date.parse(left.at));
  if (last === undefined) return '';
  return `Last change: ${prose(last.what)}, ${when(last.at, now)}${who(last, links, ' by ', ': ')}`;
}

/** `octocat`, with a link to the run, and the reason. */
function who(
  { actor, run, reason }: { actor?: string; run?: string; reason?: string },
  links: Links | undefined,
  before = '',
  between = '<br>',
): string {
  const name = actor === undefined ? '' : `${before}${runLink(links, run, prose(actor, 40))}`;
  const why = reason === undefined ? '' : `“${prose(reason)}”`;
  return name === '' ? why : [name, why].filter((part) => part !== '').join(between);
}

/** `scale: Deployment web to 5 (undone)` */
function eventText({ command, what, outcome }: ReleaseEvent): string {
  return `${command}${what === undefined ? '' : `: ${what}`}${outcome === 'done' ? '' : ` (${outcome})`}`;
}

function revisionTable({ health, links }: RunReport, history: readonly HistoryEntry[], limits: SummaryLimits): string {
  const rows = history.flatMap(({ events = [], ...entry }): (HistoryEntry | ReleaseEvent)[] => [
    entry,
    ...events.toReversed(),
  ]);
  return table(
    ['Revision', 'Outcome', 'When', 'By', 'Images', 'Commit'],
    rows,
    (row) => {
      const by = who(row, links);
      if ('command' in row)
        return ['', `↳ ${prose(eventText(row))}${causeOf(row)}`, when(row.at, health?.at, '<br>'), by, '', ''];
      const { revision, outcome, finishedAt, images, commit = '', restores } = row;
      const origin = restores === undefined ? '' : `, restores revision ${restores}`;
      return [
        `${revision}`,
        `${outcome === 'live' ? '**live**' : outcome}${origin}${causeOf(row)}`,
        when(finishedAt, health?.at, '<br>'),
        by,
        imagesIn(images, limits),
        commitLink(links, commit),
      ];
    },
    limits.rows,
  );
}

function causeOf({ cause }: { cause?: string }): string {
  return cause === undefined ? '' : `<br>${prose(cause, 200)}`;
}

function workloadTable(
  entries: readonly WorkloadHistoryEntry[],
  now: string | undefined,
  limits: SummaryLimits,
): string {
  return table(
    ['Workload', 'Kept by Kubernetes', 'State', 'Images', 'Created', 'Pods', 'Change cause'],
    entries,
    ({ workload, revision, state, images, createdAt, replicas, ready, changeCause = '' }) => [
      code(workload),
      prose(versionName({ kind: workload.split('/')[0] ?? '' }, revision)),
      state === 'current' ? '**current**' : shownState(state),
      imagesIn(images, limits),
      when(createdAt, now, '<br>'),
      replicas === 0 ? '' : `${ready} of ${replicas} ready`,
      prose(changeCause, 200),
    ],
    limits.rows,
  );
}

function imagesIn(images: readonly string[], limits: SummaryLimits): string {
  return images
    .slice(0, limits.rows)
    .map((image) => imageChange(undefined, image))
    .join('<br>');
}
