import type { RunReport } from '../../report/run-report.ts';
import { alert, bullets, prose } from '../markdown.ts';
import { name } from './name.ts';
import type { SummaryLimits } from './limits.ts';

/** What a rollback has left as it is: one line for each object, with the reason. */
export function renderLeft({ left = [] }: RunReport, limits: SummaryLimits): string {
  if (left.length === 0) return '';
  const lines = bullets(left, ({ ref, reason }) => `${name(ref)}: ${prose(reason)}`, limits.rows);
  return alert('WARNING', `**Not everything went back.** Left as it is:\n\n${lines}`);
}
