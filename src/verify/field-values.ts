import type { StatusRange, VersionPlace } from './check.ts';
import { parseJsonPath } from '../base/json-path.ts';

/** Texts of the input `verify` as values; undefined when a text is none. */

/** `200`, `2xx`, `200, 3xx`. */
export function parseStatus(text: string): StatusRange[] | undefined {
  const ranges = text.split(',').map((part): StatusRange | undefined => {
    const code = part.trim();
    if (/^[1-5]xx$/.test(code)) return { from: Number(code[0]) * 100, to: Number(code[0]) * 100 + 99 };
    return /^[1-5]\d\d$/.test(code) ? { from: Number(code), to: Number(code) } : undefined;
  });
  return ranges.every((range) => range !== undefined) ? ranges : undefined;
}

/** `1%`, `0.5 %`, `0.01`: from 0 to 1, both excluded. */
export function parseRate(text: string): number | undefined {
  const { number, sign } = /^(?<number>\d+(?:\.\d+)?)\s*(?<sign>%?)$/.exec(text)?.groups ?? {};
  if (number === undefined) return undefined;
  const rate = sign === '%' ? Number(number) / 100 : Number(number);
  return rate > 0 && rate < 1 ? rate : undefined;
}

/** `300ms`, `1.5s`, `2m`, in milliseconds; more than nothing. */
export function parseLatency(text: string): number | undefined {
  const { number, unit } = /^(?<number>\d+(?:\.\d+)?)(?<unit>ms|s|m)$/.exec(text)?.groups ?? {};
  if (number === undefined) return undefined;
  const value = Number(number) * (unit === 'ms' ? 1 : unit === 's' ? 1000 : 60_000);
  return value > 0 ? value : undefined;
}

/** A whole number from 1 to `most`. */
export function parseCount(text: string, most: number): number | undefined {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  return value >= 1 && value <= most ? value : undefined;
}

/** `5`, `5%`, `7.5 %`: percentage points below 100. */
export function parsePoints(text: string): number | undefined {
  const value = Number(/^(\d+(?:\.\d+)?)\s*%?$/.exec(text)?.[1] ?? NaN);
  return value > 0 && value < 100 ? value : undefined;
}

/** `header:X-Version`, `json:.version`. */
export function parseVersionPlace(text: string): VersionPlace | undefined {
  const [, kind, rest = ''] = /^(header|json):\s*(\S.*)$/s.exec(text) ?? [];
  if (kind === 'header') return isHeaderName(rest) ? { kind, name: rest.toLowerCase() } : undefined;
  const path = kind === 'json' ? parseJsonPath(rest) : undefined;
  return path === undefined ? undefined : { kind: 'json', path };
}

/** RFC 9110, `token`. */
export function isHeaderName(text: string): boolean {
  return /^[!#$%&'*+.^_`|~\w-]+$/.test(text);
}

/** An absolute URL of HTTP without a user or a fragment; or undefined. */
export function parseUrl(text: string): string | undefined {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  return url?.username === '' && url.hash === '' && url.port !== '0' ? url.href : undefined;
}

/** What can follow a host in a request: ASCII without blanks, no fragment, no `..` that would lead out of a proxy's path. */
export function isPath(text: string): boolean {
  return /^\/[!"$-~]*$/.test(text) && !/[/\\](?:\.|%2e){1,2}(?:[/\\?]|$)/i.test(text);
}

/** RFC 1035 label: what a Service is called. */
export function isServiceName(text: string): boolean {
  return /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/** A number or a name of a port. */
export function isPort(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= 65_535;
  return /^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(text);
}
