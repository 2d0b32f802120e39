import { formatDuration } from '../../base/clock.ts';
import type { RunReport } from '../../report/run-report.ts';
import type { CheckResult } from '../../verify/result.ts';
import { code, codeBlock, prose } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';
import { slimTable } from './slim-table.ts';

type Traffic = NonNullable<RunReport['traffic']>[number];

/** What share of the requests a candidate got, step by step, and what was verified: one table. Nothing where there was neither. */
export function renderTraffic({ traffic = [], checks = [] }: RunReport, limits: SummaryLimits): string {
  const rows = [...traffic.map(stepRow), ...checks.map(checkRow)];
  if (rows.length === 0) return '';
  const first = traffic.length === 0 ? 'Check' : checks.length === 0 ? 'Traffic' : 'Traffic and checks';
  const titles = [first, 'Result', 'Requests', 'Wrong', 'p95', 'Share'];
  const note = traffic.some((step) => step.wanted !== byPods(step)) ? shareNote : '';
  return [slimTable(titles, rows, (row) => row, limits.rows), note, chart(traffic, checks)]
    .filter((part) => part !== '')
    .join('\n\n');
}

const shareNote =
  'Pods rarely add up to the exact share: “step” is what `canary-steps` asks for, “pods” what the pods give. Checks use “pods”.';

/** The share that the candidate's part of the pods gives, in percent to one decimal place. */
function byPods({ candidatePods, stablePods }: Pick<Traffic, 'candidatePods' | 'stablePods'>): number {
  const all = candidatePods + stablePods;
  return all === 0 ? 0 : Number(((100 * candidatePods) / all).toFixed(1));
}

function stepRow(step: Traffic): string[] {
  const { atMs, workload, wanted, candidatePods, stablePods, measured, requests = 0 } = step;
  const pods = byPods(step);
  const asked = wanted === pods ? `step: ${wanted} %` : `step: ${wanted} %, pods: ${pods} %`;
  return [
    code(workload),
    `after ${formatDuration(atMs)}: ${candidatePods} of ${candidatePods + stablePods} pods`,
    measured === undefined ? '' : String(requests),
    '',
    '',
    measured === undefined ? `not measured (${asked})` : `${measured.toFixed(1)} % of ${requests} requests (${asked})`,
  ];
}

function checkRow(result: CheckResult): string[] {
  return [
    code(result.check),
    verdictOf(result),
    beside(result.requests, result.stable?.requests),
    beside(result.errors, result.stable?.errors),
    beside(milliseconds(result.p95Ms), milliseconds(result.stable?.p95Ms)),
    shareOf(result),
  ];
}

const verdicts: Readonly<Record<CheckResult['verdict'], string>> = {
  pass: 'passed',
  fail: '**failed**',
  inconclusive: '**inconclusive**',
};

/** With a share that is as wanted, the columns beside it say all that the message says. */
function verdictOf({ verdict, message, via, share }: CheckResult): string {
  if (verdict === 'pass' && share !== undefined) return `${verdicts.pass}, asked ${prose(via)}`;
  return `${verdicts[verdict]}: ${prose(`${message} (asked ${via})`, 1_000)}`;
}

/** The figure of the new version, and that of the stable one where it was asked too. */
function beside(candidate: number | string | undefined, stable: number | string | undefined): string {
  if (candidate === undefined) return '';
  return stable === undefined ? String(candidate) : `${candidate} (stable: ${stable})`;
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${Math.round(value)} ms`;
}

function shareOf({ share }: CheckResult): string {
  if (share === undefined) return '';
  const rounded = (value: number) => Number(value.toFixed(1));
  return `${rounded(share.measured)} % of ${share.requests} (pods: ${rounded(share.wanted)} %)`;
}

/** More would not be told apart on a page. */
const mostBars = 20;

/**
 * A chart of the measured shares and of the errors beside them, which GitHub draws; nothing for fewer than two steps with requests.
 * Nothing in it comes from outside.
 */
function chart(traffic: readonly Traffic[], checks: readonly CheckResult[]): string {
  const workloads = new Set(traffic.map(({ workload }) => workload));
  const measured = traffic.filter((step) => step.measured !== undefined).slice(-mostBars);
  // Several workloads have no one line.
  if (measured.length < 2 || workloads.size > 1) return '';
  const shares = measured.map(({ measured: share = 0 }) => share.toFixed(1));
  const errors = measured.map((step) => errorsAt(step, checks).toFixed(1));
  const titles = measured.map(({ atMs }) => `"${formatDuration(atMs)}"`);
  const lines = [
    'xychart-beta',
    '    title "Requests to the new version (bars) and its errors (line), in %"',
    `    x-axis [${titles.join(', ')}]`,
    '    y-axis 0 --> 100',
    `    bar [${shares.join(', ')}]`,
    `    line [${errors.join(', ')}]`,
  ];
  return codeBlock(lines, 'mermaid');
}

/** What part of the requests of the checks that have measured this share went wrong, in percent. */
function errorsAt({ measured }: Traffic, checks: readonly CheckResult[]): number {
  const own = checks.filter(({ share }) => share !== undefined && share.measured === measured);
  const sum = (of: (check: CheckResult) => number | undefined) => own.reduce((all, check) => all + (of(check) ?? 0), 0);
  const requests = sum((check) => check.requests);
  return requests === 0 ? 0 : (100 * sum((check) => check.errors)) / requests;
}
