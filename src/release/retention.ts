import type { Revision } from './revision-shape.ts';

/** How many are kept beside those that are needed. */
const total = 10;

/** How many versions that were live stay, beside the one that is. */
const versions = 5;

/**
 * Which records of a release go, by what they are worth and not by their age alone: however many runs have failed since, there is
 * something to roll back to. These stay, even where they are more than ten: what is live and what waits; the five versions
 * that a rollback would go to one after the other, and the five that were live last; the one with the highest number, so that no
 * number is used twice; what an undo could not bring back since; and where the key of the config hashes is. The newest others fill up.
 */
export function tooMany(revisions: readonly Revision[]): Revision[] {
  const sorted = revisions
    .filter(({ revision }) => revision > 0)
    .toSorted((left, right) => left.revision - right.revision);
  const live = sorted.findLast(({ outcome }) => outcome === 'live');
  const kept = new Set<Revision>([
    ...sorted.filter((one) => one === live || one.outcome === 'waiting' || one === sorted.at(-1)),
    ...sorted.filter((one) => one.revision > (live?.revision ?? 0) && (one.kept?.length ?? 0) > 0).slice(-total),
    ...restorable(sorted, live),
    ...sorted.filter(({ configKey }) => configKey !== undefined).slice(-1),
  ]);
  const others = sorted.filter((one) => !kept.has(one));
  return others.slice(0, Math.max(0, others.length - Math.max(0, total - kept.size)));
}

/** A rollback to a version that was live before is a record of its own: of each version the last one counts. */
function restorable(sorted: readonly Revision[], live: Revision | undefined): Revision[] {
  const byVersion = new Map<number, Revision>();
  for (const one of sorted) {
    if (one !== live && (one.outcome === 'live' || one.outcome === 'superseded')) byVersion.set(versionOf(one), one);
  }
  if (live !== undefined) byVersion.delete(versionOf(live));
  const found = [...byVersion.values()];
  const origin = live === undefined ? Number.POSITIVE_INFINITY : versionOf(live);
  const back = found
    .filter((one) => versionOf(one) < origin)
    .sort((left, right) => versionOf(left) - versionOf(right))
    .slice(-versions);
  const last = found.sort((left, right) => left.revision - right.revision).slice(-versions);
  return [...new Set([...back, ...last])];
}

/** The revision whose objects these are. */
function versionOf({ revision, restores }: Revision): number {
  return restores ?? revision;
}
