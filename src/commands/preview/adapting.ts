import { manifestFrom, type Manifest } from '../../manifests/manifest.ts';
import { adaptForPreview } from '../../preview/adapt.ts';
import { isolationLines, isolationObjects } from '../../preview/isolation.ts';
import type { Context } from '../../release/context.ts';
import type { OptionsOf } from '../command.ts';
import type { Adapt } from '../load-manifests.ts';
import type { AskedPreview } from './asked.ts';
import { copiesFor } from './copies.ts';
import { defaultKeepLabel } from './facts.ts';

type AdaptOptions = OptionsOf<
  | 'replicas'
  | 'preview-keep-label'
  | 'preview-host'
  | 'preview-gpus'
  | 'cluster-scoped'
  | 'isolation'
  | 'copy-secrets'
  | 'copy-configmaps'
>;

/** What a preview is deployed with, once its manifests were loaded. */
export interface Adapted {
  adapt: Adapt;
  manifests: readonly Manifest[];
  /** How they were changed, a line each. */
  changes: readonly string[];
  /** By which label of the pull request it does not expire. */
  keepLabel: string;
}

/** Turns manifests of the checkout into those of a preview, with what it is kept within and what it gets copies of. */
export function adapter(context: Context, options: AdaptOptions, asked: AskedPreview): Adapted {
  const adapted: Adapted = {
    manifests: [],
    changes: [],
    keepLabel: options.previewKeepLabel ?? defaultKeepLabel,
    adapt: async (given) => {
      const { namespace, identity } = asked;
      const { namespace: from, previewHost: host, replicas, clusterScoped, isolation } = options;
      const { manifests, changes } = adaptForPreview(given, {
        identity,
        namespace,
        replicas,
        clusterScoped,
        ...(from === undefined ? {} : { from }),
        ...(host === undefined ? {} : { host }),
      });
      const gpus = options.previewGpus === undefined ? {} : { gpus: Number(options.previewGpus) };
      const limits = {
        profile: isolation,
        namespace,
        hasHost: host !== undefined,
        given: manifests.map(({ object }) => object),
        ...gpus,
      };
      const kept = isolationObjects(limits).map((object) => manifestFrom(object, 'the input "isolation"'));
      const copies = await copiesFor(context, options, namespace);
      const lines = [...changes, ...isolationLines(limits)];
      for (const line of lines) context.reporter.info(line);
      Object.assign(adapted, { changes: lines, manifests: [...kept, ...copies, ...manifests] });
      return [...adapted.manifests];
    },
  };
  return adapted;
}
