import { durationOf } from '../../../base/duration.ts';
import { Failures, InvalidInput } from '../../../base/errors.ts';
import { readJsonPath } from '../../../base/json-path.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import { isWorkload, keepsItsPods } from '../../../manifests/kinds.ts';
import { followedBy, hasRule } from '../index.ts';
import { conditionStates, numberOf, operators, type Expectation, type Operator } from './expectation.ts';
import { describeSelector, type Failing, type Selector, type UserRule } from './user-rule.ts';

/** One line of the input, understood. */
type Statement = Selector & { line: number } & (
    | { says: 'never' }
    | { says: 'ready'; expectation: Expectation }
    | { says: 'failed'; expectation: Expectation; graceMs: number }
  );

/** What is wrong with a line, and what to write instead. */
type Complain = (message: string, hint: string) => InvalidInput;

/** A grace longer than any job may run, ms. */
const longestMs = 120 * 3_600_000;

/** Of a text that is not understood, so much is shown. */
const shownLength = 100;

/**
 * The rules of the input `await`, one statement per line: `Kind.group ready .status.phase == Running`. Blank lines and those that begin
 * with `#` are left out.
 * @throws Failures with every problem that there is, each with its line
 */
export function parseUserRules(text: string): UserRule[] {
  const problems: InvalidInput[] = [];
  const statements: Statement[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) continue;
    try {
      statements.push(parseLine(line, index + 1));
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      problems.push(error);
    }
  }
  const groups = Map.groupBy(statements, describeSelector);
  problems.push(...[...groups.values()].flatMap((ofOne) => [...contradictionIn(ofOne), ...incompletenessOf(ofOne)]));
  const [first, ...more] = problems;
  if (first === undefined) return [...groups.values()].flatMap(ruleFrom);
  throw more.length === 0
    ? new Failures(first.message, problems, first.hint === undefined ? {} : { hint: first.hint })
    : new Failures(`the input "await" has ${problems.length} problems`, problems, {
        hint: 'Fix them in the workflow.',
      });
}

function wrong(line: number, message: string, hint: string): InvalidInput {
  return new InvalidInput(`line ${line} of the input "await": ${message}`, { hint });
}

function ruleFrom(statements: readonly Statement[]): UserRule[] {
  const [first] = statements;
  if (first === undefined) return [];
  const { kind, group, name, line } = first;
  return [
    {
      ...{ kind, group, line, ...(name === undefined ? {} : { name }) },
      isNever: first.says === 'never',
      ready: statements.flatMap((one) => (one.says === 'ready' ? [one.expectation] : [])),
      failed: statements.flatMap((one): Failing[] =>
        one.says === 'failed' ? [{ line: one.line, expectation: one.expectation, graceMs: one.graceMs }] : [],
      ),
    },
  ];
}

/** What is never waited for is neither ready nor failed. */
function contradictionIn(statements: readonly Statement[]): InvalidInput[] {
  const never = statements.find(({ says }) => says === 'never');
  const other = statements.find(({ says }) => says !== 'never');
  if (never === undefined || other === undefined) return [];
  const [first, second] = never.line < other.line ? [never, other] : [other, never];
  const message = `"${describeSelector(second)} ${second.says}" contradicts "${first.says}" in line ${first.line}`;
  return [wrong(second.line, message, 'Remove one of them.')];
}

/** A kind without a rule of its own may be ready as soon as it is applied, before it could fail. */
function incompletenessOf([first, ...more]: readonly Statement[]): InvalidInput[] {
  if (first?.says !== 'failed' || more.some(({ says }) => says !== 'failed') || hasRule(exampleOf(first))) return [];
  const name = describeSelector(first);
  return [
    wrong(first.line, `no line says when "${name}" is ready`, `Add one, such as "${name} ready condition Ready".`),
  ];
}

function parseLine(text: string, line: number): Statement {
  const complain: Complain = (message, hint) => wrong(line, message, hint);
  const [selected, statement] = takeWord(text);
  const selector = selectorFrom(selected, complain);
  const [says, rest] = takeWord(statement);
  const name = describeSelector(selector);
  switch (says) {
    case 'never':
      if (rest !== '') throw complain(`"${shown(rest)}" follows "never"`, `Write only "${name} never".`);
      refuseNever(selector, complain);
      return { ...selector, line, says };
    case 'ready':
      refuseOwnKinds(selector, complain);
      if (splitGrace(rest) !== undefined)
        throw complain('"after" belongs to "failed"', 'Remove it, or put the value in quotes if it is part of it.');
      return { ...selector, line, says, expectation: expectationFrom(rest, name, complain) };
    case 'failed': {
      refuseOwnKinds(selector, complain);
      const { before, grace } = splitGrace(rest) ?? { before: rest, grace: undefined };
      const expectation = expectationFrom(before, name, complain);
      return { ...selector, line, says, expectation, graceMs: grace === undefined ? 0 : graceFrom(grace, complain) };
    }
    default:
      throw complain(
        says === '' ? `"${name}" says nothing` : `"${shown(says)}" is not "ready", "failed" or "never"`,
        `Write, for example, "${name} ready .status.phase == Running", "${name} ready condition Ready" or "${name} never".`,
      );
  }
}

function selectorFrom(text: string, complain: Complain): Selector {
  const groups =
    /^(?<kind>[A-Z][A-Za-z0-9]{0,62})(?:\.(?<group>[a-z0-9.-]{1,253}))?(?:\/(?<name>[a-z0-9.:-]{1,253}))?$/.exec(
      text,
    )?.groups;
  if (groups?.['kind'] === undefined)
    throw complain(
      `"${shown(text)}" is not a kind`,
      'Start with KIND.GROUP or KIND.GROUP/NAME, such as "Widget.example.com" or "Widget.example.com/main".',
    );
  const { kind, group = '', name } = groups;
  return { kind, group, ...(name === undefined ? {} : { name }) };
}

