import type { Reporter } from '../base/reporter.ts';
import type { RunReport, Status } from '../commands/report.ts';
import { renderSummary } from './summary.ts';
import { writeSummary } from './write-summary.ts';

const failures: ReadonlySet<Status> = new Set(['undone', 'failed', 'cancelled']);

/** Tells the user how the run ended: annotations, job summary, last line of the log. Returns the exit code. */
export async function finish(report: RunReport, reporter: Reporter, env: NodeJS.ProcessEnv): Promise<number> {
  const failed = failures.has(report.status);
  for (const problem of report.failure?.problems ?? []) reporter.error(problem.message, problem.location);
  if (failed) {
    const { failure, headline } = report;
    const sentence = failure === undefined ? headline : `${headline}: ${failure.message}`;
    if (failure?.problems.length === 1) reporter.info(sentence);
    else reporter.error(failure?.hint === undefined ? sentence : `${sentence}. ${failure.hint}`);
  } else {
    reporter.info(report.headline);
  }
  await writeSummary(renderSummary(report), reporter, env);
  return failed ? 1 : 0;
}
