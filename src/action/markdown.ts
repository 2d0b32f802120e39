/**
 * Markdown that says what it was given and nothing else: texts from outside can neither end a table cell or a block, nor
 * become a link, an image, a mention, an issue reference or HTML. Character references are never read as structure
 * (CommonMark 0.31, 2.5), which is why they are used throughout instead of backslashes.
 */
import { cut, plainLines } from './harmless.ts';

/** Zero width: keeps GitHub from making a mention, an issue reference or a link of what follows. */
const gap = '&#8203;';

const special = /[&<>`*_[\]|~\\{}$@]|#(?=\d)|\bGH-(?=\d)|:\/\/|\bwww\./gi;

/** A text from outside as prose: one line, nothing in it is markup. */
export function prose(text: string, limit = 500): string {
  return cut(oneLine(text, limit), limit)
    .replaceAll(special, (match) => {
      // GitHub looks for formulas after references are resolved; an element of its own is what its documentation advises.
      if (match === '$') return '<span>$</span>';
      if (match === '@' || match === '#' || match.endsWith('-')) return `${match}${gap}`;
      return match.length === 1 ? reference(match) : `${match[0] ?? ''}${gap}${match.slice(1)}`;
    })
    .replace(/^[-+=#:]/, reference)
    .replace(/^(\d+)([.)])/, (_, digits: string, mark: string) => `${digits}${reference(mark)}`);
}

/** A name, an image or another identifier as code. */
export function code(text: string, limit = 200): string {
  const line = cut(oneLine(text, limit), limit);
  if (line === '') return '';
  if (!/[`|\\]/.test(line)) return `\`${line}\``;
  // A code span cannot hold these in a table; an element can hold anything.
  return `<code>${prose(line, limit)}</code>`;
}

/** A text within a line of HTML, such as `<summary>`, where Markdown is not read. */
export function html(text: string, limit = 200): string {
  return cut(oneLine(text, limit), limit)
    .replaceAll(/[&<>"']/g, reference)
    .replaceAll('@', `@${gap}`);
}

/** Lines as a block of code, which GitHub colours or draws by its language; the fence is longer than any run of backticks in them. */
export function codeBlock(lines: readonly string[], language: 'text' | 'yaml' | 'diff' | 'mermaid' = 'text'): string {
  const content = lines.flatMap((line) => plainLines(line)).join('\n');
  const runs = content.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(3, ...runs.map((run) => run.length + 1)));
  return `${fence}${language}\n${content}\n${fence}`;
}

/** A table with a row for each item; the cells are Markdown already. Items beyond `most` are counted, not shown. */
export function table<T>(
  head: readonly string[],
  items: readonly T[],
  cellsOf: (item: T) => readonly string[],
  most = Infinity,
): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const shown = items.slice(0, most).map((item) => row(cellsOf(item)));
  const lines = [row(head), row(head.map(() => ':--')), ...shown].join('\n');
  return items.length > most ? `${lines}\n\n… and ${items.length - most} more.` : lines;
}

/** A list with a line of Markdown for each item. Items beyond `most` are counted, not shown. */
export function bullets<T>(items: readonly T[], textOf: (item: T) => string, most: number): string {
  const shown = items.slice(0, most).map((item) => `- ${textOf(item)}`);
  return [...shown, ...(items.length > most ? [`- … and ${items.length - most} more`] : [])].join('\n');
}

/** A block that unfolds on a click. `summary` is HTML, `body` Markdown. */
export function details(summary: string, body: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${body}\n\n</details>`;
}

/** A box with a coloured edge; `body` is Markdown. */
export function alert(kind: 'CAUTION' | 'WARNING' | 'NOTE', body: string): string {
  return [`[!${kind}]`, ...body.split('\n')].map((line) => `> ${line}`.trimEnd()).join('\n');
}

/** `limit` is how much of it will be used: a text from outside may be megabytes long. */
function oneLine(text: string, limit: number): string {
  return plainLines(text.slice(0, limit * 4 + 100))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function reference(character: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return named[character] ?? `&#${character.charCodeAt(0)};`;
}
