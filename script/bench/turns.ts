/** Does all of this one after the other; in each pair another one begins, so that none always has the machine as the same other left it. */
export async function inTurns(pair: number, works: readonly (() => Promise<unknown>)[]): Promise<void> {
  const begin = pair % works.length;
  for (const work of [...works.slice(begin), ...works.slice(0, begin)]) await work();
}
