import type { Failure } from '../base/errors.ts';
import { Failures, InvalidInput } from '../base/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Owners } from '../apply/owners.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { describeMark, isShared, markFor, markOf } from '../apply/mark.ts';
import { listLiveRevisions, listRevisions, liveRevision, runningRef } from './revision.ts';
import type { Revision } from './revision-shape.ts';

export interface OwnershipOptions {
  namespace: string;
  release: string;
  /** Releases whose objects may be taken, by name. */
  takeFrom?: string;
  /** What this release was called until now. */
  adopt?: string;
}

/** Who has an object: `mark` names the release, `revision` is its live one where that can be read. */
interface Owner {
  mark: string;
  revision?: Revision;
}

/**
 * Which release each object in the cluster belongs to: by its mark, and where it has none (kubectl may have replaced it, or an
 * older version of this action made it) by what the releases of the namespace have recorded as live.
 */
export class Ownership implements Owners {
  readonly #client: KubernetesClient;
  readonly #options: OwnershipOptions;
  #recorded: Promise<Revision[]> | undefined;
  readonly #keys = new WeakMap<Revision, ReadonlySet<string>>();

  constructor(client: KubernetesClient, options: OwnershipOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** What this release writes on its objects. */
  get mark(): string {
    return markFor(this.#options.namespace, this.#options.release);
  }

  /** Forgets the records: other runs may have changed them. */
  refresh(): void {
    this.#recorded = undefined;
  }

  /** The other release that an object belongs to; undefined for our own, and what belongs to none. */
  async otherOwner(live: KubernetesObject): Promise<Owner | undefined> {
    if (isShared(live)) return undefined;
    const mark = markOf(live);
    if (mark === undefined) return await this.#recordedOwner(live);
    if (mark === this.mark || (await this.#formerMarks()).has(mark)) return undefined;
    return { mark };
  }

  /** What says of itself that it is ours, by this name of the release or by one that it had before. */
  async marked(found: readonly KubernetesObject[]): Promise<KubernetesObject[]> {
    const some = found.filter((object) => markOf(object) !== undefined);
    const owners = await Promise.all(some.map((object) => this.otherOwner(object)));
    return some.filter((_, index) => owners[index] === undefined);
  }

  /** @throws InvalidInput for what another release has, or has taken over since ours recorded it */
  async refuseTaken(found: readonly KubernetesObject[]): Promise<void> {
    for (const object of found) {
      const owner = await this.otherOwner(object);
      if (owner === undefined) continue;
      throw new InvalidInput(
        `${describeRef(refOf(object), true)} belongs to ${await this.describe(owner)}, and not to release "${this.#options.release}"`,
        { hint: 'Fix the input "release", or use a workload of this release.' },
      );
    }
  }

  /** Another release that has an object recorded as live, also where it is shared, or has no mark and both record it: then it is not to be deleted. */
  async otherUser(live: KubernetesObject): Promise<Owner | undefined> {
    const owner = await this.otherOwner(live);
    if (owner !== undefined || markOf(live) !== undefined) return owner;
    const user = (await this.#others()).find((revision) => this.#has([revision], live));
    return user === undefined ? undefined : { mark: this.#markOf(user), revision: user };
  }

  /** Whether an object is to get the mark with the next write: not for its own sake where it is ours without a doubt. */
  async needsMark(live: KubernetesObject): Promise<boolean> {
    if (isShared(live)) return false;
    const mark = markOf(live);
    if (mark !== undefined) return mark !== this.mark;
    return !this.#has(await this.#own(), live);
  }

  /** @throws Failure, Failures for objects of other releases that this one may not take */
  async refuseOthers(entries: readonly { manifest: Manifest; live: KubernetesObject | undefined }[]): Promise<void> {
    const found = await Promise.all(
      entries.map(async ({ manifest, live }) => {
        const owner = live === undefined ? undefined : await this.otherOwner(live);
        return owner === undefined || this.#mayTake(owner) ? [] : [{ manifest, owner }];
      }),
    );
    const taken = found.flat();
    const [first] = taken;
    if (first === undefined) return;
    const marks = new Set(taken.map(({ owner }) => owner.mark));
    if (taken.length > 1 && marks.size === 1 && taken.length * 2 > entries.length)
      throw await this.#renamed(first.owner, taken.length, entries.length);
    const problems = await Promise.all(taken.map(async ({ manifest, owner }) => await this.#refusal(manifest, owner)));
    const [problem] = problems;
    if (problems.length === 1 && problem !== undefined) throw problem;
    throw new Failures(`${problems.length} objects belong to other releases`, problems);
  }

  /** How messages name an owner: `release "shop" (revision 3 of 2026-01-01T00:00:00Z)`. */
  async describe({ mark, revision }: Owner): Promise<string> {
    const { namespace } = this.#options;
    const name = describeMark(mark, namespace);
    const live = revision ?? (await this.#liveOf(mark));
    return live === undefined ? name : `${name} (revision ${live.revision} of ${live.finishedAt})`;
  }

  #mayTake({ mark }: Owner): boolean {
    const { namespace, takeFrom, adopt } = this.#options;
    return [takeFrom, adopt].some((name) => name !== undefined && (mark === name || mark === markFor(namespace, name)));
  }

  async #refusal(manifest: Manifest, owner: Owner): Promise<Failure> {
    const { release } = this.#options;
    const name = this.#inputFor(owner);
    return new InvalidInput(`${describeRef(refOf(manifest.object), true)} belongs to ${await this.describe(owner)}`, {
      location: manifest.source.locate([]),
      hint: `Rename it, or remove it from one of the two releases. To move it to release "${release}" for good, set "take-from-release: ${name}".`,
    });
  }

  async #renamed(owner: Owner, count: number, of: number): Promise<Failure> {
    const { namespace, release } = this.#options;
    const name = this.#inputFor(owner);
    const isHere = owner.mark.startsWith(`${namespace}/`);
    const adopt = `If that release is now called "${release}", set "adopt-release: ${name}": its history moves along. `;
    return new InvalidInput(
      `${count === of ? 'all' : count} of the ${of} objects to deploy belong to ${await this.describe(owner)}`,
      {
        hint: `${isHere ? adopt : ''}To move the objects without their history, set "take-from-release: ${name}".`,
      },
    );
  }

  #inputFor({ mark }: Owner): string {
    const { namespace } = this.#options;
    return mark.startsWith(`${namespace}/`) ? mark.slice(namespace.length + 1) : mark;
  }

  async #liveOf(mark: string): Promise<Revision | undefined> {
    const { namespace } = this.#options;
    if (!mark.startsWith(`${namespace}/`)) return undefined;
    return liveRevision(await listRevisions(this.#client, namespace, mark.slice(namespace.length + 1)));
  }

  async #recordedOwner(live: KubernetesObject): Promise<Owner | undefined> {
    if (this.#has(await this.#own(), live)) return undefined;
    const owner = (await this.#others()).find((revision) => this.#has([revision], live));
    return owner === undefined ? undefined : { mark: this.#markOf(owner), revision: owner };
  }

  #has(revisions: readonly Revision[], live: KubernetesObject): boolean {
    const key = keyOf(refOf(live));
    return revisions.some((revision) => this.#keysOf(revision).has(key));
  }

  /** Under which keys its objects are in the cluster: asked for each object of a release, and the same each time. */
  #keysOf(revision: Revision): ReadonlySet<string> {
    const known = this.#keys.get(revision);
    if (known !== undefined) return known;
    const keys = new Set(
      revision.objects.flatMap((object) => [keyOf(refOf(object)), keyOf(runningRef(revision, object))]),
    );
    this.#keys.set(revision, keys);
    return keys;
  }

  /** The marks of the names that this release had before. */
  async #formerMarks(): Promise<Set<string>> {
    const { namespace } = this.#options;
    const former = (revisions: readonly Revision[]) =>
      revisions.flatMap(({ formerly = [] }) => formerly.map((name) => markFor(namespace, name)));
    return new Set(former(await this.#own()));
  }

  async #own(): Promise<Revision[]> {
    return (await this.#records()).filter(({ release }) => release === this.#options.release);
  }

  async #others(): Promise<Revision[]> {
    return (await this.#records()).filter(({ release }) => release !== this.#options.release);
  }

  #markOf({ release }: Revision): string {
    return markFor(this.#options.namespace, release);
  }

  async #records(): Promise<Revision[]> {
    return await (this.#recorded ??= listLiveRevisions(this.#client, this.#options.namespace));
  }
}
