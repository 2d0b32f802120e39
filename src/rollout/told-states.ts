/** How long after a line about an object the next one may come: what lasts for less is not worth one. */
const pauseMs = 1000;

/** What was told before is told again only where it lasts: until then it may just go up and down. */
const returnMs = 5000;

/**
 * Decides which of the states that one object goes through get a line of the log: the first one and what is urgent at once; of
 * others that come and go within a second the last one; and one that was told before only when it has come to stay.
 */
export class ToldStates {
  readonly #before = new Set<string>();
  readonly #troubles = new Set<string>();
  #last: { text: string; at: number } | undefined;
  /** What is there and was not told yet. */
  #untold: { text: string; since: number } | undefined;

  /** What the last line said; undefined before the first one. */
  get last(): string | undefined {
    return this.#last?.text;
  }

  /**
   * Call with what is there now as often as it is looked at.
   * @param now milliseconds since the epoch
   * @param why the end, which is told at once; or what the trouble is: that is told at once too, and then only where it lasts,
   *   since what goes wrong goes wrong again and again
   * @returns whether it is to be told now
   */
  isDue(text: string, now: number, why?: 'end' | { trouble: string }): boolean {
    if (text === this.#last?.text) {
      this.#untold = undefined;
      return false;
    }
    if (this.#untold?.text !== text) this.#untold = { text, since: now };
    const trouble = typeof why === 'object' ? why.trouble : undefined;
    const isReturn = this.#before.has(text) || (trouble !== undefined && this.#troubles.has(trouble));
    if (isReturn && now - this.#untold.since < returnMs) return false;
    if (!isReturn && why === undefined && this.#last !== undefined && now - this.#last.at < pauseMs) return false;
    if (trouble !== undefined) this.#troubles.add(trouble);
    this.tell(text, now);
    return true;
  }

  /** It is told, whatever was before. @returns false where the last line says so already */
  tell(text: string, now: number): boolean {
    if (text === this.#last?.text) return false;
    this.#before.add(text);
    this.#last = { text, at: now };
    this.#untold = undefined;
    return true;
  }
}
