import { EVENT_ID, SCALAR_STYLE, getScalarValue, type Event } from 'js-yaml';

import type { Path } from '../../base/json.ts';

/** Where a YAML value stands in its file, and where the values inside it do. */
export interface Position {
  /** Offset of its first character. */
  offset: number;
  children: Map<string | number, Position>;
}

/** One tree for each document of the stream; undefined for a document without content. */
export function positionsOf(events: readonly Event[], text: string): (Position | undefined)[] {
  return new PositionReader(events, text).documents();
}

/** The deepest known position along the path. */
export function positionAt(root: Position, path: Path): Position {
  let position = root;
  for (const step of path) {
    const next = position.children.get(step);
    if (next === undefined) break;
    position = next;
  }
  return position;
}

class PositionReader {
  readonly #events: readonly Event[];
  readonly #text: string;
  readonly #anchors = new Map<string, Position>();
  #index = 0;
  /** Of what was read last: a value that is left out has no place of its own. */
  #last = 0;

  constructor(events: readonly Event[], text: string) {
    this.#events = events;
    this.#text = text;
  }

  documents(): (Position | undefined)[] {
    const roots: (Position | undefined)[] = [];
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      if (event.type !== EVENT_ID.DOCUMENT) continue;
      let root: Position | undefined;
      for (let inner = this.#next(); inner !== undefined && inner.type !== EVENT_ID.POP; inner = this.#next()) {
        root = this.#value(inner);
      }
      roots.push(root);
    }
    return roots;
  }

  #next(): Event | undefined {
    const event = this.#events[this.#index];
    this.#index += 1;
    return event;
  }

  #value(event: Event): Position {
    const children = new Map<string | number, Position>();
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        if (event.valueStart < 0) return this.#anchored(event, { offset: this.#last, children });
        this.#last = event.valueStart;
        const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
        return this.#anchored(event, { offset: event.valueStart - (isQuoted ? 1 : 0), children });
      }
      case EVENT_ID.SEQUENCE: {
        this.#last = event.start;
        const position = this.#anchored(event, { offset: event.start, children });
        let index = 0;
        for (let item = this.#next(); item !== undefined && item.type !== EVENT_ID.POP; item = this.#next()) {
          children.set(index, this.#value(item));
          index += 1;
        }
        return position;
      }
      case EVENT_ID.MAPPING: {
        this.#last = event.start;
        const position = this.#anchored(event, { offset: event.start, children });
        const merged: Position[] = [];
        for (let key = this.#next(); key !== undefined && key.type !== EVENT_ID.POP; key = this.#next()) {
          const name = key.type === EVENT_ID.SCALAR ? getScalarValue(this.#text, key) : '';
          const keyPosition = this.#value(key);
          const value = this.#next();
          if (value === undefined) break;
          const inner = this.#value(value);
          // Point at the key: that is where the eye looks for a field. The inside keeps its own places.
          children.set(name, { offset: keyPosition.offset, children: inner.children });
          if (name === '<<') merged.push(inner, ...inner.children.values());
        }
        // What was merged in stands where the anchor is. Of a list of maps, each is merged; entries of a map do no harm.
        for (const { children: more } of merged) {
          for (const [name, inner] of more) if (!children.has(name)) children.set(name, inner);
        }
        return position;
      }
      case EVENT_ID.ALIAS:
        return (
          this.#anchors.get(this.#text.slice(event.anchorStart, event.anchorEnd)) ?? {
            offset: event.anchorStart,
            children,
          }
        );
      default:
        return { offset: 0, children };
    }
  }

  #anchored(event: { anchorStart: number; anchorEnd: number }, position: Position): Position {
    if (event.anchorStart >= 0) this.#anchors.set(this.#text.slice(event.anchorStart, event.anchorEnd), position);
    return position;
  }
}
