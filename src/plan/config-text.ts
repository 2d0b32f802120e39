import { namesSecret } from '../base/telling.ts';
import { tellsSecret } from '../base/without-secrets.ts';
import { maxValue } from '../apply/field-words.ts';

/** Two versions of a text that is config, as they are shown. */
export interface ConfigTexts {
  before?: string | undefined;
  after?: string | undefined;
}

/**
 * A text of a ConfigMap: itself when it is short; else how long it is, or the first line that differs. Lines that may be secret are
 * not shown, nor those below the name of a secret.
 */
export function configTexts(before: string | undefined, after: string | undefined): ConfigTexts {
  if ([before, after].every((text) => text === undefined || isShort(text))) return { before, after };
  if (before === undefined || after === undefined) return { before: lengthOf(before), after: lengthOf(after) };
  const [left, right] = [linesOf(before), linesOf(after)];
  const index = left.findIndex((line, place) => line !== right[place]);
  const place = index === -1 ? left.length : index;
  const [one, other] = [lineAt(left, place), lineAt(right, place)];
  if (one !== undefined && other !== undefined) return { before: one, after: other };
  return { before: lengthOf(before), after: `${lengthOf(after) ?? ''}, another from line ${place + 1} on` };
}

/** What is not text has a size. @param base64 as `binaryData` has it */
export function binaryTexts(before: string | undefined, after: string | undefined): ConfigTexts {
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

/** `line 3 of 120: listen 80;`; undefined where the line may not be shown. */
function lineAt(lines: readonly string[], place: number): string | undefined {
  const line = lines[place];
  if (line === undefined) return `${lines.length} lines`;
  if (
    [line, ...parentsOf(lines, place)].some((text) => tellsSecret(text) || (/^\s*\[/.test(text) && namesSecret(text)))
  )
    return undefined;
  return `line ${place + 1} of ${lines.length}: ${line.trim() === '' ? '(empty)' : line.trim()}`;
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
