import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

import { InvalidInput } from '../base/errors.ts';

/**
 * Servers that tell a machine about itself, its credentials included, at addresses that only it can reach: a check never asks them.
 * Link-local addresses belong to no application either.
 */
const blocked = new BlockList();
blocked.addSubnet('169.254.0.0', 16, 'ipv4');
blocked.addSubnet('fe80::', 10, 'ipv6');
// Alibaba Cloud, Azure (wire server), Oracle Cloud; AWS and Google over IPv6.
for (const address of ['100.100.100.200', '168.63.129.16', '192.0.0.192']) blocked.addAddress(address, 'ipv4');
for (const address of ['fd00:ec2::254', 'fd20:ce::254']) blocked.addAddress(address, 'ipv6');

const names = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** IPv6 addresses that stand for one of IPv4: mapped, compatible, translated (NAT64) and 6to4, as `URL` writes them. */
const inIpv6 =
  /^(?:::ffff:(?:0:)?|::|64:ff9b::)(?<high>[0-9a-f]{1,4}):(?<low>[0-9a-f]{1,4})$|^2002:(?<first>[0-9a-f]{1,4}):(?<second>[0-9a-f]{1,4}):/;

/** @param host as `URL` gives it: numbers of any form are dotted there already, IPv6 stands in brackets */
export function isMetadataHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return names.has(name) || isMetadataAddress(name.replace(/^\[(?<inner>.*)\]$/, '$<inner>'));
}

function isMetadataAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return blocked.check(address, 'ipv4');
  if (version !== 6) return false;
  const [withoutZone = ''] = address.split('%', 1);
  const plain = new URL(`http://[${withoutZone}]`).hostname.slice(1, -1);
  const { high, low, first, second } = inIpv6.exec(plain)?.groups ?? {};
  const [upper, lower] = [parseInt(high ?? first ?? '', 16), parseInt(low ?? second ?? '', 16)];
  const inside = Number.isNaN(upper) ? undefined : [upper >> 8, upper & 255, lower >> 8, lower & 255].join('.');
  return blocked.check(plain, 'ipv6') || (inside !== undefined && blocked.check(inside, 'ipv4'));
}

/** Names that a check has, by what they resolve to now; a name that does not resolve may do so later. */
export async function leadsToMetadata(host: string): Promise<boolean> {
  if (isMetadataHost(host)) return true;
  const addresses = await new Promise<LookupAddress[]>((done) => {
    resolve(host, { all: true }, (error, found) => {
      done(error === null ? found : []);
    });
  });
  return addresses.some(({ address }) => isMetadataAddress(address));
}

export function metadataRefusal(host: string): InvalidInput {
  return new InvalidInput(`a check would call "${host}", which is a metadata server or a link-local address`, {
    hint: 'Such servers hand out the credentials of the machine: use the own address of the application.',
  });
}

/** For connections: a name may resolve to something else by the time it is asked. */
export const lookupOfOthers: LookupFunction = (host, options, callback) => {
  resolve(host, { ...options, all: true }, (error, addresses) => {
    if (error !== null) {
      callback(error, '', 4);
      return;
    }
    const [first] = addresses;
    if (addresses.some(({ address }) => isMetadataAddress(address))) callback(metadataRefusal(host), '', 4);
    else if (options.all === true) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};
