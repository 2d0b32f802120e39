import { isDebug } from '@actions/core';

import type { Reporter } from '../base/reporter.ts';
import { timelineText, type TimedRequest } from '../kubernetes/request-timeline.ts';
import type { RunReport } from '../report/run-report.ts';

/** Notes the requests to the API server while a run goes on, and tells their timeline at its end; both with debug logging only. */
export class RequestLog {
  readonly #requests: TimedRequest[] = [];
  /** By the clock of the requests. */
  readonly #from: number;
  readonly #isOn = isDebug();

  /** @param startedAt when the run began, milliseconds since the epoch */
  constructor(startedAt: number) {
    this.#from = startedAt - performance.timeOrigin;
  }

  readonly onRequest = (request: TimedRequest): void => {
    if (this.#isOn) this.#requests.push(request);
  };

  tell({ timeline }: Pick<RunReport, 'timeline'>, reporter: Reporter): void {
    if (this.#requests.length === 0) return;
    const marks = timeline.map(({ atMs, text }) => ({ at: this.#from + atMs, text }));
    for (const line of timelineText(this.#requests, { from: this.#from, marks })) reporter.debug(line);
  }
}
