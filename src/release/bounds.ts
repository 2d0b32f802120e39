import { mapConcurrently } from '../base/concurrency.ts';
import { Failure } from '../base/errors.ts';
import { equal } from '../base/json.ts';
import type { KubernetesClient, PlannedWrite } from '../kubernetes/client.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeRef, groupOf, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { concurrency } from '../apply/apply.ts';
import { contentOf } from '../apply/comparison.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { applyEntry } from '../apply/managed-fields.ts';
import { describeMark, markFor, markOf } from '../apply/mark.ts';

/** Only a record says that an object is the release's, and nothing in the cluster. */
export class OutOfBounds extends Failure {}

/** How far up the owners of an object are looked at: a pod, its ReplicaSet, its Deployment. */
const mostOwners = 3;

/**
 * What a run may write. Its records lie in Secrets of the release's namespace, and whoever may write those is perhaps allowed
 * nothing else; the run is allowed more. So what lies outside of the namespace, and what grants rights in it, is written only
 * where the user's own files have it or the object itself shows, in the cluster, whose it is.
 */
export class Bounds {
  readonly #client: KubernetesClient;
  readonly #release: { namespace: string; release: string };
  /** What the files of this run have, as they have it. */
  #vouched: ObjectRef[] = [];
  /** By their keys: whoever has shown whose it is may be deleted and made anew by the same run. */
  readonly #shown = new Set<string>();
  /** By their keys: what strategies make beside objects of the release. */
  readonly #beside = new Set<string>();
  #filesCount = true;

  constructor(client: KubernetesClient, release: { namespace: string; release: string }) {
    this.#client = client;
    this.#release = release;
  }

  /** From now on all writes of the client are asked about here. Returns what ends that. */
  guard(): () => void {
    return this.#client.confine((write) => this.check(write));
  }

  /** These stand in files that the user has given to this run, and not only in a record. */
  vouchFor(refs: readonly ObjectRef[]): void {
    this.#vouched = [...this.#vouched, ...refs];
  }

  /**
   * Beside recorded objects that are outside of the namespace and carry the mark of the release, what strategies make there may be
   * made as well: it has the kinds and names that these give it, and no others.
   */
  async vouchForMadeBeside(
    objects: readonly KubernetesObject[],
    madeBeside: (objects: readonly KubernetesObject[]) => ObjectRef[],
  ): Promise<void> {
    const { namespace, release } = this.#release;
    const outside = objects.filter((object) => !this.#isInside(refOf(object)) && !grantsRights(object));
    const found = await mapConcurrently(outside, concurrency, async (object) => await this.#read(refOf(object)));
    const own = found
      .filter((object) => object !== undefined)
      .filter((object) => markOf(object) === markFor(namespace, release));
    for (const ref of madeBeside(own)) this.#beside.add(keyOf(ref));
  }

  /** For work on what another run has recorded: the files of this one say nothing of it. */
  async withoutFiles<T>(work: () => Promise<T>): Promise<T> {
    this.#filesCount = false;
    try {
      return await work();
    } finally {
      this.#filesCount = true;
    }
  }

  /** @throws OutOfBounds for what the run may not write */
  async check({ ref, object }: PlannedWrite): Promise<void> {
    const key = keyOf(ref);
    if (this.#isInside(ref) || this.#shown.has(key) || (this.#filesCount && this.#isVouched(ref))) return;
    const live = await this.#read(ref);
    // Who owns which field is no content: an undo that was killed half-way has that left to do.
    if (live !== undefined && object !== undefined && equal(contentOf(live), contentOf(object))) return;
    const isOurs = live === undefined ? this.#filesCount && this.#beside.has(key) : await this.#isShown(live);
    if (!isOurs) throw this.#refusal(ref, live);
    // What was only tried is not there, and is asked about again.
    if (live !== undefined) this.#shown.add(key);
  }

  async #read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    return await this.#client.read(ref).catch((error: unknown) => {
      if (isStatus(error, 403)) return undefined;
      throw error;
    });
  }

  #isInside(ref: ObjectRef): boolean {
    return ref.namespace === this.#release.namespace && !grantsRights(ref);
  }

  /** Strategies make objects of their own beside those of the files, and call them `NAME-…`. */
  #isVouched(ref: ObjectRef): boolean {
    return this.#vouched.some(
      (one) =>
        keyOf(one) === keyOf(ref) ||
        (one.namespace !== undefined &&
          one.namespace === ref.namespace &&
          !grantsRights(ref) &&
          ref.name.startsWith(`${one.name}-`)),
    );
  }

  /** Its own mark says it, or that of what it belongs to; what is shared carries none, and then it is enough that this action has applied it. */
  async #isShown(live: KubernetesObject): Promise<boolean> {
    const { namespace, release } = this.#release;
    let object: KubernetesObject | undefined = live;
    for (let step = 0; object !== undefined && step < mostOwners; step += 1) {
      const mark = markOf(object);
      if (mark !== undefined) return mark === markFor(namespace, release);
      if (applyEntry(object, fieldManager) !== undefined && !grantsRights(object)) return true;
      object = await this.#ownerOf(object);
    }
    return false;
  }

  async #ownerOf({ metadata }: KubernetesObject): Promise<KubernetesObject | undefined> {
    const { namespace, ownerReferences = [] } = metadata;
    const owner = ownerReferences.find(({ controller }) => controller === true);
    if (owner === undefined || namespace === undefined) return undefined;
    const { apiVersion, kind, name, uid } = owner;
    const found = await this.#client.read({ apiVersion, kind, namespace, name });
    return found?.metadata.uid === uid ? found : undefined;
  }

  #refusal(ref: ObjectRef, live: KubernetesObject | undefined): OutOfBounds {
    const { namespace, release } = this.#release;
    const mark = markOf(live);
    const where = ref.namespace === namespace ? 'grants rights' : `is outside of namespace "${namespace}"`;
    const why =
      live === undefined
        ? 'it does not exist'
        : mark === undefined
          ? 'the object itself does not say so'
          : `the object itself says it belongs to ${describeMark(mark, namespace)}`;
    return new OutOfBounds(
      `${describeRef(ref, true)} ${where}, and only a record says that it belongs to release "${release}": ${why}`,
      { hint: 'Deploy manifests that contain it: a record alone is not enough for such objects (docs/security.md).' },
    );
  }
}

/** Roles and their bindings: whoever could bring them in by a record could give himself any right. */
function grantsRights({ apiVersion }: Pick<ObjectRef, 'apiVersion'>): boolean {
  return groupOf(apiVersion) === 'rbac.authorization.k8s.io';
}
