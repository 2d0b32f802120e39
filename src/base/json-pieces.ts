import { isObject } from './json.ts';

/** Characters of a piece: enough that pieces are few, and little enough that making one takes about a millisecond. */
const pieceLength = 64 * 1024;

/**
 * The text that `JSON.stringify` makes of a value, in pieces. The entries of its lists, at any depth below maps, are made one by one, so
 * that a list of thousands is never one long text, and whoever takes the pieces can do something else in between.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  let piece = '';
  for (const part of partsOf(value)) {
    piece += part;
    if (piece.length < pieceLength) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* partsOf(value: unknown): Generator<string> {
  if (Array.isArray(value)) {
    yield '[';
    for (const [index, item] of value.entries()) yield `${index === 0 ? '' : ','}${textOf(item) ?? 'null'}`;
    yield ']';
  } else if (isObject(value)) {
    let separator = '{';
    for (const [key, item] of Object.entries(value)) {
      const isParted = Array.isArray(item) || isObject(item);
      const text = isParted ? '' : textOf(item);
      // As the server reads it: a field that is undefined is none.
      if (text === undefined) continue;
      yield `${separator}${JSON.stringify(key)}:${text}`;
      if (isParted) yield* partsOf(item);
      separator = ',';
    }
    yield separator === '{' ? '{}' : '}';
  } else yield textOf(value) ?? 'null';
}

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value);
}
