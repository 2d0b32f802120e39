import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { readSequence, replay } from '../../support/sequence.ts';

/** Recorded on the embedded cluster by `RECORD_SEQUENCES=test/unit/rollout/sequences script/test rules`. */
const folder = join(import.meta.dirname, 'sequences');
const names = readdirSync(folder)
  .map((file) => file.replace('.jsonl', ''))
  .sort();
const sequenceOf = (name: string) => readSequence(readFileSync(join(folder, `${name}.jsonl`), 'utf8'));

describe('a sequence that a cluster showed', () => {
  test.each(names)('%s: ends as it ended then, and not before', (name) => {
    const sequence = sequenceOf(name);
    const verdicts = replay(sequence);
    const end = verdicts.findIndex(({ state }) => state !== 'progressing');
    expect((verdicts[end] ?? verdicts.at(-1))?.state).toBe(sequence.verdict);
    // What was shown after the end was on its way already: no more than one tick.
    const endedAt = sequence.steps[end]?.at ?? sequence.endedAt;
    expect(sequence.endedAt - endedAt).toBeLessThan(1000);
  });

  test.each(names)('%s: was decided on nothing but the generation that was written', (name) => {
    const sequence = sequenceOf(name);
    const written = sequence.written.metadata.generation ?? 0;
    const stale = {
      ...sequence,
      written: { ...sequence.written, metadata: { ...sequence.written.metadata, generation: written + 1 } },
    };
    const accepted = replay({
      ...stale,
      steps: sequence.steps.filter(({ object }) => object.kind === sequence.written.kind),
    });
    const keepsGenerations = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet'].includes(sequence.written.kind);
    expect(keepsGenerations && accepted.some(({ state }) => state !== 'progressing')).toBe(false);
  });
});
