import type { HealthReport, Links, RunInProgress, RunReport } from '../../report/run-report.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';
import type { RollbackPreview } from '../../release/rollback-preview.ts';
import { describeVersions } from '../../rollout/versions.ts';
import { imageChange } from './image-change.ts';
import { lastLinesOf } from '../last-lines.ts';
import { alert, bullets, code, codeBlock, prose, table } from '../markdown.ts';
import type { Drift } from '../../release/drift-words.ts';
import type { SummaryLimits } from './limits.ts';
import { runLink } from './links.ts';
import { name } from './name.ts';
import { when } from './when.ts';

/**
 * What the command `status` has found of how the release is now: what is wrong first, then who is at work and what is on its way,
 * then what is not as recorded.
 */
export function renderHealth(
  health: HealthReport,
  { inProgress, links }: Pick<RunReport, 'inProgress' | 'links'>,
  limits: SummaryLimits,
): string {
  const { problems, drift, versions, paused, notes, rollback } = health;
  const parts = [
    problems.length === 0 ? '' : alert('CAUTION', problemList(health, limits)),
    underWay(health, inProgress, links, limits),
    paused.length === 0
      ? ''
      : alert(
          'NOTE',
          bullets(paused, (text) => prose(text), limits.rows),
        ),
    drift.length === 0 ? '' : driftTable(drift, health.at, limits),
    versions.length === 0
      ? ''
      : table(
          ['Workload', 'Its pods'],
          versions,
          ({ ref, versions: running }) => [name(ref), prose(describeVersions(running))],
          limits.rows,
        ),
    bullets(notes, (text) => prose(text), limits.rows),
    rollback === undefined ? '' : renderRollback(rollback, health.at, limits),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function problemList({ problems }: HealthReport, limits: SummaryLimits): string {
  const list = bullets(
    problems,
    ({ message, hint }) => `**${prose(message, 1_000)}**${hint === undefined ? '' : `. ${prose(hint)}`}`,
    limits.rows,
  );
  const { log } = problems.find((problem) => problem.log !== undefined) ?? {};
  return log === undefined ? list : [list, '', prose(lastLinesOf(log)), '', codeBlock(log.lines)].join('\n');
}

/** Who is at work, or was killed before the end, and how far the starts are. */
function underWay(
  { starting, at }: HealthReport,
  run: RunInProgress | undefined,
  links: Links | undefined,
  limits: SummaryLimits,
): string {
  const list = bullets(starting, ({ message }) => prose(message, 1_000), limits.rows);
  const parts = [run === undefined ? '' : runText(run, at, links), list].filter((part) => part !== '');
  if (parts.length === 0) return '';
  const wasKilled = run !== undefined && !run.isAlive && run.onlyLocks !== true;
  return alert(wasKilled ? 'WARNING' : 'NOTE', parts.join('\n\n'));
}

function runText(
  { command, run, startedAt, isAlive, onlyLocks, renewedAt, actor, reason }: RunInProgress,
  now: string | undefined,
  links: Links | undefined,
): string {
  const isUrl = /^https?:/.test(run);
  const by = [
    startedAt === undefined ? '' : `, started ${when(startedAt, now)}`,
    actor === undefined ? '' : ` by ${prose(actor, 100)}`,
    ` (${isUrl ? runLink(links, run, 'run') : code(run)})`,
  ].join('');
  const why = reason === undefined ? '' : `: “${prose(reason)}”`;
  const what = command === undefined ? 'A run of an unknown command' : code(command);
  if (isAlive) return `${what} is running${by}${why}`;
  if (onlyLocks !== true) return `${what}${by}${why}, was killed: the next run deals with what it left`;
  const since = renewedAt === undefined ? '' : `, last renewed ${when(renewedAt, now)}`;
  return `${what}${by}${why}, has left its lock behind${since}. The lock has expired: the next run takes it over`;
}

function driftTable(drift: readonly Drift[], now: string | undefined, limits: SummaryLimits): string {
  return table(
    ['Object', 'Changed field', 'Recorded', 'Now', 'By', 'Since'],
    drift,
    ({ ref, field, recorded, live, manager = '', since = '' }) => [
      name(ref),
      prose(field),
      recorded === undefined ? '' : code(recorded),
      live === undefined ? (recorded === undefined ? 'changed' : 'none') : code(live),
      code(manager),
      since === '' ? '' : when(since, now, '<br>'),
    ],
    limits.rows,
  );
}

function renderRollback(
  rollback: RollbackPreview | { none: string },
  now: string | undefined,
  limits: SummaryLimits,
): string {
  if ('none' in rollback) return `\`rollback\` has no target: ${prose(rollback.none)}`;
  const { revision, finishedAt, commit, images, changed, added, left } = rollback;
  const names = (refs: readonly ObjectRef[]) => refs.slice(0, limits.rows).map(name).join(', ');
  const lines = [
    ...images.map(
      ({ ref, container, before, after }) => `${name(ref)}, ${prose(container)}: ${imageChange(before, after)}`,
    ),
    ...(changed.length === 0 ? [] : [`changes ${names(changed)}`]),
    ...(added.length === 0 ? [] : [`recreates ${names(added)}`]),
    ...(left.length === 0 ? [] : [`leaves ${names(left)}, unless \`prune: true\``]),
  ];
  const about = `${when(finishedAt, now)}${commit === undefined ? '' : `, commit ${code(commit.slice(0, 7))}`}`;
  return [
    `\`rollback\` would go to revision ${revision}, deployed ${about}${lines.length === 0 ? ': no image or object would change' : ':'}`,
    bullets(lines, (line) => line, limits.rows),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
