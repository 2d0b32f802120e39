import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { Failure } from '../base/errors.ts';
import { objectAt, stringAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isToken } from '../manifests/as-meant.ts';
import { concurrency } from './apply.ts';
import { readLive } from './preflight.ts';
import { inCluster } from './owned-change.ts';

const pollMs = 200;

interface StillThereOptions {
  clock: Clock;
  signal: AbortSignal;
  /** Milliseconds since the epoch. */
  deadline: number;
  /** What is read with it, for whoever wants to see it too. */
  beside?: readonly KubernetesObject[];
}

/**
 * Looks at what was written once more: that the server has accepted an object does not say that it stays. A token without its
 * account, and an object whose owner there is not, are deleted a moment later (carvel-dev/kapp#514).
 * @returns what was seen, by key; nothing where there was nothing to look at
 * @throws Failure for one that is gone, or not the one that was written; the reason of the signal
 */
export async function assertStillThere(
  client: KubernetesClient,
  written: readonly KubernetesObject[],
  options: StillThereOptions,
): Promise<ReadonlyMap<string, KubernetesObject>> {
  const lasting = written.filter((object) => !hasTimeToLive(object));
  if (lasting.length === 0) return new Map();
  await mapConcurrently(lasting.filter(isToken), concurrency, (token) => untilFilled(client, token, options));
  for (const object of lasting) await assertOwners(client, object);
  const looked = new Map([...(options.beside ?? []), ...lasting].map((object) => [keyOf(refOf(object)), object]));
  const live = await readLive(client, [...looked.values()].map(inCluster), new Set());
  for (const object of lasting) {
    const now = live.get(keyOf(refOf(object)));
    if (now?.metadata.uid !== object.metadata.uid) throw gone(object);
    if (now?.metadata.deletionTimestamp !== undefined) throw gone(object);
  }
  return live;
}

/** A Job may be gone by intent when it is done. */
export function hasTimeToLive(object: KubernetesObject): boolean {
  return Object.keys(objectAt(object, 'spec')).some((key) => key.startsWith('ttl'));
}

/** A token is of use once its controller has filled it in; without the account it is deleted instead. */
async function untilFilled(
  client: KubernetesClient,
  token: KubernetesObject,
  { clock, signal, deadline }: StillThereOptions,
): Promise<void> {
  for (;;) {
    const now = await client.read(refOf(token));
    if (now?.metadata.uid !== token.metadata.uid) throw gone(token);
    if (stringAt(now, 'data', 'token') !== undefined) return;
    if (clock.now() >= deadline) {
      throw new Failure(`${describeRef(refOf(token), true)} has no token yet`, {
        hint: 'The controller manager of the cluster fills it in: check that it is running.',
      });
    }
    await clock.sleep(pollMs, signal);
  }
}

/** The garbage collector deletes what has owners of which none exists. */
async function assertOwners(client: KubernetesClient, object: KubernetesObject): Promise<void> {
  const { ownerReferences = [], namespace } = object.metadata;
  if (ownerReferences.length === 0) return;
  const found = await Promise.all(
    ownerReferences.map(async ({ apiVersion, kind, name, uid }) => {
      const isNamespaced = (await client.resource(apiVersion, kind))?.namespaced ?? true;
      const place = isNamespaced && namespace !== undefined ? { namespace } : {};
      return (await client.read({ apiVersion, kind, name, ...place }))?.metadata.uid === uid;
    }),
  );
  if (found.includes(true)) return;
  const owner = ownerReferences[0];
  throw new Failure(
    `${describeRef(refOf(object), true)} will be deleted by Kubernetes: its owner ${owner?.kind ?? ''} "${owner?.name ?? ''}" does not exist`,
    { hint: 'Remove "metadata.ownerReferences" from the manifest.' },
  );
}

function gone(object: KubernetesObject): Failure {
  const isOrphan = isToken(object);
  return new Failure(`${describeRef(refOf(object), true)} was applied, but has since been deleted`, {
    hint: isOrphan
      ? 'Kubernetes deletes a token whose ServiceAccount does not exist: add the account to the manifests, or fix its name.'
      : 'Find out who deletes it, another controller or a person; then run it again.',
  });
}
