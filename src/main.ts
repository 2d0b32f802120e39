import { cancellation } from './action/cancellation.ts';
import { connectToCluster } from './action/connect.ts';
import { exportKubeconfig } from './action/export-kubeconfig.ts';
import { finish } from './action/finish.ts';
import { gitHubOf, type ConnectGitHub } from './action/github.ts';
import { gitHubRun } from './action/github-run.ts';
import { commandAskedFor, readInputs, type Inputs } from './action/inputs.ts';
import { linksOf } from './action/links.ts';
import { createReporter } from './action/log.ts';
import { setOutputs } from './action/outputs.ts';
import { commentOn } from './action/preview-comment.ts';
import { recordsOf, type RecordKeeper } from './action/record-keeper.ts';
import { RequestLog } from './action/request-log.ts';
import { defaultRelease, repositoryOfRun, runIdentity } from './action/run-identity.ts';
import { saveState, type SavedState } from './action/state.ts';
import { workspace } from './action/workspace.ts';
import { systemClock } from './base/clock.ts';
import { Failure, messageOf } from './base/errors.ts';
import { Redaction } from './base/redaction.ts';
import type { Reporter } from './base/reporter.ts';
import { TimeLimit } from './base/time-limit.ts';
import { readEvent } from './github/event.ts';
import type { Context } from './release/context.ts';
import type { RunReport } from './report/run-report.ts';
import { manifestSources } from './manifests/read/index.ts';
import { failedReport } from './report/failure.ts';
import { recordTask, runCommand, skippedWithoutCredentials } from './commands/index.ts';
import { isLeft } from './report/left-open.ts';

/** The main step: inputs → connect → command → outputs and summary. Returns the exit code. */
export async function main(): Promise<number> {
  const startedAt = systemClock.now();
  const redaction = new Redaction();
  const reporter = createReporter(redaction);
  const signal = cancellation();
  const state: SavedState = { finished: false, holder: runIdentity(process.env).holder };
  const requests = new RequestLog(startedAt);
  const run: Run = { startedAt, reporter, signal, state, requests };

  let report: RunReport;
  try {
    saveState(state);
    run.inputs = readInputs(process.env, (secret) => {
      reporter.mask(secret);
    });
    run.github = gitHubOf(run.inputs.githubToken, process.env);
    report = await carryOut(run, run.inputs);
  } catch (error) {
    report = failedReport(error, commandAskedFor(process.env), systemClock.now() - startedAt, signal.aborted);
  }
  // What a cancelled change has done, and what this one could not take back, is the post step's to undo.
  const left = isLeft(report, state.release !== undefined);
  report = redaction.deep(report);
  report = await tellGitHub(run, report, left);
  setOutputs(report, (text) => {
    reporter.warning(text);
  });
  requests.tell(report, reporter);
  const code = await finish(report, reporter, process.env);
  try {
    saveState({ ...state, finished: report.status !== 'cancelled' && !left, ...(left ? { hasFailed: true } : {}) });
  } catch (error) {
    // It will see from the journal that there is nothing to undo.
    reporter.warning(messageOf(error));
  }
  return code;
}

/** What is known of a run while it goes on. */
interface Run {
  startedAt: number;
  reporter: Reporter;
  signal: AbortSignal;
  state: SavedState;
  requests: RequestLog;
  /** Once they are read. */
  inputs?: Inputs;
  github?: ConnectGitHub | undefined;
  /** Once it is known whether there are any. */
  records?: RecordKeeper;
}

/** Connects, and does what the inputs say. @throws Failure, Failures, Cancelled */
async function carryOut(run: Run, inputs: Inputs): Promise<RunReport> {
  const { startedAt, reporter, signal, state, requests, github } = run;
  const options = { ...inputs, release: inputs.release ?? defaultRelease(process.env) };
  const limit = new TimeLimit(systemClock);
  const repository = repositoryOfRun(process.env);
  const known = {
    reporter,
    clock: systemClock,
    startedAt,
    event: readEvent(process.env),
    ...(github === undefined ? {} : { github }),
    ...(repository === undefined ? {} : { repository }),
  };
  const transientTask = recordTask(known.event, inputs.command, options);
  run.records = recordsOf(
    { ...options, ...(transientTask === undefined ? {} : { transientTask }) },
    github,
    process.env,
    {
      reporter,
      save: (record) => {
        state.record = record;
        saveState(state);
      },
    },
  );
  let connected: Awaited<ReturnType<typeof connectToCluster>>;
  try {
    connected = await connectToCluster(inputs, process.env, reporter, {
      signal,
      limit,
      onRequest: requests.onRequest,
    });
  } catch (error) {
    const skipped =
      inputs.command === 'preview' && error instanceof Failure
        ? await skippedWithoutCredentials(known, options, error)
        : undefined;
    if (skipped === undefined) throw error;
    return skipped;
  }
  const { client, contextName, gke } = connected;
  if (inputs.exportKubeconfig && gke !== undefined) {
    exportKubeconfig(gke, process.env, (path) => {
      state.exportedKubeconfig = path;
      saveState(state);
    });
  }
  const context: Context = {
    ...known,
    client,
    limit,
    signal,
    run: {
      ...runIdentity(process.env),
      holder: state.holder,
      ...(inputs.reason === undefined ? {} : { reason: inputs.reason }),
    },
    cwd: workspace(process.env),
    sources: manifestSources({ env: process.env, reporter, signal }),
    contextName,
    onChangeBegins: (change) => {
      const { release, namespace } = change;
      Object.assign(state, { release, namespace, context: contextName, server: client.server });
      saveState(state);
      run.records?.begin(change);
    },
  };
  const report = await runCommand(context, inputs.command, options);
  const counts = [...client.requestCounts].map(([verb, count]) => `${verb} ${count}`);
  reporter.debug(`requests: ${counts.join(', ')}`);
  return report;
}

/** Deployment records, the comment of a preview, and links to all of it. None of them changes how the run has ended. */
async function tellGitHub(
  { startedAt, reporter, inputs, github, records }: Run,
  ended: RunReport,
  left: boolean,
): Promise<RunReport> {
  const unrecorded = (await records?.end(ended, left)) ?? [];
  const warnings = [...ended.warnings, ...unrecorded];
  const report = { ...ended, warnings, links: linksOf(ended, gitHubRun(process.env)) };
  if (inputs === undefined) return report;
  const commentUrl = await commentOn(report, inputs, { github, clock: systemClock, reporter, startedAt });
  return commentUrl === undefined ? report : { ...report, commentUrl };
}
