import type { Location } from '../../base/errors.ts';

/** A limit that ends requests before they are answered. */
export interface Cut {
  /** What, why, and the value to set; one line. */
  text: string;
  /** Where the manifest sets it, or would. */
  location?: Location;
}

/** Whole seconds, as fields of Kubernetes have them. */
export function secondsOf(ms: number): number {
  return Math.ceil(ms / 1000);
}
