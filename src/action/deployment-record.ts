import { atMost, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { adviceOn, recordOfJob, recordOfRun, retireRecords, type RecordOwner } from '../github/deployment-records.ts';
import { GitHubError } from '../github/github-error.ts';
import type { DeploymentState, GitHub, NewDeploymentStatus } from '../github/github.ts';
import { commitOfRun, type GitHubRun } from './github-run.ts';
import type { RecordOutcome } from './record-outcome.ts';

/** What a record tells of from its beginning on. */
export interface RecordSubject extends RecordOwner {
  task: string;
  /** The full hash of the commit that is to run. */
  ref: string;
  revision?: number;
  /** It goes away again: shown as destroyed once it is inactive. */
  transient: boolean;
}

/** What the post step needs for closing one that the main step could not. */
export interface SavedRecord {
  environment: string;
  task: string;
  ref: string;
  transient: boolean;
  /** Absent while GitHub has not answered. */
  id?: number;
}

export interface RecordOptions {
  /** May have to ask for something first. */
  github: () => Promise<GitHub>;
  clock: Clock;
  reporter: Reporter;
  run: GitHubRun;
  /** Told the id of the record as soon as it is known. */
  onOpened?: (id: number) => void;
}

/**
 * One deployment record of GitHub, from the begin of a change to its end. Nothing of it fails the run or keeps it waiting: it is
 * written side by side with the change, and only the end is waited for, with a deadline. What goes wrong is one warning for each
 * kind of problem.
 */
export class DeploymentRecord {
  /** What could not be written, in sentences. */
  readonly warnings: string[] = [];
  readonly #options: RecordOptions;
  readonly #subject: RecordSubject;
  readonly #known = new Set<string>();
  /** It was said that nobody waits any longer: what comes of it later is told no more. */
  #isGivenUp = false;
  #opened: Promise<number | undefined> = Promise.resolve(undefined);

  constructor(options: RecordOptions, subject: RecordSubject) {
    this.#options = options;
    this.#subject = subject;
  }

  /** Begins to write it. Where the job itself declares the environment, GitHub has one already, and there is no second. */
  open(): void {
    this.#opened = this.#open().catch((error: unknown) => {
      this.#warn('opened', error);
      return undefined;
    });
  }

  /** Goes on with one that an earlier step of this job has opened; where that did not live to see the id, it is looked up. */
  resume(id: number | undefined): void {
    this.#opened = id === undefined ? this.#find() : Promise.resolve(id);
  }

  /** Says how it has ended. @param withinMs how long it is waited for at most */
  async close(outcome: RecordOutcome, withinMs: number): Promise<void> {
    await this.#within(withinMs, this.#close(outcome));
  }

  /** Ends records of the release but this one, whose last state is one of these. */
  async endOthers(states: readonly DeploymentState[], description: string, withinMs: number): Promise<void> {
    await this.#within(withinMs, this.#endOthers(states, description));
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    const state = { ended: false };
    const watched = work.finally(() => {
      state.ended = true;
    });
    await atMost(this.#options.clock, ms, watched);
    if (state.ended) return;
    this.#warn('closed', new Error(`GitHub did not respond within ${ms / 1000}s`));
    this.#isGivenUp = true;
  }

  async #find(): Promise<number | undefined> {
    try {
      const github = await this.#options.github();
      return (await recordOfRun(github, { ...this.#subject, run: this.#options.run.attemptUrl }))?.id;
    } catch (error) {
      this.#warn('found', error);
      return undefined;
    }
  }

  async #open(): Promise<number | undefined> {
    const { reporter, run, onOpened } = this.#options;
    const github = await this.#options.github();
    const { environment, task, ref, revision, transient, release, namespace } = this.#subject;
    const shas = [commitOfRun(run), run.sha].filter((sha) => sha !== undefined);
    if ((await recordOfJob(github, { environment, shas, runUrl: run.url })) !== undefined) {
      reporter.notice(
        `the job itself declares the environment "${environment}", so GitHub already records it; this action adds no second record. For a record with cause, canary and undo, write "environment: { name: ${environment}, deployment: false }" in the job. Otherwise, remove the input "environment".`,
      );
      return undefined;
    }
    const what = `${transient ? 'preview' : task} of ${release}`;
    const { id } = await github.createDeployment({
      ref,
      task,
      environment,
      transient,
      description: what,
      payload: {
        release,
        namespace,
        run: run.attemptUrl,
        ...(revision === undefined ? {} : { revision: String(revision) }),
      },
    });
    onOpened?.(id);
    await this.#say(id, { state: 'in_progress', description: `${what} to namespace ${namespace}` });
    return id;
  }

  async #close({ ends, ...status }: RecordOutcome): Promise<void> {
    const id = await this.#opened;
    if (id === undefined) return;
    await this.#say(id, status);
    await this.#endOthers(ends, 'no longer running', id);
  }

  async #endOthers(states: readonly DeploymentState[], description: string, except?: number): Promise<void> {
    const which = { states, description, ...(except === undefined ? {} : { except }) };
    try {
      const { transient, task } = this.#subject;
      // All previews share one environment, whose list is long: those of this one have a task of their own.
      await retireRecords(await this.#options.github(), this.#subject, { ...which, ...(transient ? { task } : {}) });
    } catch (error) {
      this.#warn('marked inactive for earlier deployments', error);
    }
  }

  async #say(id: number, status: NewDeploymentStatus): Promise<void> {
    try {
      const github = await this.#options.github();
      await github.createDeploymentStatus(id, { ...status, logUrl: this.#options.run.attemptUrl });
    } catch (error) {
      this.#warn('updated', error);
    }
  }

  /** @param what completes "could not be …" */
  #warn(what: string, error: unknown): void {
    const kind = error instanceof GitHubError ? `${error.problem} ${error.permission ?? ''}` : messageOf(error);
    if (this.#isGivenUp || this.#known.has(kind)) return;
    this.#known.add(kind);
    const { environment } = this.#subject;
    const advice = adviceOn(error);
    const text = `the deployment record of environment "${environment}" could not be ${what}: ${messageOf(error)}${advice === '' ? '' : `. ${advice}`}`;
    this.warnings.push(text);
    this.#options.reporter.warning(text);
  }
}
