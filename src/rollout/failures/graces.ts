export interface Graces {
  /** For a pod that fits nowhere while no autoscaler says that it makes room, ms. */
  unschedulableMs: number;
  /** No sign ends the wait before it has been there for this long, ms. */
  leastMs?: number;
}

export const defaultGraces: Graces = { unschedulableMs: 120_000 };
