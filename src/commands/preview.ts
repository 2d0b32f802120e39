import { InvalidInput } from '../base/errors.ts';
import { haveOf, stepsFor } from '../preview/steps.ts';
import type { Context } from '../release/context.ts';
import { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { command } from './command.ts';
import { askedPreview } from './preview/asked.ts';
import { deployPreview } from './preview/deploy-preview.ts';
import { previewInputs, type PreviewOptions } from './preview/inputs.ts';
import { awaitGoing, namespaceRef } from './preview/namespace.ts';
import { PullRequestNow } from './preview/pull-request-now.ts';
import { previewFacts, tellPullRequest } from './preview/facts.ts';
import { tearDownThis } from './preview/tear-down.ts';

export const preview = command({
  inputs: previewInputs,
  required: [],
  rights: [],
  namespaceOf: (context, options) =>
    context.event.name === 'merge_group' && options.pullRequest === undefined
      ? context.client.defaultNamespace
      : askedPreview(context, options).namespace,
  run: previewPullRequest,
});

/**
 * Brings the preview of a pull request to what is wanted of it now, whatever event has started the run: deployed at its newest commit,
 * gone, or left alone.
 * @throws Failure, Failures for problems found before the first write; Cancelled
 */
async function previewPullRequest(context: Context, options: PreviewOptions): Promise<RunReport> {
  if (context.event.name === 'merge_group' && options.pullRequest === undefined) return ofQueue(context, options);
  const asked = askedPreview(context, options);
  const { release } = options;
  const { namespace, identity } = asked;
  const report = new Report(context, 'preview', { release, namespace });
  const now = new PullRequestNow(context, asked);
  const [{ pull, want }, found] = await Promise.all([now.ask(), context.client.read(namespaceRef(namespace))]);
  tellPullRequest(context, asked, pull);
  report.tellPreview(previewFacts(asked, pull));
  for (const step of stepsFor(want, haveOf(found, identity))) {
    switch (step.do) {
      case 'refuse':
        throw new InvalidInput(`Namespace "${namespace}" ${step.reason}`, {
          hint: 'Give previews another name with "preview-namespace", or remove that namespace yourself.',
        });
      case 'nothing':
        report.tellPreview({ ...previewFacts(asked, pull), reason: step.reason });
        return report.finish(step.as, `No preview of pull request ${identity.number}: ${step.reason}`);
      case 'tear-down':
        return await tearDownThis(context, asked, { report, pull, reason: step.reason, timeoutMs: options.timeoutMs });
      case 'wait-until-gone':
        if (found !== undefined) await awaitGoing(context, found);
        break;
      case 'create-namespace':
      case 'deploy':
        // Both belong together: nothing is made before the manifests are known to be right.
        if (pull !== undefined) return await deployPreview(context, options, asked, { report, pull, now });
    }
  }
  throw new InvalidInput('there is nothing to do about this preview', { hint: 'Report this as a bug of the action.' });
}

/** A queue waits for a status that says no (nickel-lang/nickel#1277), and its commit is of no single pull request. */
function ofQueue(
  context: Context,
  { release, namespace = context.client.defaultNamespace }: PreviewOptions,
): RunReport {
  const report = new Report(context, 'preview', { release, namespace });
  return report.finish(
    'skipped',
    'No preview: a merge queue tests a commit that is of no single pull request, so that it gets none',
  );
}
