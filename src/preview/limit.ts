import { ageInWords, isExpired, utc } from './expiry.ts';
import { isSameRepository, type Preview } from './identity.ts';

/** Who holds a place, for people to decide whose preview may go. */
export interface Holder {
  number: number;
  namespace: string;
  /** Where people look at the pull request. */
  pullRequestUrl?: string;
  /** Where the preview answers. */
  url?: string;
  /** `3 days` */
  age: string;
  /** When it gives its place back by itself, in words. */
  until: string;
}

export type Room =
  | { state: 'room' }
  /** The preview has to go again; `reason` is a sentence without its full stop. */
  | { state: 'full'; holders: Holder[]; reason: string };

/**
 * Whether a preview may stay under a limit. It has been made already, and so have those that came at the same moment: all of
 * them count the same, the oldest stay and the younger ones withdraw, so that no lock is needed. To wait for a place would be to
 * wait for people, for ever (hephaestus-build/Hephaestus#1557).
 * @param previews of the cluster, this one among them; those of another repository or release and those going away do not count
 * @param namespace of this one
 */
export function checkLimit(previews: readonly Preview[], namespace: string, limit: number, now: number): Room {
  const own = previews.find((preview) => preview.namespace === namespace);
  if (own === undefined) return { state: 'room' };
  const live = previews
    .filter((one) => one.goingSince === undefined && one.release === own.release && isSameRepository(one, own))
    .sort((left, right) => left.createdAt - right.createdAt || compare(left.namespace, right.namespace));
  const holders = live.slice(0, limit);
  if (holders.includes(own)) return { state: 'room' };
  const places = limit === 1 ? 'the only preview slot is taken' : `all ${limit} preview slots are taken`;
  const numbers = holders.map(({ number }) => number).join(', ');
  return {
    state: 'full',
    holders: holders.map((preview) => holderOf(preview, now)),
    reason: `${places}, by pull request${holders.length === 1 ? '' : 's'} ${numbers}`,
  };
}

function holderOf(preview: Preview, now: number): Holder {
  const { number, namespace, pullRequestUrl, url, createdAt } = preview;
  return {
    number,
    namespace,
    ...(pullRequestUrl === undefined ? {} : { pullRequestUrl }),
    ...(url === undefined ? {} : { url }),
    age: ageInWords(now - createdAt),
    until: untilInWords(preview, now),
  };
}

function untilInWords(preview: Preview, now: number): string {
  const { keep, expiresAt } = preview;
  if (keep) return 'kept by its label';
  if (expiresAt === undefined) return 'does not expire';
  return isExpired(preview, now)
    ? `expired at ${utc(expiresAt)}, will be removed by the next sweep`
    : `expires at ${utc(expiresAt)}`;
}

/** By code point: the same on every runner. */
function compare(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
