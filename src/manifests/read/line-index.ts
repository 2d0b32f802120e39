/** Where an offset of a text stands; line and column count from 1. */
interface Place {
  line: number;
  column: number;
}

/** Finds lines by halves: a file may have millions of them, and ten thousand objects whose places are asked for. */
export function lineIndex(text: string): (offset: number) => Place {
  const starts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return (offset) => {
    let [low, high] = [0, starts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}
