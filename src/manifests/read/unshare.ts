import type { Json } from '../../base/json.ts';
import { describeLimit, type Limit } from '../../base/limits.ts';

/** What each value weighs at least, in bytes. */
const leastBytes = 16;
/** The parser has a limit for what is written; aliases can be deeper. */
const maxDepth = 200;

/** How much may come out of aliases, which make much out of a few bytes; shared by all documents that are read together. */
export class Budget {
  readonly #limit: Limit;
  #left: number;

  constructor(limit: Limit) {
    this.#limit = limit;
    this.#left = limit.value;
  }

  /** @throws RangeError when nothing is left */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0) throw new RangeError(`its aliases make it too large: ${describeLimit(this.#limit)}`);
  }
}

/**
 * A copy in which no map or list is at two places, as aliases (`*name`) leave them: a change to one must not change the other.
 * @throws RangeError when aliases make it endless or huge
 */
export function unshare(value: Json, budget: Budget): Json {
  const copy = (inner: Json, depth: number): Json => {
    budget.take(typeof inner === 'string' ? leastBytes + inner.length : leastBytes);
    if (depth > maxDepth) throw new RangeError('it is nested too deeply, or an alias refers to itself');
    if (Array.isArray(inner)) return inner.map((item) => copy(item, depth + 1));
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(
      Object.entries(inner).map(([key, item]) => {
        budget.take(key.length);
        return [key, item === undefined ? undefined : copy(item, depth + 1)];
      }),
    );
  };
  return copy(value, 0);
}
