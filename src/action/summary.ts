import type { RunReport } from '../commands/report.ts';

/** The job summary of a run, as Markdown: what happened, at a glance, and the evidence below it. */
export function renderSummary(report: RunReport): string {
  return `### ${report.headline}\n`;
}
