import type { Location } from './errors.ts';

/**
 * What the layers below `action/` tell the user while they work. Text may come from pods or events: the
 * implementation makes it harmless (no workflow commands, no control characters) before it reaches the log.
 */
export interface Reporter {
  /** Run `work` with its lines folded under `title`, which is a heading where the lines are folded already. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** A line of the log. */
  info(line: string): void;
  /** A line that shows only when the workflow runs with debug logging. */
  debug(line: string): void;
  /** An annotation that does not fail the run. */
  notice(message: string, location?: Location): void;
  warning(message: string, location?: Location): void;
  /** An error annotation; the command decides about the exit code. */
  error(message: string, location?: Location): void;
  /** From now on the value shows as *** in everything that is printed. */
  mask(secret: string): void;
}
