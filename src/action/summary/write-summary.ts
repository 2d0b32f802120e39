import { summary } from '@actions/core';

import type { Reporter } from '../../base/reporter.ts';

/**
 * Adds Markdown to the summary of this step. Where there is none (an old GitHub Enterprise Server, a run on one's own
 * machine) that is a line of the debug log and nothing worse.
 */
export async function writeSummary(
  markdown: string,
  reporter: Pick<Reporter, 'debug' | 'warning'>,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  if ((env['GITHUB_STEP_SUMMARY'] ?? '') === '') {
    reporter.debug('no job summary: GITHUB_STEP_SUMMARY is not set');
    return;
  }
  try {
    await summary.addRaw(markdown, true).write();
  } catch (error) {
    reporter.warning(`the job summary could not be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
