import { formatDuration } from '../../base/clock.ts';
import {
  hasFailed,
  type FailureReport,
  type RunReport,
  type Status,
  type WorkloadReport,
} from '../../report/run-report.ts';
import { needsAttention } from '../../report/status-words.ts';
import { notBack, type UndoReport, type UndoResult } from '../../release/undo-report.ts';
import { imageChange } from './image-change.ts';
import { lastLinesOf } from '../last-lines.ts';
import { alert, bullets, code, codeBlock, details, html, prose, table } from '../markdown.ts';
import { renderEvidence } from './evidence.ts';
import { renderChecks } from './checks.ts';
import { renderLeft } from './left.ts';
import { renderPlan } from './plan.ts';
import { renderSweep } from './sweep.ts';
import { renderComment } from '../comment/comment.ts';
import { viewOf } from '../comment/of-report.ts';
import { renderHistory } from './history.ts';
import { renderHealth } from './status.ts';
import type { SummaryLimits } from './limits.ts';
import { consoleLinks, origin } from './links.ts';
import { name } from './name.ts';

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
  const { failure, undo, workloads, warnings, health } = report;
  const preview = viewOf(report, Date.now());
  const sections = [
    preview === undefined ? outcome(report) : renderComment({ ...preview, objects: [], warnings: [] }).trim(),
    failure === undefined || preview !== undefined ? '' : cause(failure, limits),
    report.sweep === undefined ? '' : renderSweep(report.sweep, limits),
    undo === undefined ? '' : undone(undo, limits),
    health === undefined ? '' : renderHealth(health, limits),
    report.plan === undefined ? '' : renderPlan(report.plan, limits),
    renderLeft(report, limits),
    facts(report),
    renderHistory(report, limits),
    workloads.length === 0 ? '' : workloadTable(workloads, limits),
    traffic(report, limits),
    renderChecks(report, limits),
    addresses(report, limits),
    warnings.length === 0
      ? ''
      : alert(
          'WARNING',
          bullets(warnings, (warning) => prose(warning), limits.rows),
        ),
    ...[...(failure?.evidence ?? []), ...(health?.evidence ?? [])]
      .slice(0, limits.rows)
      .map((evidence) => renderEvidence(evidence, limits)),
    objects(report, limits),
    timeline(report, limits),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function outcome(report: RunReport): string {
  const { status, health } = report;
  // That it could be told is no green mark for what is told.
  const icon = status === 'reported' && health !== undefined && needsAttention(health) ? '⚠️' : icons[status];
  return `### ${icon} ${prose(report.headline, 1_000)}`;
}

function facts(report: RunReport): string {
  const { release, namespace, context, server, command, strategy, links = {} } = report;
  const cluster = [
    context === undefined ? '' : code(context),
    server === undefined ? '' : prose(server),
    consoleLinks(links),
  ];
  const rows = [
    ['Release', release === undefined ? '' : code(release)],
    ['Revision', revisions(report)],
    ['Namespace', namespace === undefined ? '' : code(namespace)],
    ['Cluster', cluster.filter((part) => part !== '').join('<br>')],
    ['From', origin(report)],
    ['Command', [code(command), ...(strategy === undefined ? [] : [code(strategy)])].join(', ')],
    ['Took', formatDuration(report.durationMs)],
  ].filter(([, value]) => value !== '');
  const [head = [], ...others] = rows;
  return table(head, others, (row) => row);
}

/** `6 → 7`; of a run that failed, what became of the new one; of a candidate, that it is not live. */
function revisions({ status, revision, previousRevision }: RunReport): string {
  const numbers = [previousRevision, revision].filter(
    (number, index, all) => number !== undefined && all[index - 1] !== number,
  );
  if (status === 'waiting' && numbers.length === 2) return `${previousRevision ?? ''} is live, ${revision ?? ''} waits`;
  const arrow = numbers.join(' → ');
  return revision !== undefined && hasFailed(status) ? `${arrow} (${status})` : arrow;
}

function workloadTable(workloads: readonly WorkloadReport[], limits: SummaryLimits): string {
  return table(
    ['Workload', 'Image', 'Replicas', 'State', 'Time'],
    workloads,
    ({ ref, containers, replicas, state, message, durationMs }) => [
      name(ref),
      containers
        .slice(0, limits.rows)
        .map((container) => {
          const change = imageChange(container.before, container.after);
          return containers.length === 1 ? change : `${prose(container.name)}: ${change}`;
        })
        .join('<br>'),
      replicas === undefined
        ? ''
        : [replicas.before, replicas.after].filter((n, i, all) => n !== undefined && n !== all[i - 1]).join(' → '),
      replicas?.after === 0 && state === 'ready' ? 'no pods' : stateOf(state, message),
      durationMs === undefined ? '' : formatDuration(durationMs),
    ],
    limits.rows,
  );
}

/** What share a candidate got, step by step. */
function traffic({ traffic: steps = [] }: RunReport, limits: SummaryLimits): string {
  if (steps.length === 0) return '';
  return table(
    ['Traffic', 'Workload', 'Candidate', 'Wanted', 'Measured'],
    steps,
    ({ atMs, workload, wanted, candidatePods, stablePods, measured, requests }) => [
      `after ${formatDuration(atMs)}`,
      code(workload),
      `${candidatePods} of ${candidatePods + stablePods} pods`,
      `${wanted} %`,
      measured === undefined ? 'not measured' : `${measured.toFixed(1)} % of ${requests ?? 0} requests`,
    ],
    limits.rows,
  );
}

function stateOf(state: WorkloadReport['state'], message: string): string {
  switch (state) {
    case 'ready':
      return 'ready';
    case 'failed':
      return message === '' ? '**failed**' : `**failed**: ${prose(message)}`;
    case 'progressing':
      return message === '' ? 'not ready' : `not ready: ${prose(message)}`;
    case 'unchecked':
      return message === '' ? 'not checked' : prose(message);
  }
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

function cause(failure: FailureReport, limits: SummaryLimits): string {
  const hint = failure.hint ?? failure.causes[0]?.hint;
  const box = [
    `**${prose(failure.message, 2_000)}**`,
    ...(hint === undefined ? [] : ['', prose(hint, 1_000)]),
    ...(failure.log === undefined ? [] : ['', prose(lastLinesOf(failure.log)), '', codeBlock(failure.log.lines)]),
  ];
  const [first] = failure.causes;
  const others = failure.causes.filter(({ message }) => message !== failure.message);
  const since = failure.namedAfterSeconds;
  return [
    alert('CAUTION', box.join('\n')),
    failure.manifest === undefined ? '' : codeBlock(failure.manifest.trimEnd().split('\n')),
    bullets(
      failure.problems,
      ({ message, location }) => {
        if (location === undefined) return prose(message, 1_000);
        const place = location.line === undefined ? location.file : `${location.file}:${location.line}`;
        return `${code(place)}: ${prose(message, 1_000)}`;
      },
      limits.rows,
    ),
    bullets(
      others,
      ({ reason, message, hint: advice, object }) => {
        const rest = advice === undefined || advice === hint ? '' : ` ${prose(advice)}`;
        return `${name(object)}: ${prose(message, 1_000)} (${code(reason)}).${rest}`;
      },
      limits.rows,
    ),
    [
      first === undefined || others.length > 0 ? '' : `Seen on ${name(first.object)} as ${code(first.reason)}.`,
      since === undefined ? '' : `Named ${formatDuration(since * 1000)} after the cluster first showed it.`,
    ]
      .filter((part) => part !== '')
      .join(' '),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const undoWords: Record<UndoResult['outcome'], string> = {
  restored: 'restored',
  deleted: 'deleted',
  untouched: 'untouched',
  kept: 'kept',
  partly: 'restored in part',
  refused: 'left as it is',
  going: 'being deleted',
  failed: 'not restored',
};

function undone(undo: UndoReport, limits: SummaryLimits): string {
  const count = (outcome: UndoResult['outcome']) => undo.results.filter((result) => result.outcome === outcome).length;
  const counts = (Object.keys(undoWords) as UndoResult['outcome'][])
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `${count(outcome)} ${undoWords[outcome]}`)
    .join(', ');
  const remarks = undo.results.flatMap((result) => remark(result));
  for (const text of undo.pods ?? []) remarks.push(prose(text));
  if (undo.unsettled === true && undo.pods === undefined)
    remarks.push('The restored workloads are not ready again yet');
  if (undo.replaced !== undefined) remarks.push(`But ${notBack(undo.replaced)}`);
  const remarkList = bullets(remarks, (text) => text, limits.rows);
  return [
    ...(undo.complete
      ? [
          `**The undo is complete**: ${undo.replaced === undefined ? 'everything' : 'all else'} that this run changed is as it was before.`,
          remarkList,
        ]
      : [alert('WARNING', `**The undo is not complete.** ${whatNext(undo)}\n\n${remarkList}`.trim())]),
    undo.results.length === 0
      ? ''
      : details(
          `What the undo did: ${counts}`,
          table(
            ['Object', 'Outcome'],
            undo.results,
            ({ ref, outcome }) => [name(ref), undoWords[outcome]],
            limits.rows,
          ),
        ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Whether the next run does it, or somebody, or nobody needs to. */
function whatNext({ results }: UndoReport): string {
  return results.some(({ outcome }) => outcome === 'failed')
    ? 'The next run of this release tries once more what is not restored:'
    : 'What is named here stays as it is; it does not keep the next run from going on:';
}

function remark(result: UndoResult): string[] {
  switch (result.outcome) {
    case 'failed':
      return [`${name(result.ref)} is not restored: ${prose(result.message)}`];
    case 'refused':
      return [
        result.fields === undefined
          ? `${name(result.ref)} stays as this run has left it: ${prose(result.reason)}`
          : `${name(result.ref)} is restored but for ${result.fields.map((field) => code(field)).join(', ')}: ${prose(result.reason)}`,
      ];
    case 'partly':
      return [
        `${name(result.ref)} is restored but for ${result.fields.map((field) => code(field)).join(', ')}, which somebody else has changed since`,
      ];
    case 'going':
      return [`${name(result.ref)} ${prose(result.message)}`];
    case 'kept':
      return [`${name(result.ref)} is kept: this run had created it, but it may hold data`];
    case 'restored':
      return result.note === undefined ? [] : [`${name(result.ref)} is restored: ${prose(result.note)}`];
    default:
      return [];
  }
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

function timeline(report: RunReport, limits: SummaryLimits): string {
  if (report.timeline.length === 0) return '';
  return details(
    html('Timeline'),
    table(['After', 'What'], report.timeline, ({ atMs, text }) => [formatDuration(atMs), prose(text)], limits.rows),
  );
}
