import { at, type Json } from './json.ts';

/** The way to one value of a JSON document: `.items[0].name`. */
export type JsonPath = readonly (string | number)[];

/** One step: `.name`, `["any text"]` or `[0]`. */
const step = /\.(?<name>[\w-]+)|\["(?<quoted>[^"\]]+)"\]|\[(?<index>\d+)\]/y;

/** Undefined when the text is no path; `.` is the whole document. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text === '.') return [];
  const found = readJsonPath(text);
  return found?.rest === '' ? found.path : undefined;
}

/** The path that a text begins with, and what follows it; undefined when it begins with none. */
export function readJsonPath(text: string): { path: JsonPath; rest: string } | undefined {
  const path: (string | number)[] = [];
  let end = 0;
  while (end < text.length) {
    step.lastIndex = end;
    const groups = step.exec(text)?.groups;
    if (groups === undefined) break;
    const { name, quoted, index } = groups;
    path.push(index === undefined ? (name ?? quoted ?? '') : Number(index));
    end = step.lastIndex;
  }
  return path.length === 0 ? undefined : { path, rest: text.slice(end) };
}

export function formatJsonPath(path: JsonPath): string {
  if (path.length === 0) return '.';
  return path
    .map((part) => {
      if (typeof part === 'number') return `[${part}]`;
      return /^[\w-]+$/.test(part) ? `.${part}` : `["${part}"]`;
    })
    .join('');
}

/** The value at the path as text: scalars as they are written in JSON, without the quotes of a string. */
export function textAt(document: Json | undefined, path: JsonPath): string | undefined {
  const value = at(document, ...path);
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
