import { onOneLine } from '../../apply/field-words.ts';
import { nameOfDiff } from '../../plan/describe-diff.ts';
import type { FieldDiff, ObjectDiff } from '../../report/field-diff.ts';
import type { PlannedObject } from '../../report/plan-report.ts';
import { hasFailed, type RunReport } from '../../report/run-report.ts';
import { cut } from '../harmless.ts';
import { codeBlock, details, html } from '../markdown.ts';
import type { SummaryLimits } from './limits.ts';

/** A longer diff is folded. */
const longest = 40;

/** What the run has changed, or tried to, as a diff. */
export function renderChanges(report: RunReport, limits: SummaryLimits): string {
  return renderDiff(titleOf(report), report.changes ?? [], limits);
}

/** A run that has failed before it wrote anything has tried nothing. */
function titleOf({ status, undo, stays }: RunReport): string {
  if (status === 'waiting') return 'What changes';
  if (!hasFailed(status)) return 'What changed';
  return undo === undefined && stays !== true ? 'What was to change' : 'What was tried';
}

/** Objects with their fields as a diff, which GitHub colours. Values of Secrets are not among them. */
export function renderDiff(title: string, objects: readonly PlannedObject[], limits: SummaryLimits): string {
  const touched = objects.filter(({ change }) => change !== 'unchanged');
  if (touched.length === 0) return '';
  const lines = touched.slice(0, limits.rows).flatMap((object) => linesOf(object, limits));
  const rest = touched.length - limits.rows;
  const diff = codeBlock(rest > 0 ? [...lines, `  … and ${rest} more objects`] : lines, 'diff');
  return lines.length > longest ? details(html(title), diff) : `**${title}**\n\n${diff}`;
}

/** Longer texts are cut. */
const maxText = 200;

function shown(text: string): string {
  return cut(onOneLine(text.slice(0, maxText * 4)), maxText);
}

const words: Readonly<Record<PlannedObject['change'], string>> = {
  create: ' (new)',
  change: '',
  unchanged: ' (unchanged)',
  leave: ' (no longer in the manifests, left as it is)',
};

function linesOf({ ref, change, diff }: PlannedObject, limits: SummaryLimits): string[] {
  const head = `@@ ${shown(`${ref.kind} ${ref.name}`)}${words[change]} @@`;
  return diff === undefined ? [head] : [head, ...fieldsOf(diff, limits)];
}

function fieldsOf({ fields, more, only, basis }: ObjectDiff, limits: SummaryLimits): string[] {
  const rest = more + Math.max(0, fields.length - limits.rows);
  return [
    ...fields.slice(0, limits.rows).flatMap(fieldLines),
    ...(rest > 0 ? [`  … and ${rest} more`] : []),
    ...(only === 'config' ? ['! new pods, because the config that they read changes'] : []),
    ...(only === 'ownership' ? ['! only field ownership'] : []),
    ...(basis === 'manifest' ? ['  as in its manifest: the server cannot dry-run it yet'] : []),
  ];
}

function fieldLines(field: FieldDiff): string[] {
  const { change, before, after } = field;
  const name = nameOfDiff(field);
  switch (change) {
    case 'added':
      return [`+ ${name}${after === undefined ? '' : `: ${shown(after)}`}`];
    case 'removed':
      return [`- ${name}${before === undefined ? '' : `: ${shown(before)}`}`];
    case 'changed':
      return before === undefined || after === undefined
        ? [`! ${name}: changed`]
        : [`- ${name}: ${shown(before)}`, `+ ${name}: ${shown(after)}`];
  }
}
