import { ownership } from '../preview/identity.ts';
import type { Context } from '../release/context.ts';
import type { SweptPreview } from '../report/preview-report.ts';
import { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { command } from './command.ts';
import { askedPreview, type AskedPreview } from './preview/asked.ts';
import { teardownInputs, type TeardownOptions } from './preview/inputs.ts';
import { previewFacts } from './preview/facts.ts';
import { namespaceRef } from './preview/namespace.ts';
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
  if (pull?.state === 'open' && isOfClosing(context, options)) {
    const facts = previewFacts(asked, pull);
    report.tellPreview({ ...facts, reason: 'the pull request was closed, and is open again' });
    return report.finish('skipped', `The preview of pull request ${facts.pullRequest} stays: it is open again`);
  }
  const reason =
    pull?.state === 'closed' ? `the pull request was ${pull.merged ? 'merged' : 'closed'}` : 'the workflow says so';
  if (dryRun) return await wouldTearDown(context, asked, report, reason);
  return await tearDownThis(context, asked, { report, pull, reason, timeoutMs });
}

/** The event may come late, when somebody has opened the pull request again and another run has made its preview. */
function isOfClosing({ event }: Context, { pullRequest }: TeardownOptions): boolean {
  return pullRequest === undefined && 'action' in event && event.action === 'closed';
}

/** Looks only. It tells as a sweep does, so that nobody takes the preview for removed: neither comment nor records. */
async function wouldTearDown(
  { client }: Context,
  { identity, namespace }: AskedPreview,
  report: Report,
  reason: string,
): Promise<RunReport> {
  const { number, release } = identity;
  const found = await client.read(namespaceRef(namespace));
  const owned = found === undefined ? undefined : ownership(found, identity);
  const isThere = owned?.is === 'ours';
  const why = owned === undefined || owned.is === 'ours' ? reason : `it ${owned.reason}`;
  const entry: SweptPreview = isThere
    ? { namespace, pullRequest: number, release, outcome: 'removed', reason }
    : { namespace, outcome: 'foreign', reason: why };
  report.tellSweep({ isDryRun: true, entries: owned === undefined ? [] : [entry] });
  return report.finish(
    'swept',
    isThere
      ? `Would remove the preview of pull request ${number}: ${reason}`
      : `Would remove nothing: there is no preview of pull request ${number}`,
  );
}
