import type { RunReport } from './run-report.ts';

/**
 * Whether a run has ended with something of it in the cluster that somebody has to undo: objects that could not be brought back,
 * or a journal that nobody could close.
 * @param hasBegun whether it had begun to change anything
 */
export function isLeft({ failure, undo }: RunReport, hasBegun: boolean): boolean {
  if (undo === undefined) return hasBegun && failure !== undefined;
  return undo.unclosed === true || undo.results.some(({ outcome }) => outcome === 'failed');
}
