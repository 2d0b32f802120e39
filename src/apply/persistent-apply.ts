import type { ApplyOptions, KubernetesClient, Written } from '../kubernetes/client.ts';
import { ApiError } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

const maxAttempts = 10;

/**
 * An apply that names no resourceVersion cannot be outrun, and yet it may be answered with a write conflict: where a quota
 * counts the kind, many new objects at once meet at the quota's own status. It is repeated.
 */
export async function applyPersistently(
  client: KubernetesClient,
  object: KubernetesObject,
  options: ApplyOptions,
): Promise<Written> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.apply(object, options);
    } catch (error) {
      if (!(error instanceof ApiError && error.isWriteConflict) || attempt >= maxAttempts) throw error;
    }
  }
}
