import { afterAll, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { hashOf } from '../../support/github/state.ts';
import { configMap } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';
import { Random } from '../../support/random.ts';

import { shareOf } from '../../support/share.ts';

const sequences = shareOf(
  Array.from({ length: 200 }, (_, index) => index + 1),
  String,
  8,
);
let leaked = 0;
let wrong = 0;

afterAll(() => {
  figure('preview-sequences', sequences.length);
  figure('previews-leaked', leaked);
  figure('previews-wrong', wrong);
});

/**
 * What a pull request goes through, and which runs that starts. Events may be lost, come late, twice or in another order, and a run
 * may be killed at a call to GitHub or at a moment in between. In the end one more run comes, as a sweep or a re-run would.
 */
test.each(sequences)('events in any order end in what the pull request wants: sequence %i', async (seed) => {
  const random = new Random(seed);
  const stage = await PreviewStage.open();
  try {
    const pull = stage.github.state.open(1);
    const pending: string[] = [pull.head.sha];
    const length = 2 + Math.floor(random.next() * 3);
    for (let step = 0; step < length; step += 1) {
      const change = random.next();
      if (change < 0.45) {
        pull.head.sha = hashOf(1000 * seed + step);
        pending.push(pull.head.sha);
      } else if (change < 0.75) {
        pull.state = pull.state === 'open' ? 'closed' : 'open';
        pending.push(pull.head.sha);
      }
      if (random.next() < 0.3) continue;
      // An event of any time, once more or for the first time.
      const sha = random.pick(pending);
      const runner = stage.step(1, [configMap('a', { step: String(step) })], { comment: 'false' }, { sha });
      if (random.next() < 0.35) {
        const after = Math.floor(random.next() * 3);
        for (let count = 0; count < after; count += 1) stage.github.before('pulls/get', () => undefined);
        stage.github.before('pulls/get', () => {
          runner.signal('SIGKILL');
        });
      }
      await runner.main();
      runner.dispose();
    }
    const last = await stage.preview(1, [configMap('a', { step: 'last' })], { comment: 'false' });
    const isThere = await stage.isThere(1);
    if (isThere && pull.state === 'closed') leaked += 1;
    const isRight =
      isThere === (pull.state === 'open') && (!isThere || (await stage.annotation(1, 'head-sha')) === pull.head.sha);
    if (!isRight) wrong += 1;
    expect({ exit: last.exit, isThere, log: isRight ? '' : last.log }).toEqual({
      exit: 0,
      isThere: pull.state === 'open',
      log: '',
    });
  } finally {
    await stage[Symbol.asyncDispose]();
  }
});
