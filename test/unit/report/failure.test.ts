import { describe, expect, test } from '@jest/globals';

import { Failures, InvalidInput } from '../../../src/base/errors.ts';
import { failureOf } from '../../../src/report/failure.ts';

const unknown = new InvalidInput('there is no input "tag"', { hint: 'Did you mean "image-tag"?' });
const placed = new InvalidInput('unknown field', { location: { file: 'a.yaml', line: 3 } });

describe('what a user reads of an error', () => {
  test('has every problem of several, with its place where it has one', () => {
    expect(failureOf(new Failures('2 things are wrong', [unknown, placed])).problems).toEqual([
      { message: 'there is no input "tag". Did you mean "image-tag"?' },
      { message: 'unknown field', location: { file: 'a.yaml', line: 3 } },
    ]);
  });

  test('does not say the message twice', () => {
    expect(failureOf(unknown)).toMatchObject({ message: 'there is no input "tag"', problems: [] });
    expect(failureOf(new Failures(unknown.message, [unknown])).problems).toEqual([]);
  });
});
