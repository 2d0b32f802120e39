import { equal, isObject, ownValue, type Json, type Path } from '../base/json.ts';
import { amountOf, isAmount } from '../capacity/quantity.ts';

/** Where the same amount can be written in several ways. */
const quantities = new Set(['resources', 'requests', 'limits', 'sizeLimit', 'storage', 'capacity', 'hard']);

/** The same as the last step of a path, in custom resources as well. */
const quantityFields = new Set(['cpu', 'memory', 'ephemeral-storage', 'averageValue', 'divisor']);

/** Whether two values are the same amount in different words: `1000m` and `1`, where amounts stand. */
export function isSameAmount(left: Json | undefined, right: Json | undefined, path: Path): boolean {
  const isPlace = path.some((step) => quantities.has(String(step))) || quantityFields.has(String(path.at(-1)));
  // In thousandths, so that no fraction is lost.
  return isPlace && isAmount(left) && isAmount(right) && amountOf('cpu', left) === amountOf('cpu', right);
}

/**
 * Whether the server says what was written, in its own words: it fills in defaults, leaves out what is empty, and spells numbers
 * and amounts in its own way.
 * @param isAlias whether two texts that differ mean the same here
 */
export function isAsStated(
  stated: Json | undefined,
  live: Json | undefined,
  path: Path,
  isAlias: (stated: string, live: string) => boolean = () => false,
): boolean {
  if (stated === undefined || equal(stated, live)) return true;
  if (live === undefined) return isEmpty(stated);
  if (Array.isArray(stated) && Array.isArray(live))
    return stated.length === live.length && stated.every((item, index) => isAsStated(item, live[index], path, isAlias));
  if (isObject(stated) && isObject(live))
    return Object.entries(stated).every(([key, value]) =>
      isAsStated(value, ownValue(live, key), [...path, key], isAlias),
    );
  if (typeof stated === 'object' || typeof live === 'object') return false;
  const [one, other] = [String(stated), String(live)];
  return one === other || isAlias(one, other) || isSameAmount(stated, live, path);
}

/** What the server may leave out of its answer. */
function isEmpty(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) ? Object.keys(value).length === 0 : [null, '', false, 0].includes(value);
}
