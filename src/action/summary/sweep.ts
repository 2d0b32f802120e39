import type { SweepReport, SweptPreview } from '../../report/preview-report.ts';
import { code, html, prose, table } from '../markdown.ts';
import { link } from '../comment/quiet.ts';
import type { SummaryLimits } from './limits.ts';

const words: Readonly<Record<SweptPreview['outcome'], string>> = {
  removed: 'removed',
  kept: 'kept',
  stuck: 'not gone yet',
  foreign: 'not of this repository',
};

/** What a sweep has found, and done about each preview. */
export function renderSweep({ isDryRun, entries }: SweepReport, { rows }: SummaryLimits): string {
  if (entries.length === 0) return 'There are no previews of this repository in the cluster.';
  return table(
    ['Namespace', 'Pull request', 'Outcome', 'Why'],
    entries,
    ({ namespace, pullRequest, pullRequestUrl, outcome, reason }) => [
      code(namespace),
      pullRequest === undefined ? '' : link(html(String(pullRequest)), pullRequestUrl),
      isDryRun && outcome === 'removed' ? 'would be removed' : words[outcome],
      prose(reason),
    ],
    rows,
  );
}
