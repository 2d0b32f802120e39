import { systemClock, type Clock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { GitHub } from '../github/github.ts';
import { previewTask } from '../preview/names.ts';
import type { BeginningChange } from '../release/context.ts';
import type { RunReport } from '../report/run-report.ts';
import { DeploymentRecord, type RecordOptions, type SavedRecord } from './deployment-record.ts';
import type { ConnectGitHub } from './github.ts';
import { fullHash, gitHubRun, type GitHubRun } from './github-run.ts';
import { describe, outcomeOf } from './record-outcome.ts';

interface KeeperOptions {
  /** GitHub's name of what is deployed to. Absent: nothing is recorded, and nothing is said of it. */
  environment: string | undefined;
  /** Absent where there is no token. */
  github: (() => Promise<GitHub>) | undefined;
  /** Absent where this is no run of GitHub Actions. */
  run: GitHubRun | undefined;
  clock: Clock;
  reporter: Reporter;
  /** Of what is not there to stay: its own task, and shown as destroyed once it is gone. */
  transientTask?: string;
  /** Keeps for the post step what it would have to close. */
  save: (record: SavedRecord) => void;
}

/** The records of a run with these inputs. @param save keeps for the post step what it would have to close */
export function recordsOf(
  { environment, transientTask }: { environment?: string; transientTask?: string },
  github: ConnectGitHub | undefined,
  env: NodeJS.ProcessEnv,
  { reporter, save }: Pick<KeeperOptions, 'reporter' | 'save'>,
): RecordKeeper {
  return new RecordKeeper({
    environment,
    github,
    run: gitHubRun(env),
    clock: systemClock,
    reporter,
    save,
    ...(transientTask === undefined ? {} : { transientTask }),
  });
}

/** How long the end of a run waits for GitHub, in ms. */
const closingMs = 10_000;
/** Likewise of a cancelled one: 7.5 s after the first signal comes the next (actions/runner, ProcessInvoker.cs). */
const closingCancelledMs = 3_000;

const allStates = ['success', 'pending', 'queued', 'in_progress', 'failure', 'error'] as const;

/** The previews that a run has removed. */
function removedIn({ status, preview, sweep, release, namespace }: RunReport) {
  if (status === 'torn-down' && preview !== undefined && release !== undefined && namespace !== undefined)
    return [{ number: preview.pullRequest, release, namespace, reason: preview.reason ?? '' }];
  if (sweep === undefined || sweep.isDryRun) return [];
  return sweep.entries.flatMap(({ outcome, pullRequest: number, release: of, namespace: where, reason }) =>
    outcome === 'removed' && number !== undefined && of !== undefined
      ? [{ number, release: of, namespace: where, reason }]
      : [],
  );
}

/** Decides whether a run has a deployment record, opens it when its change begins, and closes it by what has become of that. */
export class RecordKeeper {
  readonly #options: KeeperOptions;
  #record: DeploymentRecord | undefined;
  #hasBegun = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** Called before the first write. What only settles what an earlier run has left is not recorded. */
  begin({ release, namespace, runs }: BeginningChange): void {
    const { environment, save, transientTask } = this.#options;
    if (environment === undefined || runs === undefined || this.#hasBegun) return;
    this.#hasBegun = true;
    const means = this.#whatIsNeeded();
    if (means === undefined) return;
    const { command, commit: ref = '', revision } = runs;
    if (!fullHash.test(ref)) {
      this.#without(`it is unknown which commit runs after this ${command}`);
      return;
    }
    const transient = transientTask !== undefined;
    const saved: SavedRecord = { environment, task: transientTask ?? command, ref, transient };
    // Before it is asked for: a run that is killed right after finds it by these.
    save(saved);
    this.#record = new DeploymentRecord(
      {
        ...means,
        onOpened: (id) => {
          save({ ...saved, id });
        },
      },
      { ...saved, release, namespace, ...(revision === undefined ? {} : { revision }) },
    );
    this.#record.open();
  }

  /**
   * Says in the record what has become of the change.
   * @param willRetry whether the post step goes on with its undo
   * @returns what could not be written, in sentences
   */
  async end(report: RunReport, willRetry: boolean): Promise<readonly string[]> {
    const withinMs = report.status === 'cancelled' ? closingCancelledMs : closingMs;
    const ofRemoved = await this.#endRemoved(report, withinMs);
    const record = this.#record ?? this.#ofAbort(report);
    if (record === undefined) return ofRemoved;
    // An abort has no record of its own: nothing else runs after it than before. The one of the candidate ends.
    if (report.command === 'abort') await record.endOthers(['pending'], 'aborted', withinMs);
    else await record.close(outcomeOf(report, willRetry), withinMs);
    return [...new Set([...ofRemoved, ...record.warnings])];
  }

  /** Of a preview that is gone nothing runs any more, whatever its records say. */
  async #endRemoved(report: RunReport, withinMs: number): Promise<readonly string[]> {
    const { environment } = this.#options;
    const removed = removedIn(report);
    const means = environment === undefined || removed.length === 0 ? undefined : this.#whatIsNeeded();
    if (environment === undefined || means === undefined) return [];
    for (const { number, release, namespace, reason } of removed) {
      const task = previewTask({ number, release });
      const subject = { environment, task, ref: '', release, namespace, transient: true };
      const records = new DeploymentRecord(means, subject);
      await records.endOthers(allStates, describe(`removed: ${reason}`), withinMs);
      // What GitHub does not do for one it does not do for the others: neither wait nor warn as often as there are previews.
      if (records.warnings.length > 0) return records.warnings;
    }
    return [];
  }

  #ofAbort({ command, status, undo, release, namespace }: RunReport): DeploymentRecord | undefined {
    const { environment } = this.#options;
    const isGone = command === 'abort' && (status === 'aborted' || undo !== undefined);
    if (!isGone || environment === undefined || release === undefined || namespace === undefined) return undefined;
    const means = this.#whatIsNeeded();
    if (means === undefined) return undefined;
    return new DeploymentRecord(means, { environment, task: 'abort', ref: '', release, namespace, transient: false });
  }

  /** Undefined, with a notice, where nothing can be recorded. */
  #whatIsNeeded(): Pick<RecordOptions, 'github' | 'run' | 'clock' | 'reporter'> | undefined {
    const { github, run, clock, reporter } = this.#options;
    if (run === undefined) this.#without('this is not a run of GitHub Actions');
    // The ref of a merge queue is gone soon, and unknown to the API (vm0-ai/vm0#10865).
    else if (run.event.name === 'merge_group') this.#without('a merge queue only tests its commit');
    else if (github === undefined) this.#without('the input "github-token" is empty');
    else return { github, run, clock, reporter };
    return undefined;
  }

  #without(reason: string): void {
    const { environment = '', reporter } = this.#options;
    reporter.notice(`no deployment record for environment "${environment}" is written: ${reason}`);
  }
}
