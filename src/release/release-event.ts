import { longestReason } from '../base/reason.ts';
import { line, oneOf, recordOf, time, type Reader } from '../base/shape.ts';

/** Something that was done to a revision after it was made, and that made no revision of its own. */
export interface ReleaseEvent {
  command: (typeof commands)[number];
  outcome: 'done' | 'undone' | 'failed';
  /** ISO 8601. */
  at: string;
  /** What was done, as a sentence goes on: `Deployment web to 5`. */
  what?: string;
  actor?: string;
  /** The address of the run. */
  run?: string;
  /** What the user has given as the input `reason`. */
  reason?: string;
  /** Why it failed, one sentence. */
  cause?: string;
}

const commands = ['deploy', 'promote', 'abort', 'scale', 'pause', 'resume', 'restart'] as const;

/** A reason as it is read from a record; a character may take two places. */
export const reasonReader: Reader<string> = line(2 * longestReason);

/** How much of a cause is kept, and of what was done. */
const longestSentence = 500;
const sentence = line(longestSentence);

export const causeReader: Reader<string> = sentence;

export const eventReader: Reader<ReleaseEvent> = recordOf<ReleaseEvent>({
  command: oneOf(...commands),
  outcome: oneOf('done', 'undone', 'failed'),
  at: time,
  what: { optional: sentence },
  actor: { optional: line() },
  run: { optional: line() },
  reason: { optional: reasonReader },
  cause: { optional: sentence },
});

/** How many events of a revision are kept: the newest. */
const most = 20;

/** The events of a revision with one more. */
export function withEvent(events: readonly ReleaseEvent[] | undefined, event: ReleaseEvent): ReleaseEvent[] {
  return [...(events ?? []), event].slice(-most);
}

/** A sentence as records keep it: one line, and not too long. */
export function forRecord(text: string): string {
  const whole = text.replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
  return whole.length <= longestSentence ? whole : `${whole.slice(0, longestSentence - 2).toWellFormed()}…`;
}
