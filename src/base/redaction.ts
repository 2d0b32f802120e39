import { isObject } from './json.ts';
import { hideShapes } from './secret-shapes.ts';

/** What stands in the place of a secret; the runner writes the same. */
export const hidden = '***';

/** Values are found by their beginning. */
const headLength = 4;

/** Fewer characters before a `…` do not tell whose beginning they are. */
const leastBeginning = 6;

/** How far back from a `…` a value may begin. */
const longestBeginning = 4_000;

/**
 * What this run knows to be secret, and how to keep it out of what it writes: values of Secrets and of variables, credentials of
 * the cluster. The runner masks its log by itself, but neither summaries, outputs and state, nor anything on another machine.
 */
export class Redaction {
  /** By the first characters: the values that begin so, by their length. */
  readonly #heads = new Map<string, Map<number, Set<string>>>();

  /** From now on the text is hidden: as it is, in base64, and as it stands in JSON and in URLs. */
  add(secret: string): void {
    for (const form of formsOf(secret)) {
      if (form.length < headLength) continue;
      const head = form.slice(0, headLength);
      const lengths = this.#heads.get(head) ?? new Map<number, Set<string>>();
      this.#heads.set(head, lengths);
      const values = lengths.get(form.length);
      if (values === undefined) lengths.set(form.length, new Set([form]));
      else values.add(form);
    }
  }

  /** The text without what is secret; in one pass, however many values there are. */
  redact(text: string): string {
    return hideShapes(this.#heads.size === 0 ? text : this.#withoutValues(this.#withoutBeginnings(text)));
  }

  /** The same of every text in a value, such as a report. */
  deep<T>(value: T): T {
    return this.#deep(value) as T;
  }

  #deep(value: unknown): unknown {
    if (typeof value === 'string') return this.redact(value);
    if (Array.isArray(value)) return value.map((item) => this.#deep(item));
    if (!isObject(value) || !isPlainObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#deep(inner)]));
  }

  #withoutValues(text: string): string {
    const parts: string[] = [];
    let from = 0;
    for (let at = 0; at + headLength <= text.length;) {
      const length = this.#lengthAt(text, at);
      if (length === 0) {
        at += 1;
        continue;
      }
      parts.push(text.slice(from, at), hidden);
      at += length;
      from = at;
    }
    return parts.length === 0 ? text : parts.join('') + text.slice(from);
  }

  /** Of the longest value that stands there; 0 for none. */
  #lengthAt(text: string, at: number): number {
    const lengths = this.#heads.get(text.slice(at, at + headLength));
    let longest = 0;
    for (const [length, values] of lengths ?? []) {
      if (length > longest && values.has(text.slice(at, at + length))) longest = length;
    }
    return longest;
  }

  /** A text that was cut (`…`) may end within a value. */
  #withoutBeginnings(text: string): string {
    if (!text.includes('…')) return text;
    const pieces = text.split('…');
    return pieces.map((piece, index) => (index === pieces.length - 1 ? piece : this.#withoutEnd(piece))).join('…');
  }

  #withoutEnd(piece: string): string {
    const last = piece.length - leastBeginning;
    for (let at = Math.max(0, piece.length - longestBeginning); at <= last; at += 1) {
      const lengths = this.#heads.get(piece.slice(at, at + headLength));
      const rest = piece.slice(at);
      for (const [length, values] of lengths ?? []) {
        if (length <= rest.length) continue;
        for (const value of values) if (value.startsWith(rest)) return `${piece.slice(0, at)}${hidden}`;
      }
    }
    return piece;
  }
}

/** The ways in which a text may stand in another one. */
function formsOf(secret: string): Set<string> {
  const padded = Buffer.from(secret).toString('base64');
  const base64 = padded.replaceAll('=', '');
  return new Set([
    secret,
    JSON.stringify(secret).slice(1, -1),
    inUrl(secret),
    padded,
    base64,
    base64.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

function inUrl(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    // Half of a surrogate pair.
    return text;
  }
}

function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
