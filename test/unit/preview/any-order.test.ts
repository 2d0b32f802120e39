import { expect, test } from '@jest/globals';

import type { PullRequest } from '../../../src/github/pull-request.ts';
import { decide, type PreviewRules, type PreviewWhen } from '../../../src/preview/decide.ts';
import { stepsFor, type Have } from '../../../src/preview/steps.ts';
import { pullRequest } from './build.ts';

/** The same numbers from 0 to below 1 for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const sha = (revision: number) => revision.toString(16).padStart(40, '0');

/** What people do to a pull request. */
const deeds: ((pull: PullRequest, revision: number) => PullRequest)[] = [
  (pull, revision) => (pull.state === 'open' ? { ...pull, head: { ...pull.head, sha: sha(revision) } } : pull),
  (pull) => ({ ...pull, state: 'closed', merged: false }),
  (pull) => (pull.merged ? pull : { ...pull, state: 'open' }),
  (pull) => ({ ...pull, draft: !pull.draft }),
  (pull) => ({ ...pull, labels: pull.labels.length === 0 ? ['preview'] : [] }),
];

/** Carries out all of the steps, or only the first of them: a run may be killed at any time. */
function run(pull: PullRequest, rules: PreviewRules, asked: string | undefined, have: Have, isKilled: boolean): Have {
  const want = decide(pull, rules, {
    event: 'pull_request',
    hasCredentials: true,
    ...(asked === undefined ? {} : { sha: asked }),
  });
  const steps = stepsFor(want, have);
  return (isKilled ? steps.slice(0, 1) : steps).reduce<Have>((there, step) => {
    switch (step.do) {
      case 'create-namespace':
        return { state: 'ours' };
      case 'deploy':
        return { state: 'ours', sha: step.sha };
      case 'tear-down':
        return { state: 'terminating' };
      case 'wait-until-gone':
        return { state: 'none' };
      default:
        return there;
    }
  }, have);
}

const whens: PreviewWhen[] = [{ is: 'always' }, { is: 'ready' }, { is: 'label', label: 'preview' }];

test.each(whens)(
  'whatever happened, in whatever order runs came, what is there is what the pull request wants: %j',
  (when) => {
    const rules: PreviewRules = { when, forks: 'skip', until: 'closed' };
    const ends = { present: 0, absent: 0 };
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = randomFrom(seed);
      let pull = pullRequest({ head: { sha: sha(1), branch: 'prices', repositoryId: 42 } });
      let have: Have = { state: 'none' };
      const shas = [sha(1)];
      for (let revision = 2; revision < 30; revision += 1) {
        const deed = deeds[Math.floor(random() * deeds.length)];
        pull = deed?.(pull, revision) ?? pull;
        shas.push(pull.head.sha);
        if (have.state === 'terminating' && random() < 0.5) have = { state: 'none' };
        // Some events are lost, and some runs are late: they ask for a commit of before.
        const asked = shas[Math.floor(random() * shas.length)];
        if (random() < 0.6) have = run(pull, rules, asked, have, random() < 0.3);
      }
      have = run(pull, rules, pull.head.sha, have, false);
      const isWanted =
        pull.state === 'open' &&
        !(when.is === 'ready' && pull.draft) &&
        !(when.is === 'label' && !pull.labels.includes('preview'));
      ends[isWanted ? 'present' : 'absent'] += 1;
      const left: Have = have.state === 'terminating' ? { state: 'none' } : have;
      expect([seed, left]).toStrictEqual([seed, isWanted ? { state: 'ours', sha: pull.head.sha } : { state: 'none' }]);
    }
    expect(Math.min(ends.present, ends.absent)).toBeGreaterThan(20);
  },
);
