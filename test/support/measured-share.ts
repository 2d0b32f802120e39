/**
 * How far a measured share may be from the true one, in percentage points: five, or three standard deviations if that is more.
 * @param wanted in percent
 */
export function shareTolerance(wanted: number, requests: number, atLeast = 5): number {
  const share = wanted / 100;
  return Math.max(atLeast, 300 * Math.sqrt((share * (1 - share)) / Math.max(1, requests)));
}
