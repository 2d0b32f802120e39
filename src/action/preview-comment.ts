import { createTelling } from '../github/telling.ts';
import { writeStickyComment, type StickyOutcome } from '../github/sticky-comment.ts';
import { atMost, type Clock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { PreviewReport } from '../report/preview-report.ts';
import { hasFailed, type RunReport } from '../report/run-report.ts';
import { renderComment } from './comment/comment.ts';
import { viewOf } from './comment/of-report.ts';
import type { ConnectGitHub } from './github.ts';

interface CommentOptions {
  comment: 'true' | 'on-failure' | 'false';
  /** The login that comments of the token have; by default that of a job's own token. */
  commentAuthor?: string;
}

interface Means {
  github: ConnectGitHub | undefined;
  clock: Clock;
  reporter: Reporter;
  /** When this run began, milliseconds since the epoch. */
  startedAt: number;
}

/** How long the end of a run waits for GitHub, in ms; a cancelled one has only seconds. */
const writingMs = 20_000;
const writingCancelledMs = 3_000;

/**
 * Tells in one comment of the pull request what a run has done about its preview, and of each preview that a sweep has removed. What
 * GitHub does not take is one warning, and changes nothing of how the run has ended.
 * @returns the address of the comment of this run's own pull request
 */
export async function commentOn(
  report: RunReport,
  options: CommentOptions,
  { github, clock, reporter, startedAt }: Means,
): Promise<string | undefined> {
  const wanted = commentsOf(report, options, clock.now());
  if (github === undefined || wanted.length === 0) return undefined;
  const telling = createTelling(reporter);
  const connected = await telling.ask(github);
  if (connected.state === 'failed') return undefined;
  const written: StickyOutcome[] = [];
  const writing = (async () => {
    for (const { number, release, text, onlyExisting } of wanted) {
      const outcome = await writeStickyComment(connected.value, {
        number,
        release,
        // A run that began later knows better, also where it is an older one that was run again.
        sequence: [startedAt],
        text: { head: text, evidence: [] },
        onlyExisting,
        ...(options.commentAuthor === undefined ? {} : { author: options.commentAuthor }),
      });
      if (outcome.state === 'failed') telling.warn(outcome.error);
      written.push(outcome);
    }
  })();
  await atMost(clock, report.status === 'cancelled' ? writingCancelledMs : writingMs, writing);
  const [own] = written;
  return report.preview === undefined || own === undefined || !('comment' in own) ? undefined : own.comment.url;
}

interface Wanted {
  number: number;
  release: string;
  text: string;
  onlyExisting: boolean;
}

/**
 * Another run tells of what it deploys. A pull request that gets no preview says why in the summary: in a repository with few of them
 * most would have such a comment, and what an earlier run has said of one that stays is true still. Who finds no place has been promised
 * one. Where GitHub shows no pull request there is nothing to write on.
 */
function hasComment(status: RunReport['status'], { holders, commit }: PreviewReport): boolean {
  if (status === 'skipped') return holders !== undefined;
  return status !== 'superseded' && !(status === 'torn-down' && commit === undefined);
}

function commentsOf(report: RunReport, { comment }: CommentOptions, now: number): Wanted[] {
  if (comment === 'false') return [];
  const { preview, sweep, release = '' } = report;
  if (preview !== undefined && !hasComment(report.status, preview)) return [];
  if (preview !== undefined) {
    const view = viewOf(report, now);
    const onlyExisting = report.status === 'torn-down' || (comment === 'on-failure' && !hasFailed(report.status));
    return view === undefined
      ? []
      : [{ number: preview.pullRequest, release, text: renderComment(view), onlyExisting }];
  }
  if (sweep === undefined || sweep.isDryRun) return [];
  return sweep.entries.flatMap(({ outcome, pullRequest: number, release: of, reason }) => {
    if (outcome !== 'removed' || number === undefined || of === undefined) return [];
    const text = renderComment({ state: 'torn-down', release: of, reason, at: now });
    return [{ number, release: of, text, onlyExisting: true }];
  });
}
