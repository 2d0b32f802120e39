import { isObject, type Json } from '../base/json.ts';

/** A value on one line, as YAML would have it: `{httpGet: {path: /healthz, port: http}, periodSeconds: 5}`. */
export function flowText(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (isObject(value)) {
    const entries = Object.entries(value).flatMap(([key, inner]) =>
      inner === undefined ? [] : [`${scalar(key)}: ${flowText(inner)}`],
    );
    return `{${entries.join(', ')}}`;
  }
  return typeof value === 'string' ? scalar(value) : String(value);
}

/** Quoted where it would be read as something else. */
function scalar(text: string): string {
  const isWord = /^[\w./*@%+=~<>()$-](?:[^,[\]{}"'#\s]| (?=[^\s#]))*$/.test(text) && !/: |:$/.test(text);
  return isWord && !/^(?:true|false|null|[\d.]+)$/.test(text) ? text : JSON.stringify(text);
}
