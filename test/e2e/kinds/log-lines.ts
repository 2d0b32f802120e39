import { setTimeout as delay } from 'node:timers/promises';

/** The lines of a log while they come: one can wait for each. */
export class LogLines {
  readonly #lines: string[] = [];
  #seen = 0;
  #hasEnded = false;
  #wake: () => void = () => undefined;

  take(line: string): void {
    this.#lines.push(line);
    this.#wake();
  }

  /** Nothing more will come. */
  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  /** Waits for a line after the last one that was waited for. @throws Error when the log ends without it */
  async until(line: string): Promise<void> {
    for (;;) {
      const at = this.#lines.indexOf(line, this.#seen);
      if (at >= 0) {
        this.#seen = at + 1;
        return;
      }
      if (this.#hasEnded) throw new Error(`the run ended without "${line}":\n${this.#lines.join('\n')}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Lets time pass in which no such line may come. @throws Error when one does, or the log ends */
  async without(line: RegExp, ms: number): Promise<void> {
    await delay(ms);
    if (this.#hasEnded || this.#lines.some((one) => line.test(one)))
      throw new Error(`the run did not go on to wait:\n${this.#lines.join('\n')}`);
  }
}
