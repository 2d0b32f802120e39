import { BlockList, isIP } from 'node:net';

import { InvalidInput } from '../base/errors.ts';
import { hostOf, portOf } from './address.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for this server, by the rules of Go's net/http, which kubectl follows:
 * `HTTPS_PROXY` or `HTTP_PROXY` by the server's scheme, never for loopback addresses, and not for what `NO_PROXY` lists
 * (golang.org/x/net/http/httpproxy).
 * @throws InvalidInput when the variable holds no URL
 */
export function proxyFor(server: URL, env: Environment): URL | undefined {
  const variable = server.protocol === 'http:' ? 'HTTP_PROXY' : 'HTTPS_PROXY';
  const value = valueOf(env, variable);
  if (value === '' || isExempt(server, valueOf(env, 'NO_PROXY'))) return undefined;
  const url = URL.parse(value.includes('://') ? value : `http://${value}`);
  if (url === null) {
    throw new InvalidInput(`${variable} is not a URL`, {
      hint: 'Expected something like http://proxy.example.com:3128.',
    });
  }
  return url;
}

/** The lower case form counts first. */
function valueOf(env: Environment, name: string): string {
  return [env[name.toLowerCase()], env[name]].find((value) => value !== undefined && value !== '') ?? '';
}

function isExempt(server: URL, noProxy: string): boolean {
  const host = hostOf(server);
  const port = String(portOf(server));
  if (host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && covers(entry, host, port));
}

/** `*`, `10.0.0.0/8`, `10.1.2.3`, `example.com` (with its subdomains), `.example.com`, each with an optional port. */
function covers(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInRange(host, entry);
  const parsed = /^(?<name>\[[^\]]+\]|[^:]+)(?::(?<port>\d+))?$/.exec(entry)?.groups;
  // An address of IPv6 without brackets is one as a whole.
  if (parsed === undefined) return entry === host;
  if (parsed['port'] !== undefined && parsed['port'] !== port) return false;
  const name = (parsed['name'] ?? '').replace(/^\[(?<inner>.*)\]$/, '$<inner>').replace(/^\*\./, '.');
  if (isIP(name) !== 0) return name === host;
  return name.startsWith('.') ? host.endsWith(name) : host === name || host.endsWith(`.${name}`);
}

function isInRange(host: string, range: string): boolean {
  const [address = '', bits = ''] = range.split('/', 2);
  const version = isIP(host);
  if (version === 0 || isIP(address) !== version || !/^\d{1,3}$/.test(bits)) return false;
  const family = version === 4 ? 'ipv4' : 'ipv6';
  if (Number(bits) > (version === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family);
  return list.check(host, family);
}
