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
  return source.includes('\n') ? source : undefined;
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
