import { formatDuration } from '../base/clock.ts';
import { Failure, Failures, type Location } from '../base/errors.ts';
import { MissingRights } from '../release/rights-check.ts';
import { VerificationFailed, type CheckResult } from '../verify/result.ts';
import type { Context } from '../release/context.ts';
import type { FailureReport, RunReport, Status, WorkloadReport } from '../report/report.ts';
import type { TrafficStep } from '../report/traffic-step.ts';

/** A report while the run that it tells of is under way. */
export class Draft {
  readonly #context: Context;
  readonly #report: RunReport;

  constructor(context: Context, command: string, facts: Pick<RunReport, 'release' | 'namespace' | 'strategy'> = {}) {
    this.#context = context;
    this.#report = {
      command,
      status: 'failed',
      headline: '',
      ...facts,
      server: context.client.server,
      context: context.contextName,
      objects: [],
      workloads: [],
      addresses: [],
      timeline: [],
      warnings: [],
      durationMs: 0,
    };
  }

  /** The workloads that the run tells of. */
  get workloads(): readonly WorkloadReport[] {
    return this.#report.workloads;
  }

  /** Facts that become known on the way. */
  add(facts: Partial<RunReport>): void {
    Object.assign(this.#report, facts);
  }

  warn(text: string): void {
    if (this.#report.warnings.includes(text)) return;
    this.#report.warnings.push(text);
    this.#context.reporter.warning(text);
  }

  addWorkloads(workloads: readonly WorkloadReport[]): void {
    this.#report.workloads = [...this.#report.workloads, ...workloads];
  }

  addChecks(checks: readonly CheckResult[]): void {
    this.#report.checks = [...(this.#report.checks ?? []), ...checks];
  }

  addTraffic(step: TrafficStep): void {
    const atMs = this.#context.clock.now() - this.#context.startedAt;
    this.#report.traffic = [...(this.#report.traffic ?? []), { atMs, ...step }];
  }

  /** A line of the timeline. */
  mark(text: string): void {
    this.#report.timeline.push({ atMs: this.#context.clock.now() - this.#context.startedAt, text });
  }

  /** How long the run takes so far: `42s`. */
  elapsed(): string {
    return formatDuration(this.#context.clock.now() - this.#context.startedAt);
  }

  finish(status: Status, headline: string): RunReport {
    this.mark(headline);
    return {
      ...this.#report,
      status,
      headline,
      durationMs: this.#context.clock.now() - this.#context.startedAt,
    };
  }
}

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
  const what = command ?? 'run';
  return {
    command: command ?? '',
    status: cancelled ? 'cancelled' : 'failed',
    headline: cancelled ? `The ${what} was cancelled` : `The ${what} failed`,
    objects: [],
    workloads: [],
    addresses: [],
    timeline: [],
    warnings: [],
    ...(cancelled ? {} : { failure }),
    durationMs,
  };
}
