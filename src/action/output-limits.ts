/**
 * GitHub takes 1 MB of outputs from a job, counted as UTF-16, two bytes a character, and drops what is more
 * (docs.github.com, "Defining outputs for jobs"); and a program on Linux can be given 128 KiB in one variable. So much may a list have,
 * in characters: three of them and all else stay below both.
 */
export const maxList = 100_000;

interface LimitedList {
  /** JSON, whole, of as many of the first items as there is room for. */
  text: string;
  /** How many are left out. */
  left: number;
}

/** A list as JSON within the limit. */
export function listWithin(items: readonly unknown[], limit = maxList): LimitedList {
  const parts: string[] = [];
  let length = 2;
  for (const item of items) {
    const part = JSON.stringify(item);
    length += part.length + 1;
    if (length > limit) break;
    parts.push(part);
  }
  return { text: `[${parts.join(',')}]`, left: items.length - parts.length };
}
