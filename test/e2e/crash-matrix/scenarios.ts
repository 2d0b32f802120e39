import { inOneFile, other, type Files, type Version } from './application.ts';

/** A run of the action: its inputs, and the manifests in its workspace. */
export interface Run {
  inputs: Record<string, string>;
  files?: Files;
}

/** What runs in a namespace: nothing, one version, or `one` with a candidate of `two` that waits. */
export type State = 'nothing' | Version | 'waiting';

export interface Scenario {
  /** `an update` */
  name: string;
  /** Runs that make what is there before. */
  before: readonly Run[];
  /** The run that is killed. */
  killed: Run;
  /** What there is before the run, and after it. */
  from: State;
  to: State;
  followUps: readonly FollowUp[];
}

export interface FollowUp {
  /** What comes after the kill: `the same again` */
  name: string;
  /** The next run; the post step of the killed one where there is none. */
  next?: Run;
  /** The state it ends in: `from` of the scenario, `to`, or the one of both to which the killed run had come. */
  ends: 'from' | 'to' | 'either';
  /** Objects of the next run alone. */
  brings?: readonly object[];
  /** What the next run leaves of the objects that a killed run has brought which had come to its end: `Kind/name`. */
  leaves?: RegExp;
  /** What the next run may say when it finds nothing to do. */
  mayRefuse?: RegExp;
}

const postStep: FollowUp = { name: 'its post step', ends: 'either' };

function deploy(inputs: Record<string, string>, version: Version, filesOf = inOneFile): Run {
  return { inputs, files: filesOf(version) };
}

/** The first deploy of all. */
export function firstDeploy(inputs: Record<string, string>): Scenario {
  const killed = deploy(inputs, 'two');
  return {
    name: 'the first deploy',
    before: [],
    killed,
    from: 'nothing',
    to: 'two',
    followUps: [
      { name: 'the same again', next: killed, ends: 'to' },
      {
        name: 'a deploy of something else',
        next: { inputs: {}, files: { 'other.yaml': [other] } },
        ends: 'either',
        brings: [other],
      },
      postStep,
    ],
  };
}

/** A deploy that changes what is there. */
export function update(inputs: Record<string, string>, filesOf = inOneFile): Scenario {
  const killed = deploy(inputs, 'two', filesOf);
  return {
    name: 'an update',
    before: [deploy(inputs, 'one', filesOf)],
    killed,
    from: 'one',
    to: 'two',
    followUps: [
      { name: 'the same again', next: killed, ends: 'to' },
      { name: 'a deploy of the old version', next: deploy(inputs, 'one', filesOf), ends: 'from', leaves: /./ },
      {
        name: 'a rollback',
        next: { inputs: { command: 'rollback', prune: 'true' } },
        ends: 'from',
        // Scaled to 0, for the next turn.
        leaves: /-green$/,
        // Killed before it had changed anything: before what is live there was nothing.
        mayRefuse: /has no earlier revision that was live/,
      },
      postStep,
    ],
  };
}

/** A deploy that leaves its candidate waiting. */
export function leftWaiting(inputs: Record<string, string>): Scenario {
  const killed = deploy({ ...inputs, 'auto-promote': 'false' }, 'two');
  return {
    name: 'a candidate on its way',
    before: [deploy(inputs, 'one')],
    killed,
    from: 'one',
    to: 'waiting',
    followUps: [
      { name: 'the same again', next: killed, ends: 'to' },
      { name: 'a deploy of the old version', next: deploy(inputs, 'one'), ends: 'from', leaves: /./ },
      postStep,
    ],
  };
}

const nothingWaits = /there is no candidate of release/;

export function promotion(inputs: Record<string, string>): Scenario {
  const { 'keep-old-for': keepOldFor } = inputs;
  const promote = {
    inputs: { command: 'promote', ...(keepOldFor === undefined ? {} : { 'keep-old-for': keepOldFor }) },
  };
  return {
    name: 'a promotion',
    before: [deploy(inputs, 'one'), deploy({ ...inputs, 'auto-promote': 'false' }, 'two')],
    killed: promote,
    from: 'waiting',
    to: 'two',
    followUps: [{ name: 'the same again', next: promote, ends: 'to', mayRefuse: nothingWaits }, postStep],
  };
}

export function abort(inputs: Record<string, string>): Scenario {
  return {
    name: 'an abort',
    before: [deploy(inputs, 'one'), deploy({ ...inputs, 'auto-promote': 'false' }, 'two')],
    killed: { inputs: { command: 'abort' } },
    from: 'waiting',
    to: 'one',
    followUps: [
      { name: 'the same again', next: { inputs: { command: 'abort' } }, ends: 'to', mayRefuse: nothingWaits },
      { name: 'a deploy of the old version', next: deploy(inputs, 'one'), ends: 'to' },
      postStep,
    ],
  };
}
