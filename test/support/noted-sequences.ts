import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import { expect } from '@jest/globals';

import { groupOf, type KubernetesObject } from '../../src/kubernetes/object.ts';

/** A sequence of states that a test has had decided. */
export interface NotedSequence {
  kind: string;
  group: string;
  /** What was decided one after the other: `progressing: 1 of 4 groups updated`. */
  verdicts: string[];
  /** The test, and the file that it is in. */
  test: string;
  file: string;
}

/** Where they are noted; nowhere unless somebody counts them. */
const variable = 'NOTE_SEQUENCES';

export const notingInto = (path: string): Record<string, string> => ({ [variable]: path });

/** Notes a sequence for those who count them. @throws Error outside of a test, which alone tells whether it was right */
export function noteSequence({ apiVersion, kind }: KubernetesObject, verdicts: string[]): void {
  const path = process.env[variable];
  if (path === undefined) return;
  const { currentTestName: test, testPath: file } = expect.getState();
  if (test === undefined || file === undefined) throw new Error('a sequence was decided outside of a test');
  const noted: NotedSequence = { kind, group: groupOf(apiVersion), verdicts, test, file };
  appendFileSync(path, `${JSON.stringify(noted)}\n`);
}

export function notedIn(path: string): NotedSequence[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as NotedSequence);
}
