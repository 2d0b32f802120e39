/** The text of the sticky comment: what must be read, what helps, and the hidden line by which it is found again. */
import { isObject, type Json } from '../base/json.ts';
import { integer, line, listOf, Misshapen, recordOf } from '../base/shape.ts';

/** GitHub refuses more than 65,536 characters ("Body is too long", vebr/jest-lcov-reporter#14). */
const mostCharacters = 60_000;

/** What a comment says, as Markdown. */
export interface CommentText {
  /** The heading, the state, the address: stays whatever else is cut. */
  head: string;
  /** Blocks that explain it, the most important first; each is shown whole or not at all. */
  evidence: readonly string[];
  /** The last lines: stay as well. */
  foot?: string;
}

/** Which comment it is, and how new what it says. */
export interface Marker {
  /** Of this line. */
  v: 1;
  release: string;
  /** The id of the repository. */
  repository: number;
  /** Of the pull request: one that was moved is another. */
  number: number;
  /** What was written later compares as greater: number by number, from the first. */
  sequence: readonly number[];
}

const opening = '<!-- gke-rollout ';
const closing = ' -->';

const readMarkerShape = recordOf<Omit<Marker, 'v'>>({
  release: line(300),
  repository: integer(1, Number.MAX_SAFE_INTEGER),
  number: integer(1, Number.MAX_SAFE_INTEGER),
  sequence: listOf(integer(0, Number.MAX_SAFE_INTEGER), 10),
});

/** The whole body. It is cut here and nowhere else, before a comment is made as well as before it is edited. */
export function commentBody(marker: Marker, { head, evidence, foot = '' }: CommentText): string {
  const first = `${opening}${hidden(marker)}${closing}\n`;
  const last = foot === '' ? '' : `\n\n${foot}`;
  const room = mostCharacters - first.length - last.length;
  const start = upTo(room, head);
  const blocks = fitting(evidence, room - start.length);
  return `${first}${[start, ...blocks].join('\n\n')}${last}`;
}

/** Of a body that begins with one; undefined for any other, also for one that only quotes it further down. */
export function readMarker(body: string): Marker | undefined {
  if (!body.startsWith(opening)) return undefined;
  const end = body.indexOf(closing);
  const json = end < 0 ? undefined : parsed(body.slice(opening.length, end));
  // One of a later version is none that this version may touch.
  if (!isObject(json) || json['v'] !== 1) return undefined;
  try {
    return { v: 1, ...readMarkerShape(json, '') };
  } catch (error) {
    if (error instanceof Misshapen) return undefined;
    throw error;
  }
}

/** Below 0 where `left` is older; what one lacks counts as 0. */
export function compareSequences(left: readonly number[], right: readonly number[]): number {
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether GitHub shows the same for both: it changes the ends of lines and of the whole. */
export function sameBody(left: string, right: string): boolean {
  const plain = (body: string) => body.replaceAll('\r\n', '\n').trim();
  return plain(left) === plain(right);
}

/** What the longest note about missing sections takes, with the empty line before it. */
const missingLength = 80;

/** The first of them, with a note where that is not all. @param room characters, with an empty line before each */
function fitting(blocks: readonly string[], room: number): readonly string[] {
  const lengthOf = (some: readonly string[]) => some.reduce((sum, block) => sum + block.length + 2, 0);
  if (lengthOf(blocks) <= room) return blocks;
  let count = blocks.length - 1;
  while (count > 0 && lengthOf(blocks.slice(0, count)) > room - missingLength) count -= 1;
  const note = missingLength <= room ? [missingNote(blocks.length - count)] : [];
  return [...blocks.slice(0, count), ...note];
}

function missingNote(count: number): string {
  return count === 1
    ? '_One more section did not fit; the summary of the run has it._'
    : `_${count} more sections did not fit; the summary of the run has them._`;
}

/** JSON in which nothing ends a comment of HTML. */
function hidden(marker: Marker): string {
  return JSON.stringify(marker).replaceAll(
    /[<>-]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function parsed(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}

function upTo(most: number, text: string): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
