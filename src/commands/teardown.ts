import type { Context } from '../release/context.ts';
import { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { command } from './command.ts';
import { askedPreview } from './preview/asked.ts';
import { teardownInputs, type TeardownOptions } from './preview/inputs.ts';
import { PullRequestNow } from './preview/pull-request-now.ts';
import { sweepPreviews } from './preview/sweep.ts';
import { tearDownThis } from './preview/tear-down.ts';

export const teardown = command({
  inputs: teardownInputs,
  required: [],
  rights: [],
  namespaceOf: (context, options) =>
    options.teardown === 'this' ? askedPreview(context, options).namespace : context.client.defaultNamespace,
  run: tearDown,
});

/**
 * Removes previews: that of one pull request because somebody says so, or those that nobody wants any more by what the cluster and
 * GitHub show. On any doubt nothing is removed.
 * @throws Failure for problems found before the first write; Cancelled
 */
async function tearDown(context: Context, options: TeardownOptions): Promise<RunReport> {
  if (options.teardown !== 'this') return await sweepPreviews(context, options, options.teardown);
  const asked = askedPreview(context, options);
  const { release, timeoutMs, dryRun } = options;
  const report = new Report(context, 'teardown', { release, namespace: asked.namespace });
  const pull = context.github === undefined ? undefined : (await new PullRequestNow(context, asked).askAgain())?.pull;
  const reason =
    pull?.state === 'closed' ? `the pull request was ${pull.merged ? 'merged' : 'closed'}` : 'the workflow says so';
  if (dryRun) {
    report.tellPreview({ pullRequest: asked.identity.number, adapted: [], reason });
    return report.finish('torn-down', `Would remove the preview of pull request ${asked.identity.number}: ${reason}`);
  }
  return await tearDownThis(context, asked, { report, pull, reason, timeoutMs });
}
