import { equal, isObject, ownValue, removeAt, setAt, type Json } from '../base/json.ts';
import type { KubernetesClient, ObjectList } from '../kubernetes/client.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { PlannedWrite } from '../report/plan-report.ts';
import type { Apply, SetFields } from './step.ts';

/** An object as it will be. */
interface Entry {
  object: KubernetesObject;
  /** What an apply has said of it last. */
  stated?: KubernetesObject;
}

/**
 * The cluster as it will be when the steps until now have been carried out: what is read shows what they have written. It goes
 * by what the server's dry runs have answered, and by the manifests where there are none yet. Nothing is written by it.
 */
export class Imagined {
  readonly #client: KubernetesClient;
  readonly #entries = new Map<string, Entry>();
  /** What has been compared with the cluster, by key. */
  readonly #compared: Map<string, Prepared>;

  constructor(client: KubernetesClient, compared: readonly Prepared[]) {
    this.#client = client;
    this.#compared = byKey(compared);
  }

  /** Reads as it will be; all else is the client's. */
  get client(): KubernetesClient {
    const own: Pick<KubernetesClient, 'read' | 'list'> = {
      read: async (ref) => await this.read(ref),
      list: async (resource, options, signal) => {
        const list = await this.#client.list(resource, options, signal);
        const isOf = ({ apiVersion, kind, metadata }: KubernetesObject) =>
          kind === resource.kind &&
          apiVersion === (resource.group === '' ? resource.version : `${resource.group}/${resource.version}`) &&
          metadata.namespace === options.namespace;
        return this.#shownIn(list, options.labelSelector === undefined ? isOf : () => false);
      },
    };
    return new Proxy(this.#client, {
      get: (target, name) => {
        const value: unknown = Reflect.get(name in own ? own : target, name);
        return typeof value === 'function' && !(name in own) ? (value.bind(target) as unknown) : value;
      },
    });
  }

  async read(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    return this.#entries.get(keyOf(ref))?.object ?? (await this.#readLive(ref));
  }

  /** Of a kind that an earlier step brings there is nothing yet. */
  async #readLive(ref: ObjectRef): Promise<KubernetesObject | undefined> {
    try {
      return await this.#client.read(ref);
    } catch (error) {
      if (error instanceof UnknownKind) return undefined;
      throw error;
    }
  }

  #shownIn(list: ObjectList, isNew: (object: KubernetesObject) => boolean): ObjectList {
    const known = new Set(list.items.map((object) => keyOf(refOf(object))));
    const items = list.items.map((object) => this.#entries.get(keyOf(refOf(object)))?.object ?? object);
    const others = [...this.#entries].filter(([key, { object }]) => !known.has(key) && isNew(object));
    return { ...list, items: [...items, ...others.map(([, { object }]) => object)] };
  }

  /** Carries an apply out. @returns what it writes */
  async apply({ objects, compared = [] }: Apply): Promise<PlannedWrite[]> {
    const own = byKey(compared);
    const writes: PlannedWrite[] = [];
    for (const manifest of objects) {
      const write = await this.#write(manifest, own.get(keyOf(refOf(manifest.object))));
      if (write !== undefined) writes.push(write);
    }
    return writes;
  }

  async #write(manifest: Manifest, own: Prepared | undefined): Promise<PlannedWrite | undefined> {
    const ref = refOf(manifest.object);
    const key = keyOf(ref);
    const known = this.#entries.get(key);
    const prepared = own?.manifest === manifest ? own : this.#sameAsCompared(manifest);
    const now = known?.object ?? (prepared === undefined ? await this.#readLive(ref) : prepared.live);
    const isThere = this.#isThere(manifest, { known, prepared, now });
    const predicted = known === undefined ? prepared?.predicted : undefined;
    this.#entries.set(key, { object: predicted ?? merged(now, manifest.object), stated: manifest.object });
    return isThere ? undefined : { ref, change: now === undefined ? 'create' : 'change' };
  }

  /** An apply takes back what the one before it has stated and it does not. */
  #isThere(
    { object }: Manifest,
    { known, prepared, now }: { known: Entry | undefined; prepared: Prepared | undefined; now: Json | undefined },
  ): boolean {
    if (known?.stated !== undefined) return equal(known.stated, object);
    if (known === undefined && prepared !== undefined) return prepared.change === 'unchanged';
    return contains(known?.object ?? now, object);
  }

  #sameAsCompared({ object }: Manifest): Prepared | undefined {
    const compared = this.#compared.get(keyOf(refOf(object)));
    return compared !== undefined && equal(compared.manifest.object, object) ? compared : undefined;
  }

  /** Carries out what sets fields. @returns what it writes */
  async set({ fields, objects = [] }: SetFields): Promise<PlannedWrite[]> {
    const writes: PlannedWrite[] = [];
    for (const manifest of objects) {
      const write = await this.#write(withoutGuard(manifest), undefined);
      if (write !== undefined) writes.push(write);
    }
    for (const { of, path, to } of fields) {
      const now = await this.read(of);
      if (now === undefined) continue;
      const stated = this.#entries.get(keyOf(of))?.stated;
      const [object, meant] = [now, stated].map((one) => one && withField(one, path, to));
      if (object === undefined) continue;
      this.#entries.set(keyOf(of), { object, ...(meant === undefined ? {} : { stated: meant }) });
      if (!equal(now, object))
        writes.push({ ref: of, change: 'change', field: path.join('.'), ...(to === undefined ? {} : { to }) });
    }
    return writes;
  }
}

function withField(object: KubernetesObject, path: readonly string[], to: Json | undefined): KubernetesObject {
  const copy = structuredClone(object);
  if (to === undefined) removeAt(copy, path);
  else setAt(copy, path, to);
  return copy;
}

function withoutGuard(manifest: Manifest): Manifest {
  const object = structuredClone(manifest.object);
  delete object.metadata.resourceVersion;
  return { ...manifest, object };
}

function byKey(prepared: readonly Prepared[]): Map<string, Prepared> {
  return new Map(prepared.map((entry) => [keyOf(refOf(entry.manifest.object)), entry]));
}

/** Whether all that a manifest states is so already, as far as it is spelled alike. */
function contains(now: Json | undefined, stated: Json | undefined): boolean {
  if (isObject(stated))
    return isObject(now) && Object.entries(stated).every(([key, value]) => contains(ownValue(now, key), value));
  if (Array.isArray(stated))
    return (
      Array.isArray(now) && now.length === stated.length && stated.every((item, index) => contains(now[index], item))
    );
  return equal(now ?? null, stated ?? null);
}

/** As an apply leaves it: what is stated, and of the rest what was there. */
function merged(now: KubernetesObject | undefined, stated: KubernetesObject): KubernetesObject {
  if (now === undefined) return structuredClone(stated);
  const object = structuredClone(now);
  for (const [key, value] of Object.entries(stated)) {
    if (value === undefined) continue;
    const before = object[key];
    setAt(object, [key], isObject(before) && isObject(value) ? { ...before, ...value } : value);
  }
  return object;
}
