import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import { Journal } from '../../../src/release/journal.ts';
import { leftoverIn } from '../../../src/release/leftover.ts';
import { ownSteps } from '../../../src/release/undo-journal.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { journalOf } from '../../../src/release/journal-shape.ts';
import type { JournalRecord } from '../../../src/release/journal-shape.ts';
import { revisionOf } from '../../../src/release/revision-shape.ts';

/** What the version 0.1.0 has left in a cluster, before plans were steps: the contents of the Secrets of one release each. */
interface Recorded {
  name: string;
  value: Json;
}

const folder = join(import.meta.dirname, 'recorded');

function read(file: string): { release: string; journal: JournalRecord; revisions: ReturnType<typeof revisionOf>[] } {
  const records = JSON.parse(readFileSync(join(folder, `${file}.json`), 'utf8')) as Recorded[];
  const journal = records.find(({ name }) => name.endsWith('.journal'));
  const release = journal?.name.split('.')[1] ?? '';
  const revisions = records.flatMap(({ name, value }) => {
    const revision = /\.v(?<number>\d+)$/.exec(name)?.groups?.['number'];
    return revision === undefined ? [] : [revisionOf(value, { release, revision: Number(revision) })];
  });
  return { release, journal: journalOf(journal?.value ?? null, release), revisions };
}

function stateOf(journal: JournalRecord, revisions: ReturnType<typeof revisionOf>[]): string {
  return leftoverIn(new Journal(new FakeApi(), 'shop', journal), revisions).state;
}

describe('records of the version before', () => {
  test.each([
    ['waiting-canary', ['can-canary'], false],
    ['waiting-constant-total', ['cc-canary'], true],
    ['waiting-blue-green', ['bg-green'], undefined],
  ])('of "%s" are a candidate that can be promoted', (file, candidates, constantTotal) => {
    const { journal, revisions } = read(file);
    expect(stateOf(journal, revisions)).toBe('waiting');
    expect(journal.waiting?.candidates.map(({ name }) => name)).toEqual(candidates);
    expect(journal.waiting?.constantTotal).toBe(constantTotal);
    expect(journal.waiting?.revision).toBe(2);
    expect(revisions.map(({ outcome }) => outcome).sort()).toEqual(['live', 'waiting']);
  });

  test.each([
    ['killed-rolling', ['Deployment/k1']],
    ['killed-canary', ['Deployment/k2-canary']],
    ['killed-blue-green', ['Deployment/k3-green', 'Service/k3-preview']],
  ])('of "%s" are a run that is to be undone, with what was there before', (file, written) => {
    const { journal, revisions } = read(file);
    expect(stateOf(journal, revisions)).toBe('dead');
    const entries = ownSteps(journal).flatMap((step) => step.entries);
    expect(entries.map(({ ref }) => `${ref.kind}/${ref.name}`).sort()).toEqual(written);
    expect(journal.revision).toBe(2);
    expect(revisions.map(({ outcome }) => outcome)).toEqual(['live']);
  });

  test('are all looked at', () => {
    expect(readdirSync(folder).length).toBe(6);
  });
});
