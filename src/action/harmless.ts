/** Makes text from outside (pods, events, manifests, servers) fit for the log of a runner. */

const lineBreaks = /\r\n|[\n\r\v\f\u0085\u2028\u2029]/;

/** ANSI escape sequences: CSI (colours, cursor), OSC (titles, links) and the two-character ones. */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const escapes = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]/g;

/** Control characters but the tab, and those that turn the direction of text around. */
// eslint-disable-next-line no-control-regex -- as above
const controls = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** The longest line that helps anybody. */
const maxLine = 2_000;

/** The lines of `text` without escape sequences and control characters. */
export function plainLines(text: string): string[] {
  return text
    .replaceAll(escapes, '')
    .split(lineBreaks)
    .map((line) => line.replaceAll(controls, '').replaceAll(/\p{Surrogate}/gu, '\ufffd'));
}

/**
 * The lines of `text` as they may be printed: none of them is read as a command by the runner, which looks for `::` at the
 * start of a line after any white space, and for the older `##[` anywhere (actions/runner, ActionCommand.cs).
 */
export function harmlessLines(text: string): string[] {
  return plainLines(text).map((line) =>
    cut(line, maxLine)
      .replace(/^(\s*):(?=:)/, '$1: ')
      .replaceAll('##[', '## ['),
  );
}

/** At most `limit` characters, the last of which says that there were more; never half of a surrogate pair. */
export function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** The same, that ends with a whole word where there is one in its second half. */
export function cutAtWord(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const part = cut(text, limit).slice(0, -1);
  const space = part.lastIndexOf(' ');
  return `${(space < limit / 2 ? part : part.slice(0, space)).replace(/[ ,;:.]$/, '')}…`;
}
