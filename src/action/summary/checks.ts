import type { RunReport } from '../../report/run-report.ts';
import type { CheckResult } from '../../verify/result.ts';
import { code, prose, table } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';

/** The table of what was verified over HTTP; nothing without checks. */
export function renderChecks({ checks = [] }: RunReport, limits: SummaryLimits): string {
  if (checks.length === 0) return '';
  return table(
    ['Check', 'Verdict', 'Requests', 'Wrong', 'p95', 'Share'],
    checks,
    (result) => [
      code(result.check),
      verdictOf(result),
      beside(result.requests, result.stable?.requests),
      beside(result.errors, result.stable?.errors),
      beside(milliseconds(result.p95Ms), milliseconds(result.stable?.p95Ms)),
      shareOf(result),
    ],
    limits.rows,
  );
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
  return `${rounded(share.measured)} % of ${share.requests} (wanted: ${rounded(share.wanted)} %)`;
}
