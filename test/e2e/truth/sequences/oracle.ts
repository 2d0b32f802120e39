import type { StepResult } from '../../../support/step.ts';
import { replicas, textOf, type Content } from './application.ts';
import type { Command } from './moves.ts';
import type { Facts } from './witness.ts';

const good = [
  'deployed',
  'scaled',
  'paused',
  'resumed',
  'restarted',
  'rolled-back',
  'aborted',
  'reported',
  'unchanged',
  'waiting',
];

/** What revisions held, by their numbers: the memory of whoever watches. */
export type History = Map<string, Content>;

export interface Seen {
  command: Command;
  before: Facts;
  result: StepResult;
  after: Facts;
  history: History;
}

/** Where what a run says is not what pods and objects show; empty when it all holds. */
export function contradictions(seen: Seen): string[] {
  return [...ofExit(seen), ...ofStatus(seen), ...ofWords(seen)];
}

function ofExit({ result, command }: Seen): string[] {
  const { status = '' } = result.outputs;
  const isGood = good.includes(status);
  const heading = headingOf(result);
  const problems = [];
  if (isGood !== (result.exit === 0)) problems.push(`status "${status}" with exit code ${result.exit}`);
  if (heading === '') problems.push('no heading');
  if (heading.includes('✅') && !isGood) problems.push(`a green heading with status "${status}"`);
  if (heading.includes('✅') && command.command === 'status' && result.outputs['healthy'] === 'false')
    problems.push('a green heading of something that is not healthy');
  return problems;
}

/** The first line of the job summary: `### ✅ shop: web 1.0.0 → 2.0.0, live in 42s (revision 7)`. */
export function headingOf({ summary }: StepResult): string {
  return summary.split('\n').find((line) => line.startsWith('#')) ?? '';
}

function ofStatus(seen: Seen): string[] {
  const { command, before, result, after } = seen;
  const { status = '' } = result.outputs;
  switch (status) {
    case 'deployed':
      return ofServing(after, command.wanted);
    case 'unchanged':
      return command.wanted === undefined ? [] : ofServing(after, command.wanted);
    case 'rolled-back':
      return ofServing(after, targetOf(seen));
    case 'waiting':
      return staysServed(before, after)
        ? []
        : [`a candidate waits, but the Service answers ${list(after.answers)} and no more ${list(before.answers)}`];
    case 'undone':
      return undone(seen);
    case 'scaled':
      return serving(after).length === command.replicas
        ? []
        : [`scaled to ${String(command.replicas)}, but ${serving(after).length} pods are behind the Service`];
    case 'restarted': {
      const old = new Set(before.pods.map(({ uid }) => uid));
      const stayed = after.pods.filter(({ uid }) => old.has(uid)).length;
      if (stayed > 0) return [`restarted, but ${stayed} pods are the same as before`];
      return after.pods.length === 0 ? ['restarted, but there is no pod'] : ofPods(after);
    }
    case 'paused':
      return after.workloads.some(({ paused }) => paused) ? [] : ['paused, but no Deployment is'];
    case 'resumed':
      if (after.workloads.some(({ paused }) => paused)) return ['resumed, but a Deployment is paused'];
      return headingOf(result).includes('ready') ? ofPods(after) : [];
    case 'aborted':
      return sameAs({ ...before, workloads: after.workloads }, after);
    case 'reported':
      return result.outputs['healthy'] === 'true' ? ofHealthy(seen) : [];
    default:
      return [];
  }
}

/** Beside a new candidate the stable pods answer as before; one that waited before has gone, and with it what its pods answered. */
function staysServed(before: Facts, after: Facts): boolean {
  const isKept = (answer: string) => after.answers.includes(answer);
  // A request that reached nobody, while pods were being replaced, is none that must be kept.
  const answers = before.answers.filter((answer) => !isNone(answer));
  return before.workloads.length > 1 ? answers.length === 0 || answers.some(isKept) : answers.every(isKept);
}

/** The content of the revision that a rollback says it went back to. */
function targetOf({ result, history }: Seen): Content | undefined {
  const number = /back to revision (\d+)/.exec(headingOf(result))?.[1];
  return number === undefined ? undefined : history.get(number);
}

/** Requests reach as many ready pods as there are to be, and these only have what was wanted. */
function ofServing(after: Facts, wanted: Content | undefined): string[] {
  const problems = ofUniform(after);
  if (wanted === undefined) return problems;
  if (after.answers.join() !== textOf(wanted))
    problems.push(`the Service answers ${list(after.answers)}, and not ${textOf(wanted)}`);
  return problems;
}

function ofUniform(after: Facts): string[] {
  const problems = [];
  if (after.answers.length !== 1) problems.push(`the Service answers ${list(after.answers)}`);
  if (after.endpoints.length === 0) problems.push('no pod is behind the Service');
  return problems;
}

