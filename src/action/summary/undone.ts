import { notBack, unheardIn, type UndoReport, type UndoResult } from '../../release/undo-report.ts';
import { alert, bullets, code, details, prose, table } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';
import { name } from './name.ts';

const undoWords: Record<UndoResult['outcome'], string> = {
  restored: 'restored',
  deleted: 'deleted',
  untouched: 'untouched',
  kept: 'kept',
  partly: 'partly restored',
  refused: 'left as it is',
  going: 'being deleted',
  failed: 'not restored',
};

/** What an undo has brought back, and what it has not. */
export function renderUndo(undo: UndoReport, limits: SummaryLimits): string {
  const count = (outcome: UndoResult['outcome']) => undo.results.filter((result) => result.outcome === outcome).length;
  const counts = (Object.keys(undoWords) as UndoResult['outcome'][])
    .filter((outcome) => count(outcome) > 0)
    .map((outcome) => `${count(outcome)} ${undoWords[outcome]}`)
    .join(', ');
  const remarks = undo.results.flatMap((result) => remark(result));
  for (const text of undo.pods ?? []) remarks.push(prose(text));
  if (undo.unsettled === true && undo.pods === undefined) remarks.push('What was restored is not ready again yet');
  for (const text of unheardIn(undo)) remarks.push(prose(text));
  if (undo.replaced !== undefined) remarks.push(`But ${notBack(undo.replaced)}`);
  const remarkList = bullets(remarks, (text) => text, limits.rows);
  return [
    ...(undo.complete
      ? [
          `**The undo is complete**: ${undo.replaced === undefined ? 'everything' : 'everything else'} that this run changed is as it was before.`,
          remarkList,
        ]
      : [alert('WARNING', `**The undo is not complete.** ${whatNext(undo)}\n\n${remarkList}`.trim())]),
    undo.results.length === 0
      ? ''
      : details(
          `What the undo did: ${counts}`,
          table(
            ['Object', 'Outcome'],
            undo.results,
            ({ ref, outcome }) => [name(ref), undoWords[outcome]],
            limits.rows,
          ),
        ),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Whether the next run does it, or somebody, or nobody needs to. */
function whatNext({ results }: UndoReport): string {
  return results.some(({ outcome }) => outcome === 'failed')
    ? 'The next run of this release tries once more to restore what is missing:'
    : 'These stay as they are and do not block the next run:';
}

function remark(result: UndoResult): string[] {
  switch (result.outcome) {
    case 'failed':
      return [`${name(result.ref)} is not restored: ${prose(result.message)}`];
    case 'refused':
      return [
        result.fields === undefined
          ? `${name(result.ref)} stays as this run has left it: ${prose(result.reason)}`
          : `${name(result.ref)} is restored except for ${result.fields.map((field) => code(field)).join(', ')}: ${prose(result.reason)}`,
      ];
    case 'partly':
      return [
        `${name(result.ref)} is restored except for ${result.fields.map((field) => code(field)).join(', ')}, which somebody else has changed since`,
      ];
    case 'going':
      return [`${name(result.ref)} ${prose(result.message)}`];
    case 'kept':
      return [`${name(result.ref)} is kept: this run created it, but it may hold data`];
    case 'restored':
      return result.note === undefined ? [] : [`${name(result.ref)} is restored: ${prose(result.note)}`];
    default:
      return [];
  }
}
