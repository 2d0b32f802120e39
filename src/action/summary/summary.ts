import type { RunReport, Status } from '../../report/run-report.ts';
import { moodOf } from '../../report/status-words.ts';
import { renderComment } from '../comment/comment.ts';
import { viewOf } from '../comment/of-report.ts';
import { alert, bullets, code, details, prose, table } from '../markdown.ts';
import { renderCause } from './cause.ts';
import { renderChanges } from './changes.ts';
import { renderEvidence } from './evidence.ts';
import { renderFacts } from './facts.ts';
import { renderHistory } from './history.ts';
import { renderLeft } from './left.ts';
import type { SummaryLimits } from './limits.ts';
import { name } from './name.ts';
import { renderNext } from './next-steps.ts';
import { renderPlan } from './plan.ts';
import { renderHealth } from './status.ts';
import { renderSweep } from './sweep.ts';
import { renderTimeline } from './timeline.ts';
import { renderTraffic } from './traffic.ts';
import { renderUndo } from './undone.ts';
import { renderWorkloads } from './workloads.ts';

/** A summary of more than 1 MiB is dropped by GitHub as a whole; this much is what anybody may still want to read. */
export const maxSummaryBytes = 200_000;

/** From everything to hardly anything: the largest logs give way first, then long lists. */
const ladder: readonly SummaryLimits[] = [
  ...[100_000, 50_000, 25_000, 12_000, 6_000, 3_000].map((logBytes) => ({ logBytes, rows: 100 })),
  { logBytes: 2_000, rows: 40 },
  { logBytes: 1_000, rows: 15 },
  { logBytes: 0, rows: 5 },
];

const icons: Record<Status, string> = {
  deployed: '✅',
  scaled: '✅',
  paused: '⏸️',
  resumed: '✅',
  restarted: '✅',
  'rolled-back': '✅',
  aborted: '✅',
  reported: '✅',
  planned: '📋',
  unchanged: '✅',
  waiting: '⏸️',
  skipped: '⏭️',
  superseded: '⏭️',
  'torn-down': '🧹',
  swept: '🧹',
  undone: '↩️',
  failed: '❌',
  cancelled: '⏹️',
};

const moods = { fine: '✅', waiting: '⏳', attention: '⚠️' } as const;

/**
 * The job summary of a run, as Markdown: what happened, at a glance, and the evidence below it. Never more than
 * `maxSummaryBytes` of UTF-8.
 */
export function renderSummary(report: RunReport): string {
  for (const limits of ladder) {
    const markdown = render(report, limits);
    if (Buffer.byteLength(markdown) <= maxSummaryBytes) return markdown;
  }
  return `${outcome(report)}\n\nEverything else is in the log: it is too large for a summary.\n`;
}

function render(report: RunReport, limits: SummaryLimits): string {
  const { failure, undo, warnings, health } = report;
  const preview = viewOf(report, Date.now());
  const sections = [
    preview === undefined ? outcome(report) : renderComment({ ...preview, objects: [], warnings: [] }).trim(),
    renderFacts(report),
    failure === undefined || preview !== undefined ? '' : renderCause(failure, report, limits),
    report.sweep === undefined ? '' : renderSweep(report.sweep, limits),
    undo === undefined ? '' : renderUndo(undo, limits),
    health === undefined ? '' : renderHealth(health, report, limits),
    report.plan === undefined ? '' : renderPlan(report.plan, limits),
    renderLeft(report, limits),
    renderHistory(report, limits),
    renderChanges(report, limits),
    renderWorkloads(report, limits),
    renderTraffic(report, limits),
    addresses(report, limits),
    warnings.length === 0
      ? ''
      : alert(
          'WARNING',
          bullets(warnings, (warning) => prose(warning), limits.rows),
        ),
    preview === undefined ? renderNext(report) : '',
    ...[...(failure?.evidence ?? []), ...(health?.evidence ?? [])]
      .slice(0, limits.rows)
      .map((evidence) => renderEvidence(evidence, limits)),
    objects(report, limits),
    renderTimeline(report, limits),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function outcome(report: RunReport): string {
  const { status, health } = report;
  // That it could be told is no green mark for what is told.
  const icon = status === 'reported' && health !== undefined ? moods[moodOf(health)] : icons[status];
  return `### ${icon} ${prose(report.headline, 1_000)}`;
}

function addresses(report: RunReport, limits: SummaryLimits): string {
  return bullets(
    report.addresses,
    ({ ref, address, url }) => {
      // Only what is plainly a URL becomes a link.
      const plain = /^https?:\/\/[A-Za-z0-9.:[\]-]+(\/[\w./-]*)?$/.test(url);
      return `${name(ref)} answers at ${plain ? `<${url}>` : code(address)}`;
    },
    limits.rows,
  );
}

function objects(report: RunReport, limits: SummaryLimits): string {
  // What is planned is told with its fields, and has not been done.
  if (report.objects.length === 0 || report.plan !== undefined) return '';
  const count = (change: string) => report.objects.filter((object) => object.change === change).length;
  const counts = ['created', 'configured', 'unchanged'].filter((change) => count(change) > 0);
  return details(
    `Objects: ${counts.map((change) => `${count(change)} ${change}`).join(', ')}`,
    table(['Object', 'Change'], report.objects, ({ ref, change }) => [name(ref), change], limits.rows),
  );
}
