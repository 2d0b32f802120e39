import { looksSecret } from '../../base/telling.ts';

/** Of several paths together. */
const longestPath = 2_000;

/** Of a folder or file; file systems allow more, and nobody uses it. */
const longestName = 100;

/** No kubeconfig that leads anywhere is shorter than this in base64. */
const leastBase64 = 80;

/**
 * The text of a kubeconfig: as it is, or in base64, as people put it into a secret (also wrapped, as `base64` does it).
 * Undefined for everything else, which is one or more paths.
 */
export function kubeconfigText(source: string): string | undefined {
  if (source.trimStart().startsWith('{')) return source;
  if (isBase64(source)) {
    const text = Buffer.from(source, 'base64')
      .toString('utf8')
      .replace(/^\ufeff/, '')
      .trim();
    if (isText(text)) return text;
  }
  return source.includes('\n') || hasFields.test(source) ? source : undefined;
}

/** What only a kubeconfig has: pasted on one line, or with `\n` in place of its line ends, it is no path. */
const hasFields = /(?:^|[\s"'{,\\n])(?:apiVersion|kind|clusters|users|contexts|current-context)\\?["']?\s*:/;

/**
 * Whether something may be the path of a file, or several, so that messages may show it. What people put in the place of a path by
 * mistake (a token, a key, half a kubeconfig) is long, or has what paths rarely have.
 */
export function isPath(source: string): boolean {
  if (isBase64(source) || source.length > longestPath || /[{}"'<>=\n]|: |:\/\//.test(source)) return false;
  return source.split(/[/\\:;]/).every((part) => part.length <= longestName && !looksSecret(part));
}

/** Whether it may be something in base64; a path that is as long, and has neither a dot nor a colon, may be, too. */
export function isBase64(source: string): boolean {
  return source.length >= leastBase64 && /^[\w+-][\w+/\s-]*={0,2}$/.test(source.trim());
}

/** What was not base64 gives arbitrary bytes, and so do keys. */
function isText(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return text !== '' && !/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text) && /[:{]/.test(text);
}
