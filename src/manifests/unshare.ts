import type { Json } from '../base/json.ts';

/** Far more than any manifest has, and little enough for the memory of a runner. */
const maxValues = 1_000_000;
const maxDepth = 200;

/**
 * A copy in which no map or list is at two places, as aliases (`*name`) leave them: a change to one must not change the other.
 * @throws RangeError when aliases make it endless or huge
 */
export function unshare(value: Json): Json {
  let left = maxValues;
  const copy = (inner: Json, depth: number): Json => {
    left -= 1;
    if (left < 0) throw new RangeError('its aliases make it too large');
    if (depth > maxDepth)
      throw new RangeError('it is nested too deeply, or an alias stands inside of what it refers to');
    if (Array.isArray(inner)) return inner.map((item) => copy(item, depth + 1));
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(
      Object.entries(inner).map(([key, item]) => [key, item === undefined ? undefined : copy(item, depth + 1)]),
    );
  };
  return copy(value, 0);
}