function ofHealthy({ after, result, history }: Seen): string[] {
  const heading = headingOf(result);
  const problems = ofPods(after);
  // A candidate that waits answers too, and config that somebody has changed is read by those who start later: both are told.
  const isMixed = /the candidate|changed since/.test(heading);
  if (!isMixed) problems.push(...ofUniform(after));
  const wanted = history.get(result.outputs['revision'] ?? '');
  const isChanged = heading.includes('changed since');
  if (wanted !== undefined && !isChanged && !after.answers.includes(textOf(wanted)))
    problems.push(
      `healthy, but the Service answers ${list(after.answers)} and revision ${String(result.outputs['revision'])} is ${textOf(wanted)}`,
    );
  if (!after.isService) problems.push('healthy, but there is no Service');
  if (after.answers.length > 2) problems.push(`healthy, but the Service answers ${list(after.answers)}`);
  if (after.workloads.length === 0) problems.push('healthy, but there is no Deployment');
  return problems;
}

/** What is said of pods alone: there are some, all are ready, and where there is a Service it reaches them. */
function ofPods({ pods, isService, endpoints }: Facts): string[] {
  const unready = pods.filter(({ ready }) => !ready).length;
  if (pods.length === 0) return ['said to be ready, but there is no pod'];
  if (unready > 0) return [`said to be ready, but ${unready} of ${pods.length} pods are not`];
  return isService && endpoints.length === 0 ? ['no pod is behind the Service'] : [];
}

/** Where a candidate that waited was taken away first, the undo says so: then all else is as it was. */
function undone({ before, after, result }: Seen): string[] {
  if (!/the candidate that was waiting before \(revision \d+\) is gone/.test(headingOf(result)))
    return sameAs(before, after);
  const running = after.workloads.filter(({ replicas: count }) => count > 0);
  const stays = ({ name }: Facts['workloads'][number]) => running.some((one) => one.name === name);
  const problems = sameAs(
    { ...before, answers: after.answers, workloads: before.workloads.filter(stays) },
    {
      ...after,
      workloads: running,
    },
  );
  const others = said(after).filter((answer) => !said(before).includes(answer));
  if (isSteady(before) && (others.length > 0 || !staysServed(before, after)))
    problems.push(`undone, but the Service answered ${list(before.answers)} and answers ${list(after.answers)}`);
  return problems;
}

/** An undo promises that all is as it was. */
function sameAs(before: Facts, after: Facts): string[] {
  const problems = [];
  if (said(before).join() !== said(after).join() && isSteady(before))
    problems.push(
      `as it was before, but the Service answered ${list(before.answers)} and answers ${list(after.answers)}`,
    );
  const of = (facts: Facts) =>
    facts.workloads
      .map((one) => JSON.stringify(one))
      .sort()
      .join(', ');
  if (of(before) !== of(after)) problems.push(`as it was before, but there was ${of(before)} and is ${of(after)}`);
  return problems;
}

/** Nothing was changing by itself before the command began: all pods were ready, and as many as there are to be. */
export function isSteady({ pods, workloads, answers }: Facts): boolean {
  const wanted = workloads.reduce((sum, { replicas: count }) => sum + count, 0);
  return (
    pods.every(({ ready }) => ready) && pods.length === wanted && !answers.some((answer) => answer.startsWith('E'))
  );
}

/** What pods have said; how a request that reaches none of them fails may change from one to the next. */
function said({ answers }: Facts): string[] {
  return [...new Set(answers.map((answer) => (isNone(answer) ? 'no answer' : answer)))].sort();
}

/** `ECONNREFUSED`, `timeout` and the like. */
function isNone(answer: string): boolean {
  return /^(E[A-Z]+|timeout)$/.test(answer);
}

/** What the log and the summary claim in words. */
function ofWords({ before, after, result }: Seen): string[] {
  const claims = /everything is as it was/i.test(result.summary) || /everything is as it was/i.test(result.log);
  return [...(claims ? sameAs(before, after) : []), ...ofUsers(after, result)];
}

/** The versions that users are said to get still are the ones that answer, and no others do. */
function ofUsers(after: Facts, result: StepResult): string[] {
  const told = /; users still get web (?<versions>\d\S*(?: and \d\S*)*)/.exec(headingOf(result))?.groups?.['versions'];
  if (told === undefined) return [];
  const versions = told.split(' and ').map((version) => version.replace(/,$/, ''));
  const answers = after.answers.filter((answer) => !isNone(answer));
  const others = answers.filter((answer) => !versions.includes(answer.split(' ')[0] ?? ''));
  return answers.length === 0 || others.length > 0
    ? [`users are said to get ${told}, but the Service answers ${list(after.answers)}`]
    : [];
}

function serving({ endpoints }: Facts): string[] {
  return endpoints;
}

function list(answers: readonly string[]): string {
  return answers.length === 0 ? 'nothing' : answers.map((answer) => `"${answer}"`).join(', ');
}

/** What a good deploy leaves behind, whatever came before it. */
export function ofGoodEnd(result: StepResult, after: Facts, wanted: Content): string[] {
  const problems = result.exit === 0 ? ofServing(after, wanted) : [`a good deploy fails: ${headingOf(result)}`];
  if (result.exit === 0 && after.endpoints.length !== replicas)
    problems.push(`${after.endpoints.length} pods are behind the Service, and not ${replicas}`);
  return problems;
}
