import type { Inputs, Stage } from '../../../support/strategy-stage.ts';
import type { StepResult } from '../../../support/step.ts';
import { application, faults, greetings, versions, type Content, type Fault } from './application.ts';
import type { Random } from '../../../support/random.ts';

export type Strategy = 'rolling' | 'canary' | 'blue-green';

/** A command of the action, and what it was asked to bring about. */
export interface Command {
  command: string;
  inputs: Inputs;
  /** The manifests of a deploy. */
  wanted?: Content;
  fault?: Fault;
  /** Of `scale`. */
  replicas?: number;
}

export type Move = { by: 'action'; title: string; command: Command } | { by: 'kubectl'; title: string; args: string[] };

/** What somebody does next, with the strategy of the sequence. */
export function nextMove(random: Random, last: Content): Move {
  return random.next() < 0.68 ? nextCommand(random, last) : nextEdit(random);
}

function nextCommand(random: Random, last: Content): Move {
  const kind = random.pick([
    ...Array.from({ length: 4 }, () => 'good'),
    ...Array.from({ length: 3 }, () => 'bad'),
    ...Array.from({ length: 2 }, () => 'config'),
    ...['status', 'status', 'promote', 'promote', 'abort', 'rollback', 'rollback'],
    ...['pause', 'resume', 'scale', 'restart'],
  ]);
  const wanted: Content = { version: random.pick(versions), greeting: random.pick(greetings) };
  const isPromotedAlone = random.next() < 0.6;
  const inputs = { 'auto-promote': String(isPromotedAlone) };
  switch (kind) {
    case 'good':
      return deployOf(wanted, inputs);
    case 'config':
      return deployOf({ ...last, greeting: wanted.greeting }, inputs);
    case 'bad': {
      const fault = random.pick(Object.keys(faults) as Fault[]);
      const kept: Inputs = random.next() < 0.3 ? { 'undo-on-failure': 'false' } : {};
      return deployOf(wanted, { ...inputs, ...kept }, fault);
    }
    case 'scale': {
      const replicas = random.pick([1, 2, 3]);
      return commandOf('scale', { replicas: String(replicas) }, { replicas });
    }
    default:
      return commandOf(kind, {});
  }
}

export function deployOf(wanted: Content, inputs: Inputs, fault?: Fault): Move & { by: 'action' } {
  const options = Object.entries(inputs).map(([name, value]) => `${name}=${value}`);
  const title = [
    'deploy',
    wanted.version,
    wanted.greeting,
    ...(fault === undefined ? [] : [`with ${fault}`]),
    ...options,
  ];
  const command = { command: 'deploy', inputs, wanted, ...(fault === undefined ? {} : { fault }) };
  return { by: 'action', title: title.join(' '), command };
}

export function commandOf(command: string, inputs: Inputs, more: Partial<Command> = {}): Move & { by: 'action' } {
  const options = Object.entries(inputs).map(([name, value]) => `${name}=${value}`);
  return { by: 'action', title: [command, ...options].join(' '), command: { command, inputs, ...more } };
}

/** What people do with kubectl beside it. */
function nextEdit(random: Random): Move {
  const name = 'web';
  const args = random.pick([
    ['set', 'image', `deployment/${name}`, `web=registry.test/ctwoc:${random.pick(versions)}`],
    ['set', 'image', `deployment/${name}`, 'web=127.0.0.1:1/ctwoc:9.9.9'],
    ['set', 'env', `deployment/${name}`, 'GREETING_BY_HAND=yes'],
    ['scale', `deployment/${name}`, `--replicas=${random.pick([0, 1, 3])}`],
    ['rollout', 'pause', `deployment/${name}`],
    ['rollout', 'resume', `deployment/${name}`],
    ['rollout', 'undo', `deployment/${name}`],
    ['rollout', 'restart', `deployment/${name}`],
    ['delete', 'deployment', name, '--wait=false'],
    ['delete', 'service', name, '--wait=false'],
    ['delete', 'configmap', 'settings', '--wait=false'],
    ['patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"greeting":"by hand"}}'],
    ['label', 'deployment', name, 'team=web', '--overwrite'],
    ['delete', 'pods', '-l', `app=${name}`, '--wait=false'],
  ]);
  return { by: 'kubectl', title: `kubectl ${args.join(' ')}`, args };
}

/** Carries a command out with the packaged action. */
export async function perform(
  stage: Stage,
  strategy: Strategy,
  { command, inputs, wanted, fault }: Command,
): Promise<StepResult> {
  const needsTime = command !== 'status' && command !== 'pause';
  const timeouts: Inputs = needsTime
    ? { timeout: '30s', ...(command === 'resume' ? {} : { 'undo-timeout': '30s' }) }
    : {};
  if (wanted === undefined) return await stage.command('shop', command, { ...timeouts, ...inputs });
  const { 'auto-promote': autoPromote, ...others } = inputs;
  const own = strategy === 'rolling' || autoPromote === undefined ? {} : { 'auto-promote': autoPromote };
  return await stage.deploy('shop', application(wanted, fault), { ...timeouts, ...own, ...others });
}
