import { expect, test } from '@jest/globals';

import { expressionsOfSource, pumpedTexts, timeTaken } from '../../support/expressions.ts';

/** A text of 100 kB takes an expression that looks at each character once a millisecond; one that looks back each time, seconds. */
const length = 100_000;
const limitMs = 100;
const attempts = 5;

test('no regular expression takes longer than its text is long, whatever the text', () => {
  const slow = new Set<string>();
  let slowestMs = 0;
  for (const { place, expression } of expressionsOfSource()) {
    for (const text of pumpedTexts(expression, length)) {
      // A busy machine is slow now and then, a bad expression always.
      let takenMs = Infinity;
      for (let attempt = 0; attempt < attempts && takenMs > limitMs; attempt += 1) {
        takenMs = Math.min(takenMs, timeTaken(expression, text, 50 * limitMs));
      }
      slowestMs = Math.max(slowestMs, takenMs);
      if (takenMs > limitMs) slow.add(`${place} ${String(expression)} on ${JSON.stringify(text.slice(0, 40))}`);
      if (takenMs > limitMs) break;
    }
  }
  process.stdout.write(`figure expression-slowest-ms ${slowestMs.toFixed(0)}\n`);
  expect([...slow]).toEqual([]);
});