/** Whether it is a kind of Kubernetes itself, which has its rule here, or needs none. */
function refuseOwnKinds(selector: Selector, complain: Complain): void {
  const example = exampleOf(selector);
  const isOwn =
    !selector.group.includes('.') ||
    (selector.group.endsWith('.k8s.io') && !selector.group.endsWith('.x-k8s.io') && hasRule(example));
  if (!isOwn) return;
  const name = describeSelector({ kind: selector.kind, group: selector.group });
  throw complain(
    `"${name}" is a kind of Kubernetes itself, which is judged by a rule of its own`,
    'Remove the line; custom resources are named with their group, such as "Widget.example.com".',
  );
}

function refuseNever(selector: Selector, complain: Complain): void {
  const example = exampleOf(selector);
  const isLasting = followedBy(example)?.runsPods === true && keepsItsPods(example);
  if (!isWorkload(example) && !isLasting) return;
  const name = describeSelector({ kind: selector.kind, group: selector.group });
  throw complain(`"${name}" runs pods, which are always waited for`, 'Remove the line.');
}

/** The kind as an object would have it; of its version, nobody asks. */
function exampleOf({ kind, group }: Selector): KubernetesObject {
  return { apiVersion: group === '' ? 'v1' : `${group}/v1`, kind, metadata: { name: 'any' } };
}

function expectationFrom(text: string, name: string, complain: Complain): Expectation {
  const [first, rest] = takeWord(text);
  if (first === 'condition') return conditionFrom(rest, complain);
  const example = `Write, for example, "${name} ready .status.phase == Running".`;
  if (text === '') throw complain('it does not say what must hold', example);
  const found = readJsonPath(text);
  if (found === undefined)
    throw complain(
      `"${shown(first)}" is not a path`,
      'Start with a path such as ".status.phase" or ".status.items[0].state", or with "condition".',
    );
  const { path } = found;
  const after = found.rest.trimStart();
  if (after === 'exists' && found.rest !== after) return { about: 'presence', path };
  const operator = operators.find((one) => after.startsWith(one));
  if (operator === undefined)
    throw complain(
      after === '' ? `nothing follows the path "${shown(text)}"` : `"${shown(after)}" is not a comparison`,
      `Write ${operators.join(', ')} with a value after the path, or "exists".`,
    );
  return { about: 'value', path, operator, ...valueFrom(after.slice(operator.length).trim(), operator, complain) };
}

function valueFrom(text: string, operator: Operator, complain: Complain): { value: string; isText: boolean } {
  if (text === '') throw complain(`nothing follows "${operator}"`, 'Write the value; "" is the empty one.');
  const quoted = text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : undefined;
  if (quoted === undefined && /\s|^['=]/.test(text))
    throw complain(
      `"${shown(text)}" is not one value`,
      'Put it in double quotes if it is; each condition has a line of its own, and a grace is written "after 60s", without a space.',
    );
  const isNumeric = quoted === undefined && numberOf(text) !== undefined;
  if (operator !== '==' && operator !== '!=' && !isNumeric)
    throw complain(
      `"${operator}" compares numbers, and "${shown(text)}" is not one`,
      'Write a number without quotes, such as 3.',
    );
  if (quoted === undefined && /^\.[A-Za-z_]/.test(text))
    throw complain(
      `"${shown(text)}" is a path, and only values can be compared with`,
      'Write the value itself; put it in quotes if it is a text that begins with ".".',
    );
  return { value: quoted ?? text, isText: quoted !== undefined };
}

/** `Ready`, `Degraded == False` */
function conditionFrom(text: string, complain: Complain): Expectation {
  const [type, rest] = takeWord(text);
  if (!/^[A-Za-z0-9][\w./-]{0,315}$/.test(type))
    throw complain(
      type === '' ? 'it does not say which condition' : `"${shown(type)}" is not the type of a condition`,
      'Write, for example, "condition Ready" or "condition Degraded == False".',
    );
  if (rest === '') return { about: 'condition', type, operator: '==', status: 'True' };
  const operator = rest.startsWith('==') ? '==' : rest.startsWith('!=') ? '!=' : undefined;
  const value = rest.slice(2).trim();
  const status = conditionStates.find((state) => state === value || `"${state}"` === value);
  if (operator === undefined || status === undefined)
    throw complain(
      `"${shown(rest)}" is not a state of a condition`,
      `Write "condition ${type} == True", or False or Unknown.`,
    );
  return { about: 'condition', type, operator, status };
}

/** `.status.phase == Error after 60s`: what stands before the grace, and that; undefined where there is none. */
function splitGrace(text: string): { before: string; grace: string } | undefined {
  const words = text.split(/\s/).filter((word) => word !== '');
  const grace = words.at(-1);
  if (grace === undefined || words.at(-2) !== 'after' || words.length < 3) return undefined;
  // Within quotes it is part of the value.
  if (grace.endsWith('"')) return undefined;
  const rest = text.slice(0, text.length - grace.length).trimEnd();
  return { before: rest.slice(0, rest.length - 'after'.length).trimEnd(), grace };
}

function graceFrom(text: string, complain: Complain): number {
  const ms = durationOf(text);
  if (ms === undefined || ms > longestMs)
    throw complain(
      `"${shown(text)}" is not a valid duration`,
      'Use hours, minutes and seconds in this order, such as 90s, 10m or 1h30m.',
    );
  return ms;
}

function takeWord(text: string): [word: string, rest: string] {
  const end = text.search(/\s/);
  return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end).trimStart()];
}

function shown(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength)}…`;
}
