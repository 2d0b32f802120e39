/** Which share of the requests a candidate got at one time. */
export interface TrafficStep {
  /** The stable workload's name. */
  workload: string;
  /** What was asked for, in percent. */
  wanted: number;
  candidatePods: number;
  stablePods: number;
  /** In percent, of this many requests; absent when it could not be measured. */
  measured?: number;
  requests?: number;
}
