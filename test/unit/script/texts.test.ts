import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { textsOf, userTexts } from '../../../script/wording/user-texts.ts';

/** Phrases that read as translated: a native engineer says these things another way. */
const translated: readonly RegExp[] = [
  /\bwhich is no (?:number|path|name|map|text|digest)\b/i,
  /\bin words\b/i,
  /\bleads? (?:nowhere|out of|in a circle)\b/i,
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
