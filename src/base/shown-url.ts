import { isPlain, looksSecret, namesSecret } from './telling.ts';

/**
 * A URL, a path, or what was meant as one, as it may be shown: without a user and password, without the fragment, and of its query
 * and path without what is no ordinary word.
 */
export function shownUrl(text: string): string {
  const [shown = ''] = text.split('#', 1);
  const [address = '', ...queries] = shown.split('?');
  const query = queries.join('?');
  return `${shownPath(withoutUser(address))}${queries.length === 0 ? '' : `?${query.split('&').map(shownParameter).join('&')}`}`;
}

function withoutUser(address: string): string {
  const authority = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/\s]*|^[^/\s:]+:[^/\s]*/i.exec(address)?.[0] ?? '';
  const end = authority.lastIndexOf('@');
  const start = authority.includes('//') ? authority.indexOf('//') + 2 : 0;
  return end < start ? address : `${address.slice(0, start)}${address.slice(end + 1)}`;
}

function shownPath(address: string): string {
  return address
    .split('/')
    .map((part, index) => (index > 0 && looksSecret(part) ? '…' : part))
    .join('/');
}

function shownParameter(parameter: string): string {
  const [name = '', ...rest] = parameter.split('=');
  if (rest.length === 0) return isPlain(name) ? name : '…';
  const value = rest.join('=');
  return `${isPlain(name) || !looksSecret(name) ? name : '…'}=${isPlain(value) && !namesSecret(name) ? value : '…'}`;
}
