import { labelSelectorOf } from '../../kubernetes/label-selector.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { Failure } from '../../base/errors.ts';
import { labelsOfRepository, readPreview, type Preview, type PreviewIdentity } from '../../preview/identity.ts';
import type { Context } from '../../release/context.ts';

/** All namespaces that say that they are previews of a repository, and those of them that can be read as such. */
export async function listPreviews(
  { client }: Pick<Context, 'client'>,
  identity: Pick<PreviewIdentity, 'server' | 'repositoryId'>,
): Promise<{ namespaces: KubernetesObject[]; previews: Preview[] }> {
  const namespaces = await client.resource('v1', 'Namespace');
  if (namespaces === undefined) throw new Failure('the cluster does not serve namespaces');
  const labelSelector = labelSelectorOf(labelsOfRepository(identity));
  const { items } = await client.list(namespaces, { labelSelector });
  const previews = items.flatMap((item) => {
    const reading = readPreview(item);
    return reading.state === 'preview' ? [reading.preview] : [];
  });
  return { namespaces: items, previews };
}
