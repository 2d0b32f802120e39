import { hidden, Redaction } from '../base/redaction.ts';

/**
 * What the API server says, without the values that it quotes. Its messages print what an object has at the field that they are about:
 * as Go (`core.PodTemplateSpec{…}`), as JSON, or as it is (`Invalid value: "…"`); with a template come all variables, with a Secret its
 * data. The field and the reason say what is to be known. Every scan here is linear, for such messages may be megabytes.
 */

const cutMark = '…';

/** A value that is longer says nothing that the field and the reason do not say. */
const longestValue = 120;

/** What stands before a value: k8s.io/apimachinery pkg/util/validation/field/errors.go. */
const label = /(?:Invalid|Unsupported|Duplicate) value: |Not found: /g;

/** Fields whose values are nobody's business; the name of a variable is what tells which one is meant. */
const secretField = /(?:^|[.[\]])(?:data|stringData|binaryData|env|annotations)(?:$|[.[\]])(?!.*\]\.name$)/;

interface Hiding {
  /** Texts that the message must not repeat, such as the values of the object that was sent. */
  values: readonly string[];
  /** The field that the message is about, where it is known. */
  field?: string;
  /** Whether all values of the object are secret. */
  isSecret: boolean;
}

/** A message without values: dumps become `{…}`, values of secret fields and known ones `***`. */
export function serverWords(message: string, { values, field = '', isSecret }: Hiding): string {
  const plain = withoutDumps(withoutQuotes(message));
  const isHidden = (name: string) => isSecret || secretField.test(name);
  return withoutKnown(withoutLabelled(plain, field, isHidden), values);
}

/** What decoders and the schema say of a value of a different type, with the value. */
function withoutQuotes(message: string): string {
  return (
    message
      // json-iterator shows what stands around the mistake.
      .replace(/(error found in #\d+ byte of )\.\.\.\|.*$/s, `$1${cutMark}`)
      .replaceAll(/cannot unmarshal (number|string|bool) \S+ into/g, 'cannot unmarshal $1 into')
      .replaceAll(
        /(: expected [\w (),]{1,80}, got )(?!(?:string|number|numeric|boolean|bool|map|list|array|object|null|integer|int|float)\b)[^\n]*/g,
        '$1a value of a different type',
      )
      .replaceAll(/(\bname=")([^"=\s]{1,253})=[^"]*"/g, `$1$2=${cutMark}"`)
      .replaceAll(/(\bparsing )"(?:[^"\\]|\\.)*"/g, `$1"${cutMark}"`)
  );
}

/** Go and JSON in braces, and Go's maps, wherever they stand. */
export function withoutDumps(message: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < message.length; at += 1) {
    const opens = dumpAt(message, at);
    if (opens === undefined) continue;
    const end = endOfBalanced(message, opens);
    parts.push(message.slice(from, opens), `${message[opens] ?? ''}${cutMark}${message[opens] === '{' ? '}' : ']'}`);
    from = end;
    at = end - 1;
  }
  return parts.length === 0 ? message : parts.join('') + message.slice(from);
}

/** Whether this ends with a type of Go, such as `core.PodSpec`, `[]v1.Volume` or `&`. */
function endsWithGoType(text: string): boolean {
  if (/[&*]$/.test(text) || text.endsWith('interface {}')) return true;
  let start = text.length;
  while (start > 0 && /[\w.*]/.test(text[start - 1] ?? '')) start -= 1;
  const word = text.slice(start);
  if (text[start - 1] === ']' && word !== '') return true;
  const [name = '', of = ''] = word
    .slice(word.lastIndexOf('*') + 1)
    .split('.')
    .reverse();
  return /^[A-Z]/.test(name) && /[a-z]/.test(of);
}

/** Where the bracket stands that opens a dump at `at`; undefined for none. */
function dumpAt(message: string, at: number): number | undefined {
  const char = message[at];
  if (char === 'm' && message.startsWith('map[', at)) {
    // `map[string]string{…}` is a type, which its brace tells of.
    return /^map\[[a-z]\w*\][\w.*]*(?:\{|interface)/.test(message.slice(at, at + 80)) ? undefined : at + 3;
  }
  if (char !== '{') return undefined;
  if (message[at + 1] === '}') return undefined;
  if (message[at + 1] === '"') return at;
  return /[\w*&}]/.test(message[at - 1] ?? '') && endsWithGoType(message.slice(Math.max(0, at - 80), at))
    ? at
    : undefined;
}

/** The place behind the bracket that closes the one at `start`; the end of the text where none does. */
function endOfBalanced(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at += 1) {
    const char = text[at];
    if (char === '"') at = endOfQuoted(text, at) - 1;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') {
      depth -= 1;
      if (depth === 0) return at + 1;
    }
  }
  return text.length;
}

/** The place behind the quote that ends a text; the end where none does. */
function endOfQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function withoutLabelled(message: string, field: string, isHidden: (field: string) => boolean): string {
  const parts: string[] = [];
  let from = 0;
  for (const { index, 0: found } of message.matchAll(label)) {
    // A value may have such words in it.
    if (index < from) continue;
    const start = index + found.length;
    const end = endOfValue(message, start);
    parts.push(message.slice(from, start));
    parts.push(isHidden(fieldBefore(message, index) ?? field) ? hidden : shortened(message.slice(start, end)));
    from = end;
  }
  return parts.length === 0 ? message : parts.join('') + message.slice(from);
}

function shortened(value: string): string {
  if (/^(?:\{|\[|map\[)/.test(value)) return value.length > 2 ? `{${cutMark}}` : value;
  return value.length <= longestValue ? value : `${value.slice(0, longestValue)}${cutMark}`;
}

/** `spec.template` of `spec.template: Invalid value: …`. */
function fieldBefore(message: string, at: number): string | undefined {
  const before = message.slice(Math.max(0, at - 600), at);
  if (!before.endsWith(': ')) return undefined;
  const field = before.slice(0, -2).split(/[\s:]/).at(-1);
  return field === '' ? undefined : field;
}

/** A value ends with its bracket or quote; any other with the colon before the reason, or with the message. */
function endOfValue(message: string, start: number): number {
  const char = message[start];
  if (char === '"') return endOfQuoted(message, start);
  if (char === '{' || char === '[') return endOfBalanced(message, start);
  const colon = message.indexOf(': ', start);
  return colon === -1 ? message.length : colon;
}

function withoutKnown(message: string, values: readonly string[]): string {
  if (values.length === 0) return message;
  const known = new Redaction();
  for (const value of values) known.add(value);
  return known.redact(message);
}
