import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { ConfigEffect } from './config-change.ts';
import type { Claims } from './takeover.ts';
import type { Places } from './unowned.ts';

/** A manifest with all that is known before the first write. */
export interface Prepared {
  manifest: Manifest;
  live: KubernetesObject | undefined;
  /** What the server's dry run answered; undefined for what cannot be tried before something else exists. */
  predicted: KubernetesObject | undefined;
  change: 'created' | 'configured' | 'unchanged';
  /** Fields of `kubectl apply` have to be taken over first, and those that are claimed. */
  takeover: boolean;
  claims?: Claims;
  /** Which release the object is written as belonging to; absent where that is not to change. */
  mark?: string;
  /** Where fields of nobody have to be taken over as well. */
  places?: Places;
  /** The server takes it only over other managers' heads, which is no matter for somebody to decide. */
  force?: true;
  /** It cannot be changed, and is to be deleted and made anew. */
  remake?: true;
  warnings: string[];
  /** What becomes of its pods because config changes that they read. */
  config?: ConfigEffect;
}
