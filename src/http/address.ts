/** The host without the brackets in which an address of IPv6 stands in a URL. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(?<inner>.*)\]$/, '$<inner>').toLowerCase();
}

export function portOf({ port, protocol }: URL): number {
  if (port !== '') return Number(port);
  return protocol === 'http:' ? 80 : 443;
}

/** A part of a URL as it is meant; as it is where it cannot be decoded: a password may hold a `%` of its own. */
export function decodedUrl(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
