import { afterAll, describe, expect, test } from '@jest/globals';

import { figure } from '../../../support/figure.ts';
import { shareOf } from '../../../support/share.ts';
import { Stage } from '../../../support/strategy-stage.ts';
import type { Content } from './application.ts';
import { commandOf, deployOf, nextMove, perform, type Command, type Strategy } from './moves.ts';
import { contradictions, headingOf, ofGoodEnd, type History, type Seen } from './oracle.ts';
import { Random } from '../../../support/random.ts';
import { look, type Facts } from './witness.ts';

const sequences = 40;
const moves = 8;
/** Whoever waits for all of them needs patience; a share of them is soon done. */
const patienceMs = 3_600_000;
/** A proxy takes a moment until it follows what the API server says: what holds only then is no contradiction. */
const settleMs = 3_000;

interface Tally {
  commands: number;
  contradictions: string[];
  stuck: string[];
}

/** Seeded sequences of what people and workflows do: after each command its words are compared with what the pods say. */
export function truthOfSequences(strategy: Strategy): void {
  const tally: Tally = { commands: 0, contradictions: [], stuck: [] };

  afterAll(() => {
    figure(`truth-sequence-commands-${strategy}`, tally.commands);
    figure(`truth-contradictions-${strategy}`, tally.contradictions.length);
    figure(`truth-stuck-${strategy}`, tally.stuck.length);
  });

  describe(`a sequence of commands, edits and deletions, ${strategy}`, () => {
    const all = Array.from({ length: sequences }, (_, index) => index + 1);
    const only = process.env['TEST_SEQUENCE'];
    const chosen = only === undefined ? shareOf(all, (index) => `${strategy} ${index}`, 4) : [Number(only)];
    test.concurrent.each(chosen)(
      'says what the pods show after each of its steps, and a good deploy ends it: number %i',
      async (number) => {
        const { contradictions: found, stuck } = await play(strategy, number, tally);
        expect({ contradictions: found, stuck }).toEqual({ contradictions: [], stuck: [] });
      },
      patienceMs,
    );
  });
}

async function play(strategy: Strategy, number: number, tally: Tally): Promise<Omit<Tally, 'commands'>> {
  await using stage = await Stage.open(strategy);
  const random = new Random(number * 7919 + strategy.length);
  const history: History = new Map();
  const story: string[] = [];
  const found: string[] = [];
  let last: Content = { version: '1.0.0', greeting: 'hello' };
  const act = async (title: string, command: Command) => {
    const seen = await observe(stage, strategy, command, history);
    tally.commands += 1;
    remember(seen);
    story.push(`${title} → ${String(seen.result.exit)} ${headingOf(seen.result)} [${seen.after.answers.join(', ')}]`);
    for (const problem of await settled(stage, seen, contradictions))
      found.push([...story, `CONTRADICTION: ${problem}`].join('\n'));
    if (command.wanted !== undefined && seen.result.exit === 0) last = command.wanted;
    return seen;
  };
  const first = deployOf(last, {});
  await act(first.title, first.command);
  for (let count = 0; count < moves; count += 1) {
    const move = nextMove(random, last);
    if (move.by === 'action') {
      await act(move.title, move.command);
    } else {
      // What is not there cannot be edited.
      const done = await stage.kubectl(...move.args).then(
        () => 'done',
        () => 'refused',
      );
      story.push(`${move.title} → ${done}`);
    }
  }
  const resume = commandOf('resume', {});
  if ((await look(stage)).workloads.some(({ paused }) => paused)) await act(resume.title, resume.command);
  const wanted: Content = { version: random.pick(['1.0.0', '2.0.0', '3.0.0']), greeting: 'at last' };
  const end = deployOf(wanted, strategy === 'rolling' ? {} : { 'auto-promote': 'true' });
  const seen = await act(end.title, end.command);
  const stuck = (await settled(stage, seen, ({ result, after }) => ofGoodEnd(result, after, wanted))).map((problem) =>
    [...story, `STUCK: ${problem}`, seen.result.log.slice(-1500)].join('\n'),
  );
  tally.contradictions.push(...found);
  tally.stuck.push(...stuck);
  return { contradictions: found, stuck };
}

async function observe(stage: Stage, strategy: Strategy, command: Command, history: History): Promise<Seen> {
  const before = await look(stage);
  const result = await perform(stage, strategy, command);
  return { command, before, result, after: await look(stage), history };
}

/** Judges once, and again a moment later what may only not have followed yet. */
export async function settled(stage: Stage, seen: Seen, judge: (seen: Seen) => string[]): Promise<string[]> {
  const deadline = Date.now() + settleMs;
  let { after }: { after: Facts } = seen;
  for (;;) {
    const problems = judge({ ...seen, after });
    if (problems.length === 0 || Date.now() > deadline) return problems;
    after = await look(stage);
  }
}

/** What the revision that a run made holds. */
function remember({ command, result, history }: Seen): void {
  const { revision = '', status } = result.outputs;
  if (revision === '') return;
  const target = /back to revision (\d+)/.exec(headingOf(result))?.[1];
  if (status === 'rolled-back' && target !== undefined) {
    const content = history.get(target);
    if (content !== undefined) history.set(revision, content);
  }
  if (command.wanted !== undefined && command.fault === undefined) history.set(revision, command.wanted);
}
