import { Cancelled } from '../base/errors.ts';

/**
 * A signal that aborts when the runner cancels the step. The runner sends SIGINT, SIGTERM 7.5 s later, and kills after
 * 2.5 s more (actions/runner, ProcessInvoker.cs).
 */
export function cancellation(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      controller.abort(new Cancelled());
    });
  }
  return controller.signal;
}
