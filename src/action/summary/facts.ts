import { formatDuration } from '../../base/clock.ts';
import { hasFailed, type RunReport } from '../../report/run-report.ts';
import { code, prose } from '../markdown.ts';
import { consoleLinks, origin } from './links.ts';

/** One grey line below the heading: what the run was about, where, and where it comes from. */
export function renderFacts(report: RunReport): string {
  const { release, namespace, context, server, command, strategy, links = {} } = report;
  const cluster = context === undefined ? prose(server ?? '') : code(context);
  const parts = [
    release === undefined ? '' : `release ${code(release)}`,
    revisions(report),
    namespace === undefined || namespace === '' ? '' : `namespace ${code(namespace)}`,
    cluster === '' ? '' : `cluster ${cluster}`,
    consoleLinks(links),
    origin(report),
    [code(command), ...(strategy === undefined ? [] : [code(strategy)])].filter((part) => part !== '').join(', '),
    formatDuration(report.durationMs),
  ];
  return `<sub>${parts.filter((part) => part !== '').join(' · ')}</sub>`;
}

/** `revision 6 → 7`; of a run that failed, what became of the new one; of a candidate, that it is not live. */
function revisions({ status, revision, previousRevision }: RunReport): string {
  const numbers = [previousRevision, revision].filter(
    (number, index, all) => number !== undefined && all[index - 1] !== number,
  );
  if (numbers.length === 0) return '';
  if (status === 'waiting' && numbers.length === 2)
    return `revision ${previousRevision ?? ''} live, ${revision ?? ''} waiting`;
  const arrow = `revision ${numbers.join(' → ')}`;
  return revision !== undefined && hasFailed(status) ? `${arrow} (${status})` : arrow;
}
