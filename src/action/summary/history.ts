import type { RunReport } from '../../report/run-report.ts';
import { imageChange } from './image-change.ts';
import { alert, code, prose, table } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';
import { commitLink, runLink } from './links.ts';

/** What the command `status` has found: a run under way, and the revisions, newest first. */
export function renderHistory(
  { history, workloadHistory, inProgress, links }: RunReport,
  limits: SummaryLimits,
): string {
  const parts = [];
  if (inProgress !== undefined) {
    const { command, run, startedAt } = inProgress;
    parts.push(
      alert('NOTE', `${code(command)} has been under way since ${prose(startedAt)}, started by ${code(run)}.`),
    );
  }
  if (history !== undefined && history.length > 0) {
    parts.push(
      table(
        ['Revision', 'Outcome', 'Images', 'Finished', 'By', 'Commit'],
        history,
        ({ revision, outcome, images, finishedAt, actor = '', commit = '', restores, run }) => [
          `${revision}`,
          (outcome === 'live' ? '**live**' : outcome) + (restores === undefined ? '' : `, restores ${restores}`),
          images
            .slice(0, limits.rows)
            .map((image) => imageChange(undefined, image))
            .join('<br>'),
          prose(finishedAt, 40),
          runLink(links, run, prose(actor, 40)),
          commitLink(links, commit),
        ],
        limits.rows,
      ),
    );
  }
  if (workloadHistory !== undefined && workloadHistory.length > 0) {
    parts.push(
      table(
        ['Workload', 'Revision', 'State', 'Images', 'Created', 'Pods', 'Change cause'],
        workloadHistory,
        ({ workload, revision, state, images, createdAt, replicas, ready, changeCause = '' }) => [
          code(workload),
          `${revision}`,
          state === 'current' ? '**current**' : state,
          images
            .slice(0, limits.rows)
            .map((image) => imageChange(undefined, image))
            .join('<br>'),
          prose(createdAt, 40),
          replicas === 0 ? '' : `${ready} of ${replicas} ready`,
          prose(changeCause, 200),
        ],
        limits.rows,
      ),
    );
  }
  return parts.join('\n\n');
}
