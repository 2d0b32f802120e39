import { cancellation } from './action/cancellation.ts';
import { connectToCluster } from './action/connect.ts';
import { exportKubeconfig } from './action/export-kubeconfig.ts';
import { finish } from './action/finish.ts';
import { gitHubRun } from './action/github-run.ts';
import { commandAskedFor, readInputs } from './action/inputs.ts';
import { linksOf } from './action/links.ts';
import { createReporter } from './action/log.ts';
import { setOutputs } from './action/outputs.ts';
import { recordsOf, type RecordKeeper } from './action/record-keeper.ts';
import { defaultRelease, runIdentity } from './action/run-identity.ts';
import { saveState, type SavedState } from './action/state.ts';
import { workspace } from './action/workspace.ts';
import { systemClock } from './base/clock.ts';
import { messageOf } from './base/errors.ts';
import { Redaction } from './base/redaction.ts';
import { TimeLimit } from './base/time-limit.ts';
import type { Context } from './release/context.ts';
import type { RunReport } from './report/run-report.ts';
import { manifestSources } from './manifests/read/index.ts';
import { failedReport } from './report/failure.ts';
import { runCommand } from './commands/index.ts';
import { isLeft } from './report/left-open.ts';

/** The main step: inputs → connect → command → outputs and summary. Returns the exit code. */
export async function main(): Promise<number> {
  const startedAt = systemClock.now();
  const redaction = new Redaction();
  const reporter = createReporter(redaction);
  const signal = cancellation();
  const limit = new TimeLimit(systemClock);
  const run = runIdentity(process.env);
  const state: SavedState = { finished: false, holder: run.holder };

  let report: RunReport;
  let records: RecordKeeper | undefined;
  try {
    saveState(state);
    const inputs = readInputs(process.env, (secret) => {
      reporter.mask(secret);
    });
    records = recordsOf(inputs, process.env, reporter, (record) => {
      state.record = record;
      saveState(state);
    });
    const { client, contextName, gke } = await connectToCluster(inputs, process.env, reporter, { signal, limit });
    if (inputs.exportKubeconfig && gke !== undefined) {
      exportKubeconfig(gke, process.env, (path) => {
        state.exportedKubeconfig = path;
        saveState(state);
      });
    }
    const context: Context = {
      client,
      reporter,
      clock: systemClock,
      limit,
      signal,
      run,
      cwd: workspace(process.env),
      sources: manifestSources({ env: process.env, reporter, signal }),
      contextName,
      startedAt,
      onChangeBegins: (change) => {
        const { release, namespace } = change;
        Object.assign(state, { release, namespace, context: contextName, server: client.server });
        saveState(state);
        records?.begin(change);
      },
    };
    report = await runCommand(context, inputs.command, {
      ...inputs,
      release: inputs.release ?? defaultRelease(process.env),
    });
    const counts = [...client.requestCounts].map(([verb, count]) => `${verb} ${count}`);
    reporter.debug(`requests: ${counts.join(', ')}`);
  } catch (error) {
    report = failedReport(error, commandAskedFor(process.env), systemClock.now() - startedAt, signal.aborted);
  }
  // What a cancelled change has done, and what this one could not take back, is the post step's to undo.
  const left = isLeft(report, state.release !== undefined);
  report = redaction.deep(report);
  const unrecorded = (await records?.end(report, left)) ?? [];
  report = { ...report, warnings: [...report.warnings, ...unrecorded], links: linksOf(report, gitHubRun(process.env)) };
  setOutputs(report, (text) => {
    reporter.warning(text);
  });
  const code = await finish(report, reporter, process.env);
  try {
    saveState({ ...state, finished: report.status !== 'cancelled' && !left, ...(left ? { hasFailed: true } : {}) });
  } catch (error) {
    // It will see from the journal that there is nothing to undo.
    reporter.warning(messageOf(error));
  }
  return code;
}
