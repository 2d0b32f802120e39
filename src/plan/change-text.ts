import { isObject, stringAt, stringsAt, type Json, type JsonObject } from '../base/json.ts';
import { isSecretPlace, withoutSecrets } from '../base/without-secrets.ts';
import { maxValue, nameOfField, onOneLine, safeText } from '../apply/field-words.ts';
import type { FieldDiff } from '../report/field-diff.ts';
import { binaryTexts, configTexts, type Shown } from './config-text.ts';
import { flowText } from './flow-text.ts';
import type { Change } from './object-changes.ts';

/** A change in words. @param kind of the object: nothing of a Secret is shown */
export function textOfChange(kind: string, change: Change): FieldDiff {
  const { path, before, after, what } = change;
  const name = nameOfField(path);
  const shown = kind === 'Secret' ? 'hidden' : shownOf(kind, change);
  const { before: one, after: other } = shown === 'hidden' ? {} : shown;
  return {
    field: what === 'order' ? `order of ${name}` : name,
    change: before === undefined ? 'added' : after === undefined ? 'removed' : 'changed',
    ...(one === undefined ? {} : { before: one }),
    ...(other === undefined ? {} : { after: other }),
  };
}

function shownOf(kind: string, change: Change): Shown {
  const { path, before, after, what } = change;
  if (what === 'order') return cutApart(namesOf(before), namesOf(after));
  if (kind === 'ConfigMap' && path.length === 2 && isText(before) && isText(after))
    return configShown(path, before, after);
  const [one, other] = [textOf(kind, path, before), textOf(kind, path, after)];
  const isHidden = (text: string | undefined, value: Json | undefined) => value !== undefined && text === undefined;
  if (isHidden(one, before) || isHidden(other, after)) return 'hidden';
  if (one === undefined || one !== other) return cutApart(one, other);
  // The same words: `8080` and `"8080"`, blanks, or what was left out of both.
  if (typeof before === 'object' || typeof after === 'object') return 'hidden';
  return cutApart(JSON.stringify(before), JSON.stringify(after));
}

function isText(value: Json | undefined): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function configShown(path: readonly string[], before: string | undefined, after: string | undefined): Shown {
  if (isSecretPlace(path)) return 'hidden';
  const texts = path[0] === 'binaryData' ? binaryTexts(before, after) : configTexts(before, after);
  return texts === 'hidden' ? 'hidden' : cutApart(texts.before, texts.after);
}

function namesOf(names: Json | undefined): string {
  return Array.isArray(names) ? names.map((name) => (typeof name === 'string' ? name : '')).join(', ') : '';
}

/** The value on one line; undefined for none and for what is not to be shown. */
function textOf(kind: string, path: readonly string[], value: Json | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'boolean') return String(value);
  if (path.at(-1) === 'image' && typeof value === 'string' && !isSecretPlace(path)) return onOneLine(value);
  if (!isObject(value) && !Array.isArray(value)) return safeText(kind, path, value);
  if (isObject(value) && path.at(-2) === 'env') return textOfVariable(kind, path, value);
  const image = containerLists.has(path.at(-2) ?? '') ? stringAt(value, 'image') : undefined;
  if (image !== undefined) return onOneLine(image);
  return isSecretPlace(path) ? undefined : onOneLine(flowText(withoutSecrets(value, path.at(-1))));
}

const containerLists = new Set(['containers', 'initContainers']);

/** `debug`; `key "url" of Secret "db"`, which says no secret. */
function textOfVariable(kind: string, path: readonly string[], variable: JsonObject): string | undefined {
  const source = variable['valueFrom'];
  if (!isObject(source)) return safeText(kind, path, variable['value'] ?? '');
  for (const [field, named] of [
    ['secretKeyRef', 'Secret'],
    ['configMapKeyRef', 'ConfigMap'],
  ] as const) {
    const { name, key } = stringsAt(source, field);
    if (name !== undefined && key !== undefined) return `key "${key}" of ${named} "${name}"`;
  }
  return stringAt(source, 'fieldRef', 'fieldPath') ?? onOneLine(flowText(source));
}

/** Two texts cut so that it is seen where they differ. */
function cutApart(before: string | undefined, after: string | undefined): Shown {
  const isLong = [before, after].some((text) => text !== undefined && text.length > maxValue);
  if (!isLong) return { before, after };
  if (before === undefined || after === undefined) return { before: cut(before, 0), after: cut(after, 0) };
  let same = 0;
  while (same < before.length && before[same] === after[same]) same += 1;
  const start = same < maxValue - context ? 0 : same - context;
  return { before: cut(before, start), after: cut(after, start) };
}

/** Characters that stay before the first that differs. */
const context = 30;

function cut(text: string | undefined, start: number): string | undefined {
  if (text === undefined || (start === 0 && text.length <= maxValue)) return text;
  const head = start === 0 ? '' : '…';
  const room = maxValue - head.length;
  const rest = text.slice(start);
  const part = rest.length <= room ? rest : `${rest.slice(0, room - 1)}…`;
  // Half of a pair of surrogates is no character.
  return `${head}${part}`.toWellFormed().replaceAll('\uFFFD', '');
}

/** Whether a value fits on a line. */
export function isShort(value: Json): boolean {
  return flowText(value).length <= maxValue;
}
