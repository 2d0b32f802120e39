import { hasFailed, type RunReport } from '../../report/run-report.ts';
import type { CommentView, CommitLink, PreviewOutcome, Serving, ShownFailure } from './view.ts';

/**
 * What the comment and the summary tell of a run about one preview.
 * @param now milliseconds since the epoch
 * @returns undefined for a run that is about none
 */
export function viewOf(report: RunReport, now: number): CommentView | undefined {
  const { preview, release = '', namespace, workloads, objects, warnings, links } = report;
  if (preview === undefined) return undefined;
  const commit = commitLink(report, preview.commit);
  const isDone = report.status === 'deployed' || report.status === 'unchanged';
  const images = workloads.flatMap(({ containers }) => containers.map(({ after }) => after));
  return {
    ...outcomeOf(report, now),
    release,
    ...(commit === undefined ? {} : { commit }),
    ...(report.status === 'skipped' || namespace === undefined || namespace === '' ? {} : { namespace }),
    ...(links?.run === undefined ? {} : { runUrl: links.run }),
    ...(isDone ? { deployedAt: now, images: [...new Set(images)] } : {}),
    ...(preview.expiresAt === undefined ? {} : { expiresAt: Date.parse(preview.expiresAt) }),
    ...(preview.isKept === true ? { isKept: true } : {}),
    changes: preview.adapted,
    objects: objects.map(({ ref: { kind, name }, change }) => ({ kind, name, state: change })),
    warnings,
    advice: adviceFor(report),
  };
}

function outcomeOf(report: RunReport, now: number): PreviewOutcome {
  const { status, preview } = report;
  const { reason = '', url, answers } = preview ?? {};
  if (hasFailed(status)) return { state: 'failed', failure: failureOf(report), serving: servingOf(report) };
  switch (status) {
    case 'skipped':
      return { state: 'skipped', reason, holders: preview?.holders ?? [] };
    case 'superseded':
      return { state: 'superseded', reason, serving: servingOf(report) };
    case 'torn-down':
      return { state: 'torn-down', reason, at: now };
    case 'paused':
    case 'waiting':
      return { state: 'waiting', reason: report.headline, serving: servingOf(report) };
    default:
      return {
        state: 'ready',
        ...(url === undefined ? {} : { url }),
        ...(answers === undefined ? {} : { reach: answers === 'runner' ? 'answered' : 'not-from-runner' }),
      };
  }
}

function failureOf({ failure, headline, undo, status }: RunReport): ShownFailure {
  const undone = undo?.complete === true ? 'Everything that this run changed is as it was before.' : undefined;
  const cancelled = status === 'cancelled' ? 'The run was cancelled; what it changed is undone.' : undefined;
  return {
    cause: failure?.message ?? cancelled ?? headline,
    ...(failure?.hint === undefined ? {} : { hint: failure.hint }),
    ...(undone === undefined ? {} : { undone }),
    evidence: (failure?.log === undefined ? [] : [failure.log]).map(({ lines, ...log }) => ({
      title: `Last lines of container "${log.container}"`,
      lines,
    })),
  };
}

function servingOf(report: RunReport): Serving {
  if (report.stays === true) return { state: 'left' };
  const serving = report.preview?.serving;
  if (serving === undefined) return { state: 'nothing' };
  const commit = commitLink(report, serving.commit);
  return {
    state: 'previous',
    ...(commit === undefined ? {} : { commit }),
    ...(serving.url === undefined ? {} : { url: serving.url }),
  };
}

function commitLink({ links }: RunReport, sha: string | undefined): CommitLink | undefined {
  if (sha === undefined || links?.repository === undefined) return undefined;
  return { sha, url: `${links.repository}/commit/${sha}` };
}

function adviceFor({ status, namespace, preview, objects }: RunReport): string[] {
  if (status === 'torn-down') return ['Reopen the pull request, or run its workflow again, to bring it back.'];
  if (preview?.holders !== undefined) return ['Once one of these is gone, run the workflow again.'];
  const isThere = status !== 'skipped' && (objects.length > 0 || preview?.serving !== undefined);
  if (!isThere || namespace === undefined || namespace === '') return [];
  const label = preview?.keepLabel;
  return [
    'It is removed when the pull request is closed or when it expires: run the workflow again to extend it.',
    ...(label === undefined
      ? []
      : [`To keep it, give the pull request the label "${label}" and run the workflow again.`]),
    `To look into it: kubectl -n ${namespace} get pods`,
  ];
}
