import { html, prose } from '../markdown.ts';

/** Zero width, as in `markdown.ts`. */
const gap = '&#8203;';

/**
 * A text from outside in a comment. Beside what it keeps from being markup, a hash of a commit makes no link: in a thread GitHub
 * looks for them in every text, from seven digits on. Words, numbers and parts of names, such as of pods, stay as they are.
 */
export function quiet(text: string, limit?: number): string {
  return withoutHashes(prose(text, limit));
}

/** The same within a line of HTML, such as `<summary>`: GitHub looks for references there as well, once all is HTML. */
export function quietHtml(text: string): string {
  return withoutHashes(
    html(text).replaceAll(/(?<!&)#(?=\d)|\bGH-(?=\d)|:(?=\/\/)|\bwww(?=\.)/gi, (found) => `${found}${gap}`),
  );
}

/** No piece of one is long enough to be taken for one. */
function withoutHashes(markup: string): string {
  return markup.replaceAll(/(?<![\w&#-])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}(?![\w-])/g, (hash) =>
    hash.replaceAll(/.{4}(?=.)/g, (piece) => `${piece}${gap}`),
  );
}

/** A link with a text of our own; the text alone where the address is not plainly one. */
export function link(text: string, url: string | undefined): string {
  return url !== undefined && isPlainUrl(url) ? `[${text}](${url})` : text;
}

/** Nothing in such an address ends a link, a table or a line. */
export function isPlainUrl(url: string): boolean {
  return url.length <= 500 && /^https?:\/\/[A-Za-z0-9.:[\]-]+(?:\/[\w./~%?&=+-]*)?$/.test(url);
}
