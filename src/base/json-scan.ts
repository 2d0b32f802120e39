interface JsonLimits {
  /** How deep lists and maps may be nested. */
  depth: number;
  /** About how many values there may be: each takes some memory, however short its text is. */
  values: number;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const [openList, closeList, openMap, closeMap] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * Which limit a JSON text exceeds, before it is parsed: one pass over its bytes, without recursion and without memory. Of what
 * is not JSON the answer means nothing.
 */
export function exceededBy(bytes: Uint8Array, limits: JsonLimits): keyof JsonLimits | undefined {
  let depth = 0;
  let values = 1;
  let isText = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (isText) {
      if (byte === backslash) index += 1;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === comma) values += 1;
    else if (byte === openList || byte === openMap) {
      depth += 1;
      values += 1;
      if (depth > limits.depth) return 'depth';
    } else if (byte === closeList || byte === closeMap) depth -= 1;
    if (values > limits.values) return 'values';
  }
  return undefined;
}
