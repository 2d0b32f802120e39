import { closeRecord } from './action/close-record.ts';
import { connectToCluster, isGke } from './action/connect.ts';
import { removeExportedKubeconfig } from './action/export-kubeconfig.ts';
import { finish } from './action/finish.ts';
import { readInputs, type Inputs } from './action/inputs.ts';
import { createReporter } from './action/log.ts';
import type { Aftermath } from './action/record-outcome.ts';
import { runIdentity } from './action/run-identity.ts';
import { readState, type SavedState } from './action/state.ts';
import { workspace } from './action/workspace.ts';
import { systemClock } from './base/clock.ts';
import { Failure } from './base/errors.ts';
import { Redaction } from './base/redaction.ts';
import type { Reporter } from './base/reporter.ts';
import { TimeLimit } from './base/time-limit.ts';
import { readEvent } from './github/event.ts';
import { failedReport } from './report/failure.ts';
import { recordedEnd, recover } from './commands/recover.ts';
import type { Context } from './release/context.ts';
import type { RunReport } from './report/run-report.ts';
import { manifestSources } from './manifests/read/index.ts';

/**
 * The post step: undoes what a main step that did not come to its end has left, and removes what it lent to later steps. Without
 * saved state the main step has not begun, and there is nothing to do. Returns the exit code.
 */
export async function postStep(): Promise<number> {
  const startedAt = systemClock.now();
  const redaction = new Redaction();
  const reporter = createReporter(redaction);
  try {
    const state = readState();
    const report = state === undefined ? undefined : await endFor(state, reporter, startedAt);
    return report === undefined ? 0 : await finish(redaction.deep(report), reporter, process.env);
  } catch (error) {
    const report = failedReport(error, 'undo', systemClock.now() - startedAt, false);
    return await finish(redaction.deep(report), reporter, process.env);
  }
}

/** How long it tries to do what the main step could not. */
const lastTryMs = 15_000;

async function endFor(state: SavedState, reporter: Reporter, startedAt: number): Promise<RunReport | undefined> {
  const { exportedKubeconfig, release, namespace, record, hasFailed = false } = state;
  if (exportedKubeconfig !== undefined) removeExportedKubeconfig(exportedKubeconfig);
  if (state.finished || release === undefined || namespace === undefined) return undefined;
  const inputs = readInputs(process.env, (secret) => {
    reporter.mask(secret);
  });
  const change = { ...state, release, namespace };
  // Where it cannot even begin, something may be left.
  let aftermath: Aftermath = { report: { status: 'failed' }, hasFailed };
  try {
    const found = await undoFor(change, inputs, reporter, startedAt);
    aftermath = { ...found, hasFailed };
    return found.report;
  } finally {
    if (record !== undefined)
      await closeRecord({ record, release, namespace }, aftermath, inputs, { env: process.env, reporter });
  }
}

type Begun = SavedState & Required<Pick<SavedState, 'release' | 'namespace'>>;

/** Undoes what is left; where nothing is, it says what the main step has recorded. */
async function undoFor(
  state: Begun,
  inputs: Inputs,
  reporter: Reporter,
  startedAt: number,
): Promise<{ report?: RunReport; recorded?: 'live' | 'waiting' | undefined }> {
  const { release, namespace } = state;
  const { signal } = new AbortController();
  // A step in between may have changed the kubeconfig's current context.
  const target = state.context === undefined || isGke(inputs) ? inputs : { ...inputs, context: state.context };
  const limit = new TimeLimit(systemClock);
  const hasAnswered = state.server !== undefined;
  // Of a main step that has tried to undo for as long as it may, little is left.
  const undoTimeoutMs = state.hasFailed === true ? Math.min(inputs.undoTimeoutMs, lastTryMs) : inputs.undoTimeoutMs;
  limit.begin(undoTimeoutMs);
  const { client, contextName } = await connectToCluster(target, process.env, reporter, { signal, limit, hasAnswered });
  if (state.server !== undefined && state.server !== client.server) {
    throw new Failure(`the main step changed ${state.server}, but the inputs point to ${client.server} now`, {
      hint: 'The next run against the first cluster undoes what was left there.',
    });
  }
  const context: Context = {
    client,
    reporter,
    clock: systemClock,
    limit,
    signal,
    run: { ...runIdentity(process.env), holder: state.holder },
    cwd: workspace(process.env),
    sources: manifestSources({ env: process.env, reporter }),
    contextName,
    startedAt,
    event: readEvent(process.env),
    onChangeBegins: () => undefined,
  };
  const hasFailed = state.hasFailed === true;
  const report = await recover(context, { ...inputs, release, namespace, undoTimeoutMs, hasFailed });
  if (report !== undefined) return { report };
  // A deploy makes a revision, or leaves it waiting; what else may wait is not of this change.
  const recorded = state.record === undefined ? undefined : await recordedEnd(context, { release, namespace });
  return { recorded: recorded === 'waiting' && state.record?.task === 'promote' ? undefined : recorded };
}
