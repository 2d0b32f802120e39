import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { actionsOf, copyFor, standIns, unknownToAct } from './act.ts';
import { examples, exampleText } from './workflow-files.ts';

const used = new Set(examples.flatMap((example) => actionsOf(exampleText(example))));

test('every action of others has a stand-in, and every stand-in is used', () => {
  const others = [...used].map((action) => action.split('@')[0]).filter((name) => name !== 'acme/gke-rollout');
  expect(new Set(others)).toEqual(new Set(Object.keys(standIns)));
  const folders = readdirSync(join(import.meta.dirname, 'stand-ins')).filter((name) => name !== 'bin');
  expect(new Set(Object.values(standIns))).toEqual(new Set(folders));
});

describe('act gets an example without what it does not know, and nothing else is missing:', () => {
  test.each(examples)('%s', (example) => {
    const text = exampleText(example);
    const copy = copyFor(text, {}).split('\n');
    const missing = text.split('\n').filter((line) => /^ *deployment: false/.test(line));
    expect(text.match(unknownToAct)?.length ?? 0).toBe(missing.length);
    expect(text.split('\n').filter((line) => !missing.includes(line))).toEqual(copy);
  });
});
