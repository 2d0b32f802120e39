/** How much of each thing is shown. */
export interface SummaryLimits {
  /** Bytes of each log. */
  logBytes: number;
  /** Entries of each list and table. */
  rows: number;
}
