import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { textsOf, userTexts } from '../../../script/wording/user-texts.ts';

/** Phrases that read as translated: a native engineer says these things another way. */
const translated: readonly RegExp[] = [
  /\bis no (?:boolean|duration|list|check|path|map|text|digest)\b/i,
  /\bwhich is no\b/i,
  /\bsee (?:whether|why|who|what)\b/i,
  /\ba step before\b/i,
  /\bin words\b/i,
  /\bleads? (?:nowhere|out of|in a circle)\b/i,
  /\bsomething else than\b/i,
  /\bmay not (?:be )?(?:get|list|watch|create|update|patch|delete)\b/i,
  /\bis at work on\b/i,
  /\bmade anew\b/i,
  /\bhas come since\b/i,
  /\bof whom\b/i,
  /\bmend\b/i,
  /\bstill to end\b/i,
  /\bends again and again\b/i,
  /\bno node fits\b/i,
  /\btoo little\b/i,
  /\bto see the change\b/i,
  /\ball the same\b/i,
  /\bis to serve\b/i,
  /\bat rest\b/i,
  /\bcomes? along\b/i,
];

describe('the texts that a user may read', () => {
  test('are found wherever the code has them: in strings, templates and sums, with a place for what is filled in', () => {
    const source = [
      "import { readFile } from 'node:fs with words';",
      'type Kind = "two words" | "three words more";',
      "const one = 'the first text';",
      "const two = `the release \"${name}\" has ${count === 1 ? 'one pod' : 'more pods'}`;",
      "const three = 'first half, ' + 'second half of ' + name;",
      "reporter.debug('only for us');",
      "const word = 'none';",
      'const pattern = /not a text/;',
    ].join('\n');
    expect(textsOf('a.ts', source)).toEqual([
      { file: 'a.ts', line: 3, text: 'the first text' },
      { file: 'a.ts', line: 4, text: 'the release "${…}" has ${…}' },
      { file: 'a.ts', line: 4, text: 'one pod' },
      { file: 'a.ts', line: 4, text: 'more pods' },
      { file: 'a.ts', line: 5, text: 'first half, second half of ${…}' },
    ]);
  });

  const texts = userTexts(join(import.meta.dirname, '../../..'), 'src');

  test.each(['the input "${…}" has no effect on the command "${…}"; it belongs to ${…}', 'Use true or false.'])(
    'hold an error and its advice: %s',
    (text) => {
      expect(texts.map((found) => found.text)).toContain(text);
    },
  );

  test.each(translated)('are plain English: none has %s', (phrase) => {
    const found = texts
      .filter(({ text }) => phrase.test(text))
      .map(({ file, line, text }) => `${file}:${line} ${text}`);
    expect(found).toEqual([]);
  });
});
