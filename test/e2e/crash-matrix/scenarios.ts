import { application, extra, other, type Version } from './application.ts';

/** A run of the action: its inputs, and the manifests in its workspace. */
export interface Run {
  inputs: Record<string, string>;
  manifests?: readonly object[];
}

/** What a change leads to when it comes to its end, and when it is undone. */
export type State = 'nothing' | Version;

export interface Scenario {
  /** `update` */
  name: string;
  /** Runs that make what is there before. */
  before: readonly Run[];
  /** The run that is killed. */
  killed: Run;
  /** What there is before, and after. */
  from: State;
  to: State;
  followUps: readonly FollowUp[];
}

export interface FollowUp {
  /** What comes after the kill: `the same again` */
  name: string;
  /** The next run; the post step of the killed one where there is none. */
  next?: Run;
  /** The state it ends in: `from` of the scenario, `to`, or whichever the killed run had come to. */
  ends: 'from' | 'to' | 'either';
  /** Objects that the next run brings itself, or that nobody removes when the killed run had come to its end. */
  tolerates?: readonly object[];
  /** Whether the next run may say that there was nothing to do, and fail by that. */
  mayRefuse?: RegExp;
}

const deploy = (strategy: string, version: Version): Run => ({
  inputs: { strategy },
  manifests: application(version),
});

const postStep: FollowUp = { name: 'its post step', ends: 'either' };

/** The first deploy of all, and one that changes what is there. */
export function deployScenarios(strategy: string): Scenario[] {
  const first: Scenario = {
    name: 'the first deploy',
    before: [],
    killed: deploy(strategy, 'two'),
    from: 'nothing',
    to: 'two',
    followUps: [
      { name: 'the same again', next: deploy(strategy, 'two'), ends: 'to' },
      {
        name: 'a deploy of something else',
        next: { inputs: {}, manifests: [other] },
        ends: 'either',
        tolerates: [other],
      },
      postStep,
    ],
  };
  const update: Scenario = {
    name: 'an update',
    before: [deploy(strategy, 'one')],
    killed: deploy(strategy, 'two'),
    from: 'one',
    to: 'two',
    followUps: [
      { name: 'the same again', next: deploy(strategy, 'two'), ends: 'to' },
      { name: 'a deploy of the old version', next: deploy(strategy, 'one'), ends: 'from', tolerates: [extra] },
      {
        name: 'a rollback',
        next: { inputs: { command: 'rollback', prune: 'true' } },
        ends: 'from',
        // The killed run was undone, and before the version that is live again there was none.
        mayRefuse: /has no earlier revision that was live/,
      },
      postStep,
    ],
  };
  return [first, update];
}
