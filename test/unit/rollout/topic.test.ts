import { expect, test } from '@jest/globals';

import { describeEnd } from '../../../src/rollout/failures/container.ts';
import { topicOf } from '../../../src/rollout/verdict.ts';

const object = { apiVersion: 'v1', kind: 'Pod', name: 'web-a' };
const end = (restarts: number, reason: string, exitCode: number, container = 'web') => ({
  object,
  ...describeEnd(`container "${container}"`, reason, exitCode, restarts, undefined),
});

test.each([
  ['crashes', 'Error', 3],
  ['exits', 'Completed', 0],
  ['is killed for its memory', 'OOMKilled', 137],
])('a container that %s is one trouble however often it was restarted', (_, reason, exitCode) => {
  const ends = [0, 1, 2, 17].map((restarts) => end(restarts, reason, exitCode));
  expect(new Set(ends.map(({ message }) => message)).size).toBe(4);
  expect(new Set(ends.map(topicOf)).size).toBe(1);
});

test('another container, or another end, is another trouble', () => {
  const ends = [end(1, 'Error', 3), end(1, 'Error', 3, 'worker'), end(1, 'Error', 127), end(1, 'OOMKilled', 137)];
  expect(new Set(ends.map(topicOf)).size).toBe(4);
});

test('a cause that has no topic of its own goes by its message, without counts and ids', () => {
  const full = (count: number, id: string) => topicOf({ reason: 'x', object, message: `${count} of 3 nodes, ${id}` });
  expect(full(1, 'a1b2c3d4e5f60718')).toBe(full(2, '0918a7b6c5d4e3f2'));
});
