import { formatDuration } from '../base/clock.ts';
import type { Location } from '../base/errors.ts';
import type { Context } from '../release/context.ts';
import type { CheckResult } from '../verify/result.ts';
import type { UndoReport } from '../release/undo-report.ts';
import type {
  AddressReport,
  FailureReport,
  HealthReport,
  HistoryEntry,
  ObjectReport,
  RunInProgress,
  RunReport,
  Status,
  WorkloadHistoryEntry,
  WorkloadReport,
} from './run-report.ts';
import type { PlannedObject, PlanReport } from './plan-report.ts';
import type { PreviewReport, SweepReport } from './preview-report.ts';
import type { TrafficStep } from './traffic-step.ts';

/** What the run is about. */
interface Subject {
  release: string;
  namespace: string;
  strategy?: string;
}

/** What a change has come to. */
export interface WrittenReport {
  objects: readonly ObjectReport[];
  workloads: readonly WorkloadReport[];
  /** Where the Services among the objects answer. */
  addresses: readonly AddressReport[];
}

/** The report of a run that is under way: whoever learns something adds it, and `finish` hands over the whole. */
export class Report {
  readonly #context: Context;
  readonly #report: RunReport;

  constructor(context: Context, command: string, { release, namespace, strategy }: Subject) {
    this.#context = context;
    this.#report = {
      command,
      status: 'failed',
      headline: '',
      release,
      namespace,
      ...(strategy === undefined ? {} : { strategy }),
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

  /** The name of the release that the run is about. */
  get release(): string {
    return this.#report.release ?? '';
  }

  /** The workloads that the run tells of. */
  get workloads(): readonly WorkloadReport[] {
    return this.#report.workloads;
  }

  /** What share of the requests each candidate got so far. */
  get traffic(): readonly TrafficStep[] {
    return this.#report.traffic ?? [];
  }

  /** The revision that the run makes, brings in, takes away or finds live. */
  tellRevision(revision: number): void {
    this.#report.revision = revision;
  }

  /** The revision that was live before. */
  tellPreviousRevision(revision: number): void {
    this.#report.previousRevision = revision;
  }

  /** The commits that what the run is about, and what was live before it, come from; as far as they are known. */
  tellCommits({ now, before }: { now?: string | undefined; before?: string | undefined }): void {
    if (now !== undefined) this.#report.commit = now;
    if (before !== undefined) this.#report.previousCommit = before;
  }

  tellWritten({ objects, workloads, addresses }: WrittenReport): void {
    this.#report.objects = objects;
    this.#report.workloads = workloads;
    this.#report.addresses = addresses;
  }

  /** What is going to be changed, with its fields. */
  tellChanges(changes: readonly PlannedObject[]): void {
    this.#report.changes = changes;
  }

  /** What the pods of what is live run after a change that failed. */
  tellNow(versions: HealthReport['versions']): void {
    this.#report.now = versions;
  }

  tellPlan(plan: PlanReport): void {
    this.#report.plan = plan;
  }

  tellPreview(preview: PreviewReport): void {
    this.#report.preview = preview;
  }

  tellSweep(sweep: SweepReport): void {
    this.#report.sweep = sweep;
  }

  /** Workloads whose objects are not told of. */
  tellWorkloads(workloads: readonly WorkloadReport[]): void {
    this.#report.workloads = workloads;
  }

  tellFailure(failure: FailureReport): void {
    this.#report.failure = failure;
  }

  tellStays(): void {
    this.#report.stays = true;
  }

  tellUndo(undo: UndoReport): void {
    this.#report.undo = undo;
  }

  /** @param workloads what the controllers of workloads keep, where the release has no record of them */
  tellHistory(revisions: readonly HistoryEntry[], workloads: readonly WorkloadHistoryEntry[]): void {
    this.#report.history = revisions;
    this.#report.workloadHistory = workloads;
  }

  /** How the release is now, its workloads among it, and where it answers. */
  tellHealth(health: HealthReport, { workloads, addresses }: Omit<WrittenReport, 'objects'>): void {
    this.#report.health = health;
    this.#report.workloads = workloads;
    this.#report.addresses = addresses;
  }

  tellInProgress(run: RunInProgress): void {
    this.#report.inProgress = run;
  }

  /** @param location where the user's files have what it is about */
  warn(text: string, location?: Location): void {
    if (this.#report.warnings.includes(text)) return;
    this.#report.warnings = [...this.#report.warnings, text];
    this.#context.reporter.warning(text, location);
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
    const atMs = this.#context.clock.now() - this.#context.startedAt;
    this.#report.timeline = [...this.#report.timeline, { atMs, text }];
  }

  /** How long the run takes so far: `42s`. */
  elapsed(): string {
    return formatDuration(this.#context.clock.now() - this.#context.startedAt);
  }

  finish(status: Status, headline: string): RunReport {
    if (status === 'unchanged' && this.#context.run.reason !== undefined)
      this.warn('the reason was not recorded: nothing was changed');
    this.mark(headline);
    return {
      ...this.#report,
      status,
      headline,
      durationMs: this.#context.clock.now() - this.#context.startedAt,
    };
  }
}
