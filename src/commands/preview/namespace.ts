import { Failure } from '../../base/errors.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import { isGoing, nameGoing } from '../../kubernetes/going.ts';
import type { KubernetesObject, ObjectRef } from '../../kubernetes/object.ts';
import { fieldManager } from '../../apply/field-manager.ts';
import type { Context } from '../../release/context.ts';

/** How long the namespace of a preview that was torn down may take to go, before it is made anew, in ms. */
const goingMs = 300_000;
/** How often a namespace that somebody changes at the same time is read and judged again. */
const attempts = 5;
const pollMs = 500;

export function namespaceRef(name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Namespace', name };
}

/**
 * Makes a namespace that is not there, by POST: one that somebody else makes at the same moment is found, and never taken for ours.
 * @returns what is there now, and whether this call has made it
 */
export async function makeNamespace(
  { client }: Pick<Context, 'client'>,
  namespace: KubernetesObject,
): Promise<{ object: KubernetesObject; isNew: boolean }> {
  const ref = namespaceRef(namespace.metadata.name);
  try {
    const { object } = await client.create(namespace, { fieldManager });
    return { object, isNew: true };
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    const found = await client.read(ref);
    if (found !== undefined) return { object: found, isNew: false };
    throw new Failure(`Namespace "${ref.name}" was created and deleted by someone at the same time`, {
      hint: 'Run it again.',
    });
  }
}

/**
 * Deletes a namespace as it was judged: with preconditions on its UID and version, so that one that was made anew or given to somebody
 * else meanwhile is read and judged again.
 * @param mayDelete asked of each state that is found
 * @returns whether it is deleted or gone; false when it may not be deleted any more
 */
export async function deleteNamespace(
  { client }: Pick<Context, 'client'>,
  name: string,
  mayDelete: (namespace: KubernetesObject) => boolean,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const found = await client.read(namespaceRef(name));
    if (found === undefined || isGoing(found)) return true;
    if (!mayDelete(found)) return false;
    const { uid, resourceVersion } = found.metadata;
    if (uid === undefined || resourceVersion === undefined) return false;
    try {
      await client.delete(namespaceRef(name), { uid, resourceVersion });
      return true;
    } catch (error) {
      if (!isStatus(error, 409) || attempt === attempts) throw error;
    }
  }
}

/**
 * Waits until a namespace is gone that is being deleted.
 * @param until milliseconds since the epoch
 * @returns what is still there then
 */
export async function untilNamespaceGone(
  { client, clock, signal }: Pick<Context, 'client' | 'clock' | 'signal'>,
  { metadata }: KubernetesObject,
  until: number,
): Promise<KubernetesObject | undefined> {
  for (;;) {
    const found = await client.read(namespaceRef(metadata.name));
    if (found === undefined || found.metadata.uid !== metadata.uid) return undefined;
    if (clock.now() >= until) return found;
    await clock.sleep(pollMs, signal);
  }
}

/** Before a preview is made anew whose namespace is on its way out. @throws Failure when that hangs */
export async function awaitGoing(
  context: Pick<Context, 'client' | 'clock' | 'signal' | 'reporter'>,
  namespace: KubernetesObject,
): Promise<void> {
  if (!isGoing(namespace)) return;
  context.reporter.info(`Namespace "${namespace.metadata.name}" is terminating: waiting for it, then it is recreated`);
  const left = await untilNamespaceGone(context, namespace, context.clock.now() + goingMs);
  if (left === undefined) return;
  throw new Failure(nameGoing(left), {
    hint: 'Find out what holds it up; the preview is recreated once it is gone. "teardown" with "all-closed" reports it each time.',
  });
}
