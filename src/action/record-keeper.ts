import { systemClock, type Clock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { GitHub } from '../github/github.ts';
import type { BeginningChange } from '../release/context.ts';
import type { RunReport } from '../report/run-report.ts';
import { DeploymentRecord, type RecordOptions, type SavedRecord } from './deployment-record.ts';
import { gitHubOf } from './github.ts';
import { fullHash, gitHubRun, type GitHubRun } from './github-run.ts';
import type { Inputs } from './inputs.ts';
import { outcomeOf } from './record-outcome.ts';

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
  { environment, githubToken }: Pick<Inputs, 'environment' | 'githubToken'>,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  save: (record: SavedRecord) => void,
): RecordKeeper {
  const github = gitHubOf(githubToken, env);
  return new RecordKeeper({ environment, github, run: gitHubRun(env), clock: systemClock, reporter, save });
}

/** How long the end of a run waits for GitHub, in ms. */
const closingMs = 10_000;
/** Likewise of a cancelled one: 7.5 s after the first signal comes the next (actions/runner, ProcessInvoker.cs). */
const closingCancelledMs = 3_000;

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
      this.#without(`it is not known which commit runs after this ${command}`);
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
    const record = this.#record ?? this.#ofAbort(report);
    if (record === undefined) return [];
    const withinMs = report.status === 'cancelled' ? closingCancelledMs : closingMs;
    // An abort has no record of its own: nothing else runs after it than before. The one of the candidate ends.
    if (report.command === 'abort') await record.endOthers(['pending'], 'aborted', withinMs);
    else await record.close(outcomeOf(report, willRetry), withinMs);
    return record.warnings;
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
    else if (run.event.name === 'merge_group') this.#without('the commit of a merge queue is only tried');
    else if (github === undefined) this.#without('the input "github-token" is empty');
    else return { github, run, clock, reporter };
    return undefined;
  }

  #without(reason: string): void {
    const { environment = '', reporter } = this.#options;
    reporter.notice(`no deployment record of environment "${environment}" is written: ${reason}`);
  }
}
