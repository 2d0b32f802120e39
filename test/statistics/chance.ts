/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How often it is true in so many runs, from 0 to 1; each run has a seed of its own. */
export function frequency(runs: number, seed: number, isTrue: (random: () => number) => boolean): number {
  let count = 0;
  for (let run = 0; run < runs; run += 1) count += Number(isTrue(randomOf(seed * 1_000_003 + run)));
  return count / runs;
}

export function percent(share: number): string {
  return (100 * share).toFixed(1);
}
