import { durationOf } from '../base/duration.ts';
import { InvalidInput } from '../base/errors.ts';

/** A job of a self-hosted runner ends after five days; longer timers would also overflow. */
const longestMs = 5 * 24 * 3_600_000;

/**
 * `90s`, `10m`, `1h30m` in milliseconds.
 * @throws InvalidInput for anything else, more than five days included, and zero unless that is meant; `name` is the input it stands in
 */
export function parseDuration(text: string, name: string, mayBeZero = false): number {
  const wrong = (why: string, hint: string) => new InvalidInput(`the input "${name}" is "${text}", ${why}`, { hint });
  if (/^\d+(\.\d+)?$/.test(text)) {
    throw wrong('which has no unit', `Add one: ${text}s, ${text}m or ${text}h.`);
  }
  const ms = durationOf(text);
  if (ms === undefined) {
    throw wrong(
      'which is not a valid duration',
      'Use hours, minutes and seconds in this order, such as 90s, 10m or 1h30m.',
    );
  }
  if (ms === 0 && !mayBeZero) throw wrong('which leaves no time', 'Give it at least 1s.');
  if (ms > longestMs) throw wrong('which is longer than any job may run', 'Give it at most 120h.');
  return ms;
}
