import type { Location } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { hasFailed, type RunReport } from '../report/run-report.ts';
import type { LogExcerpt } from '../rollout/log-excerpt.ts';
import { cutAtWord } from './harmless.ts';
import { lastLinesOf } from './last-lines.ts';
import { renderSummary } from './summary/summary.ts';
import { writeSummary } from './summary/write-summary.ts';

/** Of what the log cuts an annotation to, with room for line breaks. */
const maxAnnotation = 3_800;

/** More of a line is not taken in at a glance; all of it stands in the log and in the summary. */
const longestLine = 120;

/** Tells the user how the run ended: annotations, job summary, last line of the log. Returns the exit code. */
export async function finish(report: RunReport, reporter: Reporter, env: NodeJS.ProcessEnv): Promise<number> {
  const failed = hasFailed(report.status);
  for (const { message, location, log } of report.failure?.problems ?? []) {
    annotate(reporter, message, log === undefined ? [] : excerptOf(log), location);
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
    else if (fits) annotate(reporter, whole, ['', manifest]);
    else annotate(reporter, whole, failure?.log === undefined ? [] : excerptOf(failure.log));
    if (manifest !== undefined && !fits) reporter.info(manifest);
  } else {
    reporter.info(report.headline);
  }
  await writeSummary(renderSummary(report), reporter, env);
  return failed ? 1 : 0;
}

/** @param whole lines that nobody wants cut: what an application has logged, and what is to be pasted */
function annotate(reporter: Reporter, text: string, whole: readonly string[], location?: Location): void {
  const short = text.split('\n').map((line) => cutAtWord(line, longestLine));
  if (short.join('\n') !== text) reporter.info(text);
  reporter.error([...short, ...whole].join('\n'), location);
}

function withLog(sentence: string, log: LogExcerpt | undefined): string {
  return [sentence, ...(log === undefined ? [] : excerptOf(log))].join('\n');
}

function excerptOf(log: LogExcerpt): string[] {
  return [lastLinesOf(log), ...log.lines.map((line) => `    ${line}`)];
}
