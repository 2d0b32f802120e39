import type { Reporter } from '../base/reporter.ts';
import { hasFailed, type RunReport } from '../report/run-report.ts';
import type { LogExcerpt } from '../rollout/log-excerpt.ts';
import { lastLinesOf } from './last-lines.ts';
import { renderSummary } from './summary/summary.ts';
import { writeSummary } from './summary/write-summary.ts';

/** Of what the log cuts an annotation to, with room for line breaks. */
const maxAnnotation = 3_800;

/** Tells the user how the run ended: annotations, job summary, last line of the log. Returns the exit code. */
export async function finish(report: RunReport, reporter: Reporter, env: NodeJS.ProcessEnv): Promise<number> {
  const failed = hasFailed(report.status);
  for (const { message, location, log } of report.failure?.problems ?? []) {
    reporter.error(withLog(message, log), location);
  }
  if (failed) {
    const { failure, headline } = report;
    // What happened, why, and what to do: a line each.
    const sentence = failure === undefined ? headline : `${headline}\n${failure.message}`;
    const whole = failure?.hint === undefined ? sentence : `${sentence}\n${failure.hint}`;
    const { manifest } = failure ?? {};
    // GitHub cuts an annotation; what is to be pasted must be whole.
    const fits = manifest !== undefined && whole.length + manifest.length < maxAnnotation;
    if (failure?.problems.length === 1) reporter.info(withLog(sentence, failure.log));
    else reporter.error(fits ? `${whole}\n\n${manifest}` : withLog(whole, failure?.log));
    if (manifest !== undefined && !fits) reporter.info(manifest);
  } else {
    reporter.info(report.headline);
  }
  await writeSummary(renderSummary(report), reporter, env);
  return failed ? 1 : 0;
}

function withLog(sentence: string, log: LogExcerpt | undefined): string {
  if (log === undefined) return sentence;
  return [sentence, lastLinesOf(log), ...log.lines.map((line) => `    ${line}`)].join('\n');
}
