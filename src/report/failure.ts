import { Failure, Failures, type Location } from '../base/errors.ts';
import { MissingRights } from '../release/rights-check.ts';
import { VerificationFailed } from '../verify/result.ts';
import { nounOf } from './headline.ts';
import type { FailureReport, RunReport } from './run-report.ts';

/** What the user reads of something that was thrown. */
export function failureOf(error: unknown): FailureReport {
  const all = error instanceof Failures ? error.all : [error];
  const problems = all.flatMap((problem): { message: string; location?: Location }[] => {
    if (!(problem instanceof Failure)) return [];
    if (problem.location !== undefined) return [{ message: withHint(problem), location: problem.location }];
    // A single one without a place is the message itself; of several, each has to be told.
    return all.length > 1 ? [{ message: withHint(problem) }] : [];
  });
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Failure ? error.hint : undefined;
  return {
    ...(error instanceof VerificationFailed ? { reason: 'VerificationFailed' } : {}),
    ...(error instanceof MissingRights ? { reason: 'MissingRights', manifest: error.manifest } : {}),
    message,
    ...(hint === undefined ? {} : { hint }),
    causes: [],
    problems,
    evidence: [],
  };
}

function withHint({ message, hint }: Failure): string {
  return hint === undefined ? message : `${message}. ${hint}`;
}

/**
 * The report of a run that ended before anything was changed, or that was cancelled.
 * @param command undefined where the workflow asks for one that does not exist
 */
export function failedReport(
  error: unknown,
  command: string | undefined,
  durationMs: number,
  cancelled: boolean,
): RunReport {
  const failure = failureOf(error);
  const what = nounOf(command);
  return {
    command: command ?? '',
    status: cancelled ? 'cancelled' : 'failed',
    headline: cancelled ? `${what} was cancelled` : `${what} failed`,
    objects: [],
    workloads: [],
    addresses: [],
    timeline: [],
    warnings: [],
    ...(cancelled ? {} : { failure }),
    durationMs,
  };
}
