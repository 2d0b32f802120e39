import { messageOf } from '../../base/errors.ts';
import type { GitHub } from '../../github/github.ts';
import { serverNow } from '../../kubernetes/server-time.ts';
import { identityOf, ownership, type Preview } from '../../preview/identity.ts';
import {
  afterAsking,
  sweep,
  type Answer,
  type OpenPullRequests,
  type SweepOptions,
  type SweepVerdict,
} from '../../preview/sweep.ts';
import type { Context } from '../../release/context.ts';
import { grantsOf } from '../../release/rights.ts';
import type { SweptPreview } from '../../report/preview-report.ts';
import { Report } from '../../report/report.ts';
import type { RunReport } from '../../report/run-report.ts';
import { repositoryOf, rulesOf } from './asked.ts';
import { defaultKeepLabel } from './facts.ts';
import type { TeardownOptions } from './inputs.ts';
import { listPreviews } from './list-previews.ts';
import { deleteNamespace, namespaceRef } from './namespace.ts';

/**
 * Compares the previews of the cluster with the pull requests of GitHub, and removes those that nobody wants any more: of this
 * repository, whatever release they are of. Where GitHub does not answer, only time counts.
 * @throws Failure for problems found before the first write; Cancelled
 */
export async function sweepPreviews(
  context: Context,
  options: TeardownOptions,
  mode: SweepOptions['mode'],
): Promise<RunReport> {
  const { client, clock, reporter, rights } = context;
  const repository = repositoryOf(context);
  const { server, repositoryId } = identityOf(repository, 1, options.release);
  const report = new Report(context, 'teardown', { release: options.release, namespace: '' });
  rights?.expect(grantsOf('teardown', undefined));
  await rights?.require();
  const { namespaces } = await listPreviews(context, { server, repositoryId });
  const rules: SweepOptions = {
    mode,
    repository: { server, repositoryId },
    release: options.release,
    // Also where time alone counts: a label that keeps a preview may have come since its last deploy.
    open: await openPullRequests(context),
    rules: rulesOf(options),
    keepLabel: options.previewKeepLabel ?? defaultKeepLabel,
    now: serverNow(client, clock),
  };
  if (mode === 'all-closed' && rules.open.state === 'unknown')
    report.warn(`${rules.open.reason}: only previews that have expired are removed`);
  const verdicts: SweepVerdict[] = [];
  for (const verdict of sweep(namespaces, rules)) {
    verdicts.push(verdict.do === 'confirm' ? await confirmed(context, verdict.preview, rules) : verdict);
  }
  const entries: SweptPreview[] = [];
  for (const verdict of verdicts) {
    const entry = await carryOut(context, verdict, options.dryRun);
    reporter.info(`Namespace "${entry.namespace}": ${entry.outcome}: ${entry.reason}`);
    entries.push(entry);
  }
  report.tellSweep({ isDryRun: options.dryRun, entries });
  return report.finish('swept', headlineOf(entries, options.dryRun));
}

async function openPullRequests({ github }: Context): Promise<OpenPullRequests> {
  if (github === undefined) return { state: 'unknown', reason: 'there is no token to ask GitHub with' };
  try {
    return { state: 'known', pulls: await (await github()).openPullRequests() };
  } catch (error) {
    return { state: 'unknown', reason: messageOf(error) };
  }
}

async function confirmed({ github }: Context, preview: Preview, options: SweepOptions): Promise<SweepVerdict> {
  const answer: Answer =
    github === undefined
      ? { state: 'unknown', reason: 'there is no token to ask GitHub with' }
      : await askFor(github, preview.number, options);
  return afterAsking(preview, answer, options);
}

async function askFor(connect: () => Promise<GitHub>, number: number, { rules }: SweepOptions): Promise<Answer> {
  try {
    const github = await connect();
    const pull = await github.pullRequest(number);
    if (pull === undefined) return { state: 'missing' };
    const hasBranch =
      pull.state === 'closed' && rules.until === 'branch-deleted'
        ? await github.hasBranch(pull.head.branch)
        : undefined;
    return { state: 'found', pull, ...(hasBranch === undefined ? {} : { hasBranch }) };
  } catch (error) {
    return { state: 'unknown', reason: messageOf(error) };
  }
}

async function carryOut(context: Context, verdict: SweepVerdict, isDryRun: boolean): Promise<SweptPreview> {
  const preview = 'preview' in verdict ? verdict.preview : undefined;
  const told = {
    namespace: verdict.namespace,
    ...(preview === undefined ? {} : { pullRequest: preview.number, release: preview.release }),
    ...(preview?.pullRequestUrl === undefined ? {} : { pullRequestUrl: preview.pullRequestUrl }),
  };
  switch (verdict.do) {
    case 'remove':
      return {
        ...told,
        ...(isDryRun ? { outcome: 'removed', reason: verdict.reason } : await remove(context, verdict)),
      };
    case 'keep':
      return { ...told, outcome: 'kept', reason: verdict.reason };
    case 'stuck':
      return { ...told, outcome: 'stuck', reason: verdict.reason };
    case 'not-ours':
      return { ...told, outcome: 'foreign', reason: verdict.reason };
    case 'confirm':
      return { ...told, outcome: 'kept', reason: 'its pull request was not looked up' };
  }
}

/** It holds for the namespace as it was judged: for one that was deployed to since then it is judged by the next sweep. */
async function remove(
  context: Context,
  { preview, reason }: Extract<SweepVerdict, { do: 'remove' }>,
): Promise<Pick<SweptPreview, 'outcome' | 'reason'>> {
  const { namespace, uid, resourceVersion } = preview;
  context.bounds?.vouchFor([namespaceRef(namespace)]);
  try {
    const isDeleted = await deleteNamespace(
      context,
      namespace,
      (now) =>
        ownership(now, preview).is === 'ours' &&
        now.metadata.uid === uid &&
        now.metadata.resourceVersion === resourceVersion,
    );
    return isDeleted ? { outcome: 'removed', reason } : { outcome: 'kept', reason: 'it has since changed' };
  } catch (error) {
    context.signal.throwIfAborted();
    return { outcome: 'stuck', reason: `it could not be deleted: ${messageOf(error)}` };
  }
}

function headlineOf(entries: readonly SweptPreview[], isDryRun: boolean): string {
  const count = (outcome: SweptPreview['outcome']) => entries.filter((entry) => entry.outcome === outcome).length;
  const removed = count('removed');
  const rest = [
    [count('kept'), 'kept'],
    [count('stuck'), 'not gone yet'],
  ].flatMap(([number, what]) => (number === 0 ? [] : [`${number ?? ''} ${what ?? ''}`]));
  const what = `${removed} ${removed === 1 ? 'preview' : 'previews'}`;
  return [isDryRun ? `Would remove ${what}` : `Removed ${what}`, ...rest].join(', ');
}
