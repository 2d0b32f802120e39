import { FAILSAFE_SCHEMA, YAMLException, constructFromEvents, parseEvents } from 'js-yaml';

import { InvalidInput, messageOf } from '../base/errors.ts';
import { isObject, type Json } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { shownUrl } from '../base/shown-url.ts';
import { lineIndex } from '../manifests/read/line-index.ts';
import { positionAt, positionsOf, type Position } from '../manifests/read/positions.ts';
import { Budget, unshare } from '../manifests/read/unshare.ts';
import { withoutQuoted } from '../manifests/read/yaml-reason.ts';

/** One check as it stands in the input, not yet understood: every value is the text that was written. */
export interface Entry {
  line: number;
  fields: ReadonlyMap<string, Field>;
}

export interface Field {
  line: number;
  value: string | ReadonlyMap<string, string>;
}

/** Takes the input apart. @throws InvalidInput */
export function readEntries(text: string): Entry[] {
  const lines = text.split('\n').map((line, index) => ({ text: line.trim(), line: index + 1 }));
  const meant = lines.filter(({ text: line }) => line !== '' && !line.startsWith('#'));
  if (/^-(\s|$)/.test(meant[0]?.text ?? '')) return readYaml(text);
  return meant.map(({ text: line, line: number }) => readShortForm(line, number));
}

/** @param message about the input, as a clause without a subject */
export function wrong(line: number, message: string, hint: string): InvalidInput {
  return new InvalidInput(`line ${line} of the input "verify": ${message}`, { hint });
}

const shortForm =
  /^(?<target>\S+)(?:\s+(?<status>[1-5](?:\d\d|xx)(?:,[1-5](?:\d\d|xx))*))?(?:\s+json\s+(?<path>(?:[^\s=]|=(?!=))+)\s*==\s*(?<value>\S.*)|\s+contains\s+(?<contains>\S.*))?$/s;

/** `TARGET [STATUS] [json PATH == VALUE | contains TEXT]` */
function readShortForm(text: string, line: number): Entry {
  const groups = shortForm.exec(text)?.groups;
  if (groups === undefined) {
    throw wrong(
      line,
      `"${shown(text)}" is not a check`,
      'Write TARGET [STATUS] [json PATH == VALUE | contains TEXT], such as "/healthz 200", or a YAML list of mappings.',
    );
  }
  const fields = new Map<string, Field>();
  const set = (name: string, value: string | ReadonlyMap<string, string> | undefined) => {
    if (value !== undefined) fields.set(name, { line, value });
  };
  const { target = '', status, path, value, contains } = groups;
  const service = /^service\/(?<name>[^/:]*)(?::(?<port>[^/]*))?(?<path>\/\S*)$/.exec(target)?.groups;
  set('name', shown(text));
  if (service !== undefined) {
    set('service', service['name']);
    set('port', service['port']);
    set('path', service['path']);
  } else if (target.startsWith('/')) {
    set('path', target);
  } else if (/^https?:\/\//i.test(target)) {
    set('url', target);
  } else {
    throw wrong(
      line,
      `"${shown(target)}" is not something to request`,
      'Start with a path ("/healthz"), a URL ("https://…") or a Service ("service/NAME:PORT/path").',
    );
  }
  set('status', status);
  set('body', contains);
  if (path !== undefined) set('json', new Map([[path, unquoted(value ?? '')]]));
  return { line, fields };
}

/** A short form without what its address may hold of secrets. */
function shown(text: string): string {
  return text.replace(/^\S+/, shownUrl);
}

/** Quotes around a whole value are those of somebody who is used to them. */
function unquoted(text: string): string {
  return /^"(?<inner>[^"]*)"$/.exec(text)?.groups?.['inner'] ?? text;
}

function readYaml(text: string): Entry[] {
  const { value, root } = parseYaml(text);
  const placeOf = lineIndex(text);
  const lineOf = (...path: (string | number)[]) =>
    root === undefined ? 1 : placeOf(positionAt(root, path).offset).line;
  if (!Array.isArray(value)) throw wrong(1, 'it is not a list', 'Start each check with "- ".');
  return value.map((item, index) => {
    const line = lineOf(index);
    if (typeof item === 'string') return readShortForm(item.trim(), line);
    if (!isObject(item))
      throw wrong(line, 'it is not a check', 'Write a mapping with "path" or "url", or the short form.');
    const fields = Object.entries(item).map(([name, content]): [string, Field] => {
      const at = lineOf(index, name);
      return [name, { line: at, value: fieldValue(content, name, at) }];
    });
    return { line, fields: new Map(fields) };
  });
}

function fieldValue(content: Json | undefined, name: string, line: number): Field['value'] {
  if (typeof content === 'string') return content.trim();
  if (isObject(content)) {
    const entries = Object.entries(content).map(([key, value]): [string, string] => {
      if (typeof value !== 'string')
        throw wrong(line, `"${key}" of "${name}" must be a string`, 'Write one value for it.');
      return [key, value.trim()];
    });
    return new Map(entries);
  }
  throw wrong(line, `"${name}" must not be a list`, 'Write one value for it.');
}

/** All scalars stay texts: `1.10` is no number here. */
function parseYaml(text: string): { value: Json; root: Position | undefined } {
  try {
    return yamlOf(text);
  } catch (error) {
    const quoted = quotePathsInFlow(text);
    if (quoted !== text) {
      try {
        return yamlOf(quoted);
      } catch {
        // What is wrong with the text as it was written is of more use.
      }
    }
    const line = error instanceof YAMLException ? (error.mark?.line ?? 0) + 1 : 1;
    const reason = withoutQuoted(error instanceof YAMLException ? error.reason : messageOf(error));
    throw wrong(line, `it is not valid YAML: ${reason}`, 'Fix it there; put quotes around values with ": " in them.');
  }
}

function yamlOf(text: string): { value: Json; root: Position | undefined } {
  const filename = 'verify';
  const events = parseEvents(text, { filename });
  const documents = constructFromEvents(events, { source: text, filename, schema: FAILSAFE_SCHEMA }) as Json[];
  if (documents.length > 1) throw new Error('it has several documents ("---")');
  return {
    value: unshare(documents[0] ?? null, new Budget(limits.expandedVerify)),
    root: positionsOf(events, text)[0],
  };
}

/** Between braces, YAML takes a `[` for a list: `json: { .items[0].id: 7 }` is meant as `json: { '.items[0].id': 7 }`. */
const jsonInFlow = /(?<=(?:^|[\s{,-])json:\s{0,9}\{)(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^{}"'])*(?=\})/g;
const quotedOrPath =
  /"(?:[^"\\]|\\(?:[^]|$))*(?:"|$)|'[^']*'|(?<before>(?:^|,)\s*)(?<path>(?:\.[\w-]+|\[\d+\]|\["[^"\]]+"\])+)(?=\s*:(?:\s|$))/g;

/** Quotes the paths that are keys of a `json` between braces; the lines stay where they are. */
function quotePathsInFlow(text: string): string {
  return text.replaceAll(jsonInFlow, (inner) =>
    inner.replaceAll(quotedOrPath, (found, before: string | undefined, path: string | undefined) =>
      before === undefined || path === undefined ? found : `${before}'${path.replaceAll("'", "''")}'`,
    ),
  );
}
