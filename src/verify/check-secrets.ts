import { isMaskable, looksSecret, namesSecret } from '../base/telling.ts';
import { passwordIn } from '../kubernetes/connect/kubeconfig-secrets.ts';

const headers = /(?<![\w-])(?<name>[\w-]{1,1000})["']?[ \t]?:[ \t]{0,10}["']?(?<value>[^\s"'{}][^"'\n{}]{0,10000})/g;
const parameters = /[?&](?<name>[^\s=&?#"']{1,200})=(?<value>[^\s&#"']{1,10000})/g;
const addresses = /\bhttps?:\/\/[^\s"']{1,10000}/gi;

/**
 * What must not show of the input `verify`, whether it can be read or not: headers and parameters that are called or look like
 * secrets (`Authorization`, `?token=`), and passwords in addresses.
 */
export function secretsOfChecks(text: string): string[] {
  const pairs = [...text.matchAll(headers), ...text.matchAll(parameters)].map(({ groups }) => ({
    name: groups?.['name'] ?? '',
    value: (groups?.['value'] ?? '').trim(),
  }));
  const secrets = pairs.filter(({ name, value }) => namesSecret(name) || looksSecret(value)).map(({ value }) => value);
  const passwords = [...text.matchAll(addresses)].flatMap(([address]) => passwordIn(address));
  // `Bearer TOKEN` is told apart: the scheme is no secret.
  const all = secrets.flatMap((value) => [value, value.replace(/^(?:Bearer|Basic|Token)\s+/i, '')]);
  return [...new Set([...all, ...passwords])].filter(isMaskable);
}
