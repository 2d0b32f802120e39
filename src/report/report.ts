import { formatDuration } from '../base/clock.ts';
import type { Context } from '../release/context.ts';
import type { CheckResult } from '../verify/result.ts';
import type { RunReport, Status, WorkloadReport } from './run-report.ts';
import type { TrafficStep } from './traffic-step.ts';

/** A report while the run that it tells of is under way. */
export class Report {
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
