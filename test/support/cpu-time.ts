/**
 * The CPU time that some work took, in ms. Unlike the time on the clock it does not grow with what else the machine does, so that
 * a limit far above the usual value is passed only by work that does not end in proportion to its input.
 */
export async function cpuTimeOf(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/**
 * A limit in ms that no machine reaches with work in proportion to a megabyte, which takes some milliseconds and now and then a second
 * for what the engine does beside it, and that work which looks at all of a megabyte for each of its characters takes many times.
 */
export const SQUARE_MS = 20_000;

/**
 * How many times the CPU time four times the input takes: about 4 where work is in proportion to it, 16 where each part of it looks at
 * all others. The least of three attempts, since collecting garbage counts too.
 * @param prepare makes the input of so many parts, and answers the work on it, which alone counts
 */
export async function growthOf(prepare: (count: number) => () => unknown, count: number): Promise<number> {
  await prepare(count)();
  const ratios: number[] = [];
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const small = await cpuTimeOf(prepare(count));
    ratios.push((await cpuTimeOf(prepare(4 * count))) / small);
  }
  return Math.min(...ratios);
}
