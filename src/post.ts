import { connectToCluster, isGke } from './action/connect.ts';
import { removeExportedKubeconfig } from './action/export-kubeconfig.ts';
import { finish } from './action/finish.ts';
import { readInputs } from './action/inputs.ts';
import { createReporter } from './action/log.ts';
import { runIdentity } from './action/run-identity.ts';
import type { SavedState } from './action/state.ts';
import { workspace } from './action/workspace.ts';
import { systemClock } from './base/clock.ts';
import { Failure } from './base/errors.ts';
import { failedReport } from './commands/draft.ts';
import { recover } from './commands/recover.ts';
import type { RunReport } from './commands/report.ts';
import { kustomizeOf } from './manifests/kustomize.ts';

/**
 * The post step: undoes what a main step that did not come to its end has left, and removes what it lent to later steps.
 * Returns the exit code.
 */
export async function post(state: SavedState): Promise<number> {
  const { exportedKubeconfig, release, namespace } = state;
  if (exportedKubeconfig !== undefined) removeExportedKubeconfig(exportedKubeconfig);
  if (state.finished || release === undefined || namespace === undefined) return 0;
  const startedAt = systemClock.now();
  const reporter = createReporter();
  const { signal } = new AbortController();
  let report: RunReport | undefined;
  try {
    const inputs = readInputs(process.env);
    // A step in between may have changed the kubeconfig's current context.
    const target = state.context === undefined || isGke(inputs) ? inputs : { ...inputs, context: state.context };
    const { client, contextName } = await connectToCluster(target, process.env, reporter, signal);
    if (state.server !== undefined && state.server !== client.server) {
      throw new Failure(`the main step changed ${state.server}, but the inputs lead to ${client.server} now`, {
        hint: 'The next run against the first cluster undoes what was left there.',
      });
    }
    report = await recover(
      {
        client,
        reporter,
        clock: systemClock,
        signal,
        run: { ...runIdentity(process.env), holder: state.holder },
        cwd: workspace(process.env),
        kustomize: kustomizeOf(process.env, reporter),
        contextName,
        startedAt,
        onChangeBegins: () => undefined,
      },
      { ...inputs, release, namespace },
    );
  } catch (error) {
    report = failedReport(error, 'undo', systemClock.now() - startedAt, false);
  }
  return report === undefined ? 0 : await finish(report, reporter, process.env);
}
