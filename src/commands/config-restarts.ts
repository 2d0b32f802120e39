import { describeRef, refOf } from '../kubernetes/object.ts';
import { newHashKey, restartAnnotation, withConfigHashes } from '../manifests/config-hash.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { ConfigEffect } from '../apply/config-change.ts';
import { configKeyOf } from '../release/revision.ts';
import type { PlanContext } from '../plan/plan.ts';
import type { Report } from '../report/report.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { Prepared } from '../apply/prepared.ts';

/** What one run does about pods whose config changes (docs/config.md). */
export class ConfigRestarts {
  readonly #restart: boolean | undefined;
  /** For a release that has none yet. */
  readonly #newKey = newHashKey();

  /** @param restart undefined: pod templates stay as they are given */
  constructor(restart: boolean | undefined) {
    this.#restart = restart;
  }

  /** The manifests as a strategy brings them in. @throws InvalidInput, Failures for an annotation that cannot be read */
  hashed(manifests: readonly Manifest[], revisions: readonly Revision[]): readonly Manifest[] {
    return this.#restart === undefined
      ? manifests
      : withConfigHashes(manifests, configKeyOf(revisions) ?? this.#newKey);
  }

  /** What later runs have to know. */
  facts(revisions: readonly Revision[]): Pick<Revision, 'configKey' | 'restartOnConfig'> {
    const configKey = configKeyOf(revisions) ?? (this.#restart === undefined ? undefined : this.#newKey);
    return {
      ...(configKey === undefined ? {} : { configKey }),
      ...(this.#restart === false ? { restartOnConfig: false } : {}),
    };
  }

  /** Says which pods are replaced because of their config, and which are not although it changes. */
  tell(prepared: readonly Prepared[], plan: Pick<PlanContext, 'note'>, report: Pick<Report, 'warn'>): void {
    for (const { manifest, config } of prepared) {
      if (config === undefined) continue;
      const text = textOf(describeRef(refOf(manifest.object)), config);
      // That somebody wants it so is no reason to worry.
      if (config.state === 'left' && config.because === 'kind') report.warn(text);
      else plan.note(text);
    }
  }
}

function textOf(workload: string, effect: ConfigEffect): string {
  const { reads } = effect;
  if (reads.length === 0) return `${workload} gets new pods: its pods started with different config`;
  const begin = `${workload} reads ${reads.join(' and ')}, which ${reads.length > 1 ? 'change' : 'changes'}`;
  if (effect.state === 'renewed') return `${begin}: it gets new pods`;
  switch (effect.because) {
    case 'input':
      return `${begin}; its pods are not replaced, because "restart-on-config" is false`;
    case 'annotation':
      return `${begin}; its pods are not replaced, because of its annotation "${restartAnnotation}"`;
    case 'kind':
      return `${begin}; its pods keep the config they started with until you delete them`;
  }
}
