import { Failure, messageOf } from '../base/errors.ts';
import { isTrue } from '../kubernetes/conditions.ts';
import { ApiError, ConnectionError } from '../kubernetes/errors.ts';
import { describeRef, groupOf, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { definesKinds, runsOnce } from '../manifests/kinds.ts';
import { hasPods } from '../manifests/pod-template.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { Prepared } from '../apply/prepared.ts';

/** An object of a revision that a rollback does not bring back, and why. */
export interface LeftOut {
  manifest: Manifest;
  reason: string;
}

export interface Sifted {
  /** What can go back. */
  manifests: Manifest[];
  left: LeftOut[];
}

/** What is known of the objects of a revision where they run, by the keys that they have in it. */
export type Running = ReadonlyMap<string, KubernetesObject>;

/** Reads what is there and lets the server try these objects. @throws Failures with every problem */
export type Look = (manifests: readonly Manifest[]) => Promise<readonly Prepared[]>;

/**
 * Parts the objects that can go back from those that cannot, so that one of them does not keep the others: Jobs, which must not
 * run again, and what the server refuses.
 */
export async function sift(
  manifests: readonly Manifest[],
  revision: Revision,
  running: Running,
  look: Look,
): Promise<Sifted> {
  const left: LeftOut[] = [];
  const rest = manifests.filter((manifest) => {
    const reason = reasonToLeaveJob(manifest.object, revision, running.get(keyOf(refOf(manifest.object))));
    if (reason !== undefined) left.push({ manifest, reason });
    return reason === undefined;
  });
  try {
    await look(rest);
    return { manifests: rest, left };
  } catch (error) {
    if (!isAboutObjects(error)) throw error;
  }
  const definitions = rest.filter(({ object }) => definesKinds(object));
  const fitting: Manifest[] = [];
  for (const manifest of rest) {
    const reason = await problemOf(manifest, definitions, look);
    if (reason === undefined) fitting.push(manifest);
    else left.push({ manifest, reason });
  }
  return { manifests: fitting, left };
}

/** A Job does its work once. One that is not there any more may have been removed by its `ttlSecondsAfterFinished`. */
export function reasonToLeaveJob(
  object: KubernetesObject,
  { revision, outcome }: Revision,
  live: KubernetesObject | undefined,
): string | undefined {
  if (object.kind !== 'Job' || groupOf(object.apiVersion) !== 'batch') return undefined;
  const hasRun = outcome === 'live' || outcome === 'superseded';
  if (live === undefined) {
    return hasRun ? `it ran with revision ${revision} and is gone; a rollback does not run it again` : undefined;
  }
  return isTrue(live, 'Complete') || isTrue(live, 'Failed')
    ? 'it has already run; a rollback does not run it again'
    : undefined;
}

async function problemOf(
  manifest: Manifest,
  definitions: readonly Manifest[],
  look: Look,
): Promise<string | undefined> {
  try {
    await look(definitions.includes(manifest) ? [manifest] : [...definitions, manifest]);
    return undefined;
  } catch (error) {
    if (!isAboutObjects(error)) throw error;
    return messageOf(error);
  }
}

/** Not the way to the server, nor who asks: there every object would be refused. */
function isAboutObjects(error: unknown): boolean {
  if (!(error instanceof Failure) || error instanceof ConnectionError) return false;
  const cause = error instanceof ApiError ? error : error.cause;
  return !(cause instanceof ConnectionError) && !(cause instanceof ApiError && cause.status === 401);
}

/** Whether without it the version is not back: it runs pods, and not only once. */
export function runsTheVersion({ manifest: { object } }: LeftOut): boolean {
  return hasPods(object) && !runsOnce(object);
}

/** One short sentence; the summary has all of it. */
export function describeLeftOut(left: readonly LeftOut[]): string {
  const [first] = left;
  if (first === undefined) return '';
  const others = left.length === 1 ? '' : ` (${left.length - 1} more: see the summary)`;
  return `${describeRef(refOf(first.manifest.object))} is left as it is: ${first.reason}${others}`;
}
