import { looksSecret, namesSecret } from '../base/telling.ts';
import { tellsSecret } from '../base/without-secrets.ts';
import { maxValue, onOneLine } from '../apply/field-words.ts';

/** Two values on one line each, which differ; absent where there is none. `hidden` where one of them is not to be shown. */
export type Shown = { before?: string | undefined; after?: string | undefined } | 'hidden';

/**
 * A text of a ConfigMap: itself when it is short; else how long it is, or the first line that differs. Lines that may be secret are
 * not shown, nor those below the name of a secret.
 */
export function configTexts(before: string | undefined, after: string | undefined): Shown {
  const texts = [before, after].filter((text) => text !== undefined);
  if (texts.every(isShort)) return texts.some(isSecretLine) ? 'hidden' : told(before, after);
  if (before === undefined || after === undefined) return { before: lengthOf(before), after: lengthOf(after) };
  const [left, right] = [linesOf(before), linesOf(after)];
  const index = left.findIndex((line, place) => line !== right[place]);
  const place = index === -1 ? left.length : index;
  const [one, other] = [left[place], right[place]];
  if (one === undefined || other === undefined || isSecretAt(left, place) || isSecretAt(right, place))
    return { before: lengthOf(before), after: `${lengthOf(after) ?? ''}, another from line ${place + 1} on` };
  const lines = told(one, other);
  const at = (all: readonly string[], line = '') =>
    `line ${place + 1} of ${all.length}: ${line === '' ? '(empty)' : line}`;
  return { before: at(left, lines.before), after: at(right, lines.after) };
}

/** On one line each; quoted where only blanks differ. */
function told(before: string | undefined, after: string | undefined): { before?: string; after?: string } {
  const line =
    before !== undefined && after !== undefined && onOneLine(before) === onOneLine(after) ? quoted : onOneLine;
  return {
    ...(before === undefined ? {} : { before: line(before) }),
    ...(after === undefined ? {} : { after: line(after) }),
  };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

/** What is not text has a size. @param base64 as `binaryData` has it */
export function binaryTexts(before: string | undefined, after: string | undefined): Shown {
  const size = (base64: string | undefined) =>
    base64 === undefined ? undefined : `${Buffer.from(base64, 'base64').length} bytes`;
  const [one, other] = [size(before), size(after)];
  return { before: one, after: one === other && other !== undefined ? `${other} of other content` : other };
}

function isShort(text: string): boolean {
  return text.length <= maxValue && !/[\r\n]./.test(text);
}

function linesOf(text: string): string[] {
  return text.replace(/\n$/, '').split('\n');
}

function lengthOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const { length } = linesOf(text);
  return length === 1 ? `1 line of ${text.length} characters` : `${length} lines`;
}

function isSecretAt(lines: readonly string[], place: number): boolean {
  return [lines[place] ?? '', ...parentsOf(lines, place)].some(isSecretLine);
}

/** Whether a line of whatever language may be about a secret: `requirepass a`, `[credentials]`, a key among other words. */
function isSecretLine(line: string): boolean {
  if (tellsSecret(line)) return true;
  const words = line.split(/[\s"'`=:,;<>()[\]{}]+/);
  return words.some((word) => namesSecret(word) || looksSecret(word));
}

/** The lines that a line belongs to by its indentation, and the heading of its section. */
function parentsOf(lines: readonly string[], place: number): string[] {
  const found: string[] = [];
  let indent = indentOf(lines[place] ?? '');
  for (const line of lines.slice(0, place).toReversed()) {
    if (line.trim() === '') continue;
    if (indentOf(line) < indent) {
      indent = indentOf(line);
      found.push(line);
    } else if (/^\s*\[/.test(line) && line.trim().endsWith(']')) {
      return [...found, line];
    }
  }
  return found;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
