import { objectAt, stringsAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { jobLabels } from '../manifests/as-meant.ts';
import { contentOf } from './comparison.ts';

/** An object that somebody has deleted, as it can be made anew: without what belonged to the old one alone. */
export function anew(before: KubernetesObject): KubernetesObject {
  const content = structuredClone(contentOf(before));
  if (before.kind === 'Job' && objectAt(before, 'spec')['manualSelector'] !== true) {
    const spec = objectAt(content, 'spec');
    delete spec['selector'];
    const metadata = objectAt(spec, 'template', 'metadata');
    const labels = Object.entries(stringsAt(metadata, 'labels')).filter(([key]) => !jobLabels.has(key));
    metadata['labels'] = Object.fromEntries(labels);
  }
  return content as KubernetesObject;
}
