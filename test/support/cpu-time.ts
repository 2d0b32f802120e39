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
