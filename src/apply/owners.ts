import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';

/** Whose objects are whose, as an apply has to know it. */
export interface Owners {
  /** What this release writes on its objects. */
  readonly mark: string;
  /** Whether an object is to get the mark with the next write. */
  needsMark(live: KubernetesObject): Promise<boolean>;
  /** @throws Failure, Failures for objects of other releases that this one may not take */
  refuseOthers(entries: readonly { manifest: Manifest; live: KubernetesObject | undefined }[]): Promise<void>;
}
