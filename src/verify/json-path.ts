import { at, type Json } from '../base/json.ts';

/** The way to one value of a JSON document: `.items[0].name`. */
export type JsonPath = readonly (string | number)[];

/** One step: `.name`, `["any text"]` or `[0]`. */
const step = /\.(?<name>[\w-]+)|\["(?<quoted>[^"\]]+)"\]|\[(?<index>\d+)\]/y;

/** Undefined when the text is no path; `.` is the whole document. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text === '.') return [];
  const path: (string | number)[] = [];
  step.lastIndex = 0;
  while (step.lastIndex < text.length) {
    const groups = step.exec(text)?.groups;
    if (groups === undefined) return undefined;
    const { name, quoted, index } = groups;
    path.push(index === undefined ? (name ?? quoted ?? '') : Number(index));
  }
  return path.length === 0 ? undefined : path;
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
