import { messageOf } from '../base/errors.ts';
import { serverTimestamp } from '../kubernetes/server-time.ts';
import type { ChangeOutcome } from '../release/change.ts';
import type { Context } from '../release/context.ts';
import { recordEvent } from '../release/record-revision.ts';
import { forRecord, type ReleaseEvent } from '../release/release-event.ts';
import type { Report } from '../report/report.ts';

/** Of which release, and with which of its revisions it is noted: by default the live one. */
interface Noted {
  namespace: string;
  release: string;
  revision?: number;
}

type Happened = Pick<ReleaseEvent, 'command' | 'outcome' | 'what'> & { error?: unknown };

/**
 * Notes in the history of a release what was done to it without a new revision, by whom and why. What was done is done: where it
 * cannot be noted, that is a warning.
 */
export async function noteEvent(
  context: Context,
  { namespace, release, revision }: Noted,
  happened: Happened,
  report: Pick<Report, 'warn'>,
): Promise<void> {
  const { client, run } = context;
  try {
    const isNoted = await recordEvent(client, namespace, { release, revision }, eventOf(context, happened));
    if (isNoted || run.reason === undefined) return;
    report.warn(`the reason was not recorded: release "${release}" has no history`);
  } catch (error) {
    context.signal.throwIfAborted();
    report.warn(`the history does not show this "${happened.command}": ${messageOf(error)}`);
  }
}

/** How a change has ended, for its event. */
export function endOf(outcome: ChangeOutcome<unknown>): Pick<Happened, 'outcome' | 'error'> {
  if (outcome.state === 'done') return { outcome: 'done' };
  const { error, undo } = outcome.failure;
  return { outcome: undo?.complete === true ? 'undone' : 'failed', error };
}

/** What happened, with who has done it and why. */
export function eventOf(
  { client, clock, run: { url, actor, reason } }: Pick<Context, 'client' | 'clock' | 'run'>,
  { command, outcome, what, error }: Happened,
): ReleaseEvent {
  return {
    command,
    outcome,
    at: serverTimestamp(client, clock),
    ...(what === undefined ? {} : { what: forRecord(what) }),
    ...(actor === undefined ? {} : { actor }),
    ...(url === undefined ? {} : { run: url }),
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { cause: forRecord(messageOf(error)) }),
  };
}
