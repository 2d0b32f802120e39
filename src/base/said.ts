import { stringAt, type Json, type Path } from './json.ts';
import { limits } from './limits.ts';

/** A sentence from outside as this action reads it: without what is beyond the longest one that means anything. */
export function shortened(text: string): string {
  return text.slice(0, limits.message.value);
}

/** The sentence at `path` of an answer: a message of an error, an event, a condition. */
export function saidAt(root: Json | undefined, ...path: Path): string | undefined {
  const text = stringAt(root, ...path);
  return text === undefined ? undefined : shortened(text);
}
