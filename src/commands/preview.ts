import { Failure, InvalidInput } from '../base/errors.ts';
import type { PullRequest } from '../github/pull-request.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { haveOf, stepsFor, type PreviewStep } from '../preview/steps.ts';
import type { Context } from '../release/context.ts';
import { failureOf } from '../report/failure.ts';
import { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { command } from './command.ts';
import { askedPreview, type AskedPreview } from './preview/asked.ts';
import { deployPreview } from './preview/deploy-preview.ts';
import { previewInputs, type PreviewOptions } from './preview/inputs.ts';
import { awaitGoing, namespaceRef } from './preview/namespace.ts';
import { PullRequestNow } from './preview/pull-request-now.ts';
import { previewFacts, servingIn, tellPullRequest } from './preview/facts.ts';
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
 * @throws Failure where it is not known which pull request it is, or how that is now; Cancelled
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
  const steps = stepsFor(want, haveOf(found, identity));
  try {
    return await carryOut(context, options, asked, { report, pull, now, found, steps });
  } catch (error) {
    if (context.signal.aborted || !(error instanceof Failure)) throw error;
    // The pull request is told of it as well, and of what goes on running.
    report.tellFailure(failureOf((await context.rights?.explain(error)) ?? error));
    report.tellPreview({ ...previewFacts(asked, pull), ...servingIn(found, identity) });
    return report.finish('failed', `The preview of pull request ${identity.number} failed`);
  }
}

interface Found {
  report: Report;
  pull: PullRequest | undefined;
  now: PullRequestNow;
  /** Its namespace, as it was before. */
  found: KubernetesObject | undefined;
  steps: readonly PreviewStep[];
}

async function carryOut(
  context: Context,
  options: PreviewOptions,
  asked: AskedPreview,
  { report, pull, now, found, steps }: Found,
): Promise<RunReport> {
  const { namespace, identity } = asked;
  const [first] = steps;
  if (first?.do === 'refuse') {
    throw new InvalidInput(`Namespace "${namespace}" ${first.reason}`, {
      hint: 'Use a different "preview-namespace", or delete that namespace yourself.',
    });
  }
  if (first?.do === 'nothing') {
    report.tellPreview({ ...previewFacts(asked, pull), reason: first.reason });
    return report.finish(first.as, `No preview of pull request ${identity.number}: ${first.reason}`);
  }
  if (first?.do === 'tear-down')
    return await tearDownThis(context, asked, { report, pull, reason: first.reason, timeoutMs: options.timeoutMs });
  if (pull === undefined) throw new InvalidInput(`there is no pull request ${identity.number} to deploy`);
  if (found !== undefined && steps.some((step) => step.do === 'wait-until-gone')) await awaitGoing(context, found);
  // That makes its namespace where there is none, once the manifests are known to be right.
  return await deployPreview(context, options, asked, { report, pull, now, isNew: found === undefined });
}

/** A queue waits for a status that says no (nickel-lang/nickel#1277), and its commit is of no single pull request. */
function ofQueue(
  context: Context,
  { release, namespace = context.client.defaultNamespace }: PreviewOptions,
): RunReport {
  const report = new Report(context, 'preview', { release, namespace });
  return report.finish('skipped', 'No preview: a merge queue tests a commit that belongs to no single pull request');
}
