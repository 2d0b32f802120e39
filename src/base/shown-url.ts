/**
 * A URL, or what was meant as one, as it may be shown: without a user and password, and without the values of its query. Any text
 * may be given; what is no URL stays as it is.
 */
export function shownUrl(text: string): string {
  const [address = '', ...rest] = text.split('?');
  const authority = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/\s]*|^[^/\s:]+:[^/\s]*/i.exec(address)?.[0] ?? '';
  const end = authority.lastIndexOf('@');
  const start = authority.includes('//') ? authority.indexOf('//') + 2 : 0;
  const shown = end < start ? address : `${address.slice(0, start)}${address.slice(end + 1)}`;
  const fragment = shown.indexOf('#');
  return `${fragment === -1 ? shown : shown.slice(0, fragment)}${rest.length === 0 ? '' : '?…'}`;
}
