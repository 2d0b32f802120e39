import { hasFailed, type RunReport } from '../../report/run-report.ts';
import { codeBlock, details, html } from '../markdown.ts';

/** What somebody may want to do next, by how the run has ended: the lines to paste. Empty where there is nothing to do. */
export function renderNext(report: RunReport): string {
  const { status, undo, stays } = report;
  switch (status) {
    case 'waiting':
      return `**Next:** roll it out with \`command: promote\`, or remove it with \`command: abort\`:\n\n${step(report, ['command: promote # or: abort'])}`;
    case 'paused':
      return `**Next:** continue with \`command: resume\`:\n\n${step(report, ['command: resume'])}`;
    case 'planned':
      return '**Next:** run the same step with `command: deploy` to carry it out.';
    case 'deployed':
      return goBack(report);
    default:
      if (!hasFailed(status)) return '';
      if (stays === true) return goBack(report);
      return undo?.complete === true ? '**Next:** fix the cause and deploy again. Nothing has to be cleaned up.' : '';
  }
}

/** To the revision that was live before; a number that is told is the one that is meant. */
function goBack(report: RunReport): string {
  const { revision, previousRevision } = report;
  if (previousRevision === undefined || previousRevision === revision) return '';
  const lines = ['command: rollback', `to-revision: ${previousRevision}`];
  return details(html(`To go back to revision ${previousRevision}`), step(report, lines));
}

/** A step of a workflow, with what it needs beside the credentials. */
function step({ release, namespace, links }: RunReport, lines: readonly string[]): string {
  const { uses } = links ?? {};
  const all = [
    ...lines,
    ...(release === undefined ? [] : [`release: ${scalar(release)}`]),
    ...(namespace === undefined || namespace === '' ? [] : [`namespace: ${scalar(namespace)}`]),
    '# plus the sign-in inputs of this step',
  ];
  return codeBlock(
    uses === undefined
      ? ['with:', ...all.map((line) => `  ${line}`)]
      : [`- uses: ${uses}`, '  with:', ...all.map((line) => `    ${line}`)],
    'yaml',
  );
}

/** A name as YAML reads it: `1` and `true` are no text. */
function scalar(text: string): string {
  return /^[a-z][a-z0-9-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(text)
    ? text
    : JSON.stringify(text);
}
