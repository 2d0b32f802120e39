import { createHash } from 'node:crypto';

import { InvalidInput } from '../base/errors.ts';
import type { PreviewIdentity } from './identity.ts';

/** RFC 1123: a namespace, and each label of a host. */
const maxLabel = 63;
/** RFC 1035, written with dots. */
const maxHost = 253;

const hashLength = 6;

/** Under which task deployment records tell the previews of a pull request apart, which share one environment. */
export function previewTask({ number, release }: Pick<PreviewIdentity, 'number' | 'release'>): string {
  return `preview:pr-${number}:${release}`;
}

export const defaultNamespace = '{release}-pr-{number}';

/**
 * The namespace of a preview. The number is always whole in it: names made of branches are too long, and meet once they are
 * cut (gitpod-io/gitpod#8403, bitgenics/linc#31).
 * @param template with `{number}` and, if it likes, `{release}`
 * @throws InvalidInput for a template that gives no name, or the same for several pull requests
 */
export function previewNamespace(identity: PreviewIdentity, template = defaultNamespace): string {
  const input = 'preview-namespace';
  checkTemplate(input, template, ['number', 'release']);
  const name = fillLabel(input, template, valuesOf(identity, ''));
  assertLabel(input, template, name);
  return name;
}

/**
 * The host of a preview in the place of each host of the manifests.
 * @param template with `{number}` and, if it likes, `{release}` and `{host-label}`: the first label of the host that it replaces
 * @param hosts as the manifests have them; an empty one stands for a route that names none, which gets the only other one's
 * @throws InvalidInput for a template that gives no host, or the same for several pull requests or several of the hosts
 */
export function previewHosts(
  identity: PreviewIdentity,
  template: string,
  hosts: readonly string[],
): Map<string, string> {
  checkTemplate('preview-host', template, ['number', 'release', 'host-label']);
  const named = [...new Set(hosts)].filter((host) => host !== '');
  const first = new Map<string, string>();
  const result = new Map<string, string>();
  for (const host of named) {
    const made = previewHost(identity, template, host);
    const other = first.get(made);
    if (other !== undefined) throw meeting(template, made, other, host);
    first.set(made, host);
    result.set(host, made);
  }
  if (hosts.includes('')) result.set('', previewHost(identity, template, (named.length === 1 ? named[0] : '') ?? ''));
  return result;
}

function meeting(template: string, made: string, left: string, right: string): InvalidInput {
  return new InvalidInput(
    `the input "preview-host" turns both "${left}" and "${right}" of the manifests into "${made}"`,
    {
      hint: template.includes('{host-label}')
        ? 'Give the hosts of the manifests different first labels, or leave all but one of them out of previews.'
        : 'Put {host-label} into it, such as pr-{number}-{host-label}.preview.example.com.',
    },
  );
}

function previewHost(identity: PreviewIdentity, template: string, host: string): string {
  const input = 'preview-host';
  const label = host.split('.').find((part) => part !== '' && part !== '*') ?? identity.release;
  const values = valuesOf(identity, label.toLowerCase());
  const labels = template.split('.').map((part) => fillLabel(input, part, values));
  const made = labels.join('.');
  for (const one of labels) assertLabel(input, template, one);
  if (made.length > maxHost) {
    throw new InvalidInput(`the input "${input}" is "${template}", which makes a host of ${made.length} characters`, {
      hint: `Make it shorter: a host has ${maxHost} at most.`,
    });
  }
  return made;
}

interface Value {
  text: string;
  /** Of what is cut, so that two that begin alike stay apart; absent: it is never cut. */
  hashOf?: string;
}

/** In the order in which they are cut. */
function valuesOf({ number, release, repositoryId }: PreviewIdentity, hostLabel: string): Map<string, Value> {
  return new Map<string, Value>([
    ['release', { text: release, hashOf: `${repositoryId}/${release}` }],
    ['host-label', { text: hostLabel, hashOf: `${repositoryId}/${hostLabel}` }],
    ['number', { text: String(number) }],
  ]);
}

const placeholder = /\{([^{}]*)\}/g;

function checkTemplate(input: string, template: string, known: readonly string[]): void {
  const wrong = (why: string, hint: string) =>
    new InvalidInput(`the input "${input}" is "${template}", ${why}`, { hint });
  const used = [...template.matchAll(placeholder)].map(([, name = '']) => name);
  const unknown = used.find((name) => !known.includes(name));
  const list = known.map((name) => `{${name}}`).join(', ');
  if (unknown !== undefined) throw wrong(`which has {${unknown}}`, `Use ${list}.`);
  if (!used.includes('number')) {
    throw wrong('which is the same for every pull request', 'Put {number} into it.');
  }
}

/** Fills one label, and cuts what may be cut until it fits. */
function fillLabel(input: string, template: string, values: ReadonlyMap<string, Value>): string {
  const texts = new Map([...values].map(([name, { text }]) => [name, text]));
  const fill = () => template.replaceAll(placeholder, (_, name: string) => texts.get(name) ?? '');
  for (const [name, { text, hashOf }] of values) {
    const uses = template.split(`{${name}}`).length - 1;
    const over = fill().length - maxLabel;
    if (over <= 0 || uses === 0 || hashOf === undefined) continue;
    const cut = shortened(text, text.length - Math.ceil(over / uses), hashOf);
    // A short one would grow by its hash.
    if (cut.length < text.length) texts.set(name, cut);
  }
  const made = fill();
  if (made.length <= maxLabel) return made;
  throw new InvalidInput(
    `the input "${input}" has "${template}", which does not fit into ${maxLabel} characters however it is shortened`,
    { hint: 'Shorten the text around the placeholders.' },
  );
}

/** @param limit characters; one that is too small gives the shortest there is, a letter and the hash */
function shortened(text: string, limit: number, hashOf: string): string {
  const hash = createHash('sha256').update(hashOf).digest('hex').slice(0, hashLength);
  const head = text.slice(0, Math.max(1, limit - hashLength - 1)).replace(/(?<!-)-+$/, '');
  return `${head}-${hash}`;
}

function assertLabel(input: string, template: string, label: string): void {
  if (/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label)) return;
  const what = input === 'preview-host' ? 'part of a host' : 'namespace';
  throw new InvalidInput(
    `the input "${input}" is "${template}", which makes "${label}", and that is not a valid ${what}`,
    {
      hint: 'Use lower-case letters, digits and hyphens, with a letter or digit at both ends.',
    },
  );
}
