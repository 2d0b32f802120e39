import { equal } from '../base/json.ts';
import type { Failure } from '../base/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { contentOf, isApplied } from './comparison.ts';
import { fieldManager } from './field-manager.ts';
import { marked, withoutMark } from './mark.ts';
import { cannotBeTried, problemsOfRefusal } from './problems.ts';
import type { Prepared } from './prepared.ts';

/**
 * Lets the server try a few fields of an object that is in the cluster. They are set whoever owns them, and nothing else
 * changes hands: what is taken over and not stated would go. Where they have their values already, nothing is to be written.
 */
export async function preparePart(
  client: KubernetesClient,
  manifest: Manifest,
  live: KubernetesObject,
  mark: string | undefined,
): Promise<Prepared | { problems: Failure[] }> {
  const known = { manifest, live, takeover: false, force: true, ...(mark === undefined ? {} : { mark }) } as const;
  if (isApplied(manifest.object, live)) return { ...known, predicted: live, change: 'unchanged', warnings: [] };
  try {
    const { object, warnings } = await client.apply(marked(manifest.object, mark), {
      fieldManager,
      force: true,
      dryRun: true,
    });
    const isThere = equal(withoutMark(contentOf(live)), withoutMark(contentOf(object)));
    return isThere
      ? { ...known, predicted: live, change: 'unchanged', warnings }
      : { ...known, predicted: object, change: 'configured', warnings };
  } catch (error) {
    if (cannotBeTried(error)) return { ...known, predicted: undefined, change: 'configured', warnings: [] };
    return { problems: await problemsOfRefusal(client, manifest, error) };
  }
}
