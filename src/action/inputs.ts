import { setSecret } from '@actions/core';

import { Failure, Failures, InvalidInput } from '../base/errors.ts';
import { closest } from '../base/similar.ts';
import { isMaskable } from '../base/telling.ts';
import type { AnyCommand } from '../commands/command.ts';
import { commandNames, commands, type CommandName } from '../commands/index.ts';
import type { CommandInputs } from '../commands/inputs.ts';
import { secretsOfCredentials } from '../google/credentials-file.ts';
import { strategyNames, type StrategyName } from '../strategies/traits.ts';
import { ineffectiveInputs } from './dependent-inputs.ts';
import { parseDuration } from './duration.ts';
import { plainLines } from './harmless.ts';
import { inputTable, type InputDefinition, type InputId } from './input-table.ts';
import { secretsOfKubeconfig } from './kubeconfig-secrets.ts';
import { signInProblems } from './sign-in-inputs.ts';

type CamelCase<Id extends string> = Id extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Id;

/** `undo-timeout` → `undoTimeoutMs`: durations carry their unit. */
type Property<Id extends InputId> = (typeof inputTable)[Id] extends { type: 'duration' }
  ? `${CamelCase<Id>}Ms`
  : CamelCase<Id>;

type Value<Definition> = Definition extends { type: 'choice'; values: readonly (infer Choice)[] }
  ? Choice
  : Definition extends { type: 'boolean' }
    ? boolean
    : Definition extends { type: 'duration' }
      ? number
      : Definition extends { type: 'percents' }
        ? number[]
        : Definition extends { type: 'lines' }
          ? string[]
          : string;

type OptionalId = {
  [Id in InputId]: (typeof inputTable)[Id] extends { type: 'string' | 'text' | 'sentence' }
    ? Id
    : (typeof inputTable)[Id] extends { type: 'duration'; default: string }
      ? never
      : (typeof inputTable)[Id] extends { type: 'duration' }
        ? Id
        : never;
}[InputId];

/** What the user asked for. A list that was not given is empty; a text, or a duration without a default, is absent then. */
export type Inputs = {
  [Id in Exclude<InputId, OptionalId> as Property<Id>]: Value<(typeof inputTable)[Id]>;
} & { [Id in OptionalId as Property<Id>]?: Value<(typeof inputTable)[Id]> };

/**
 * Reads all inputs from the variables that the runner sets (`INPUT_*`) and masks the secrets among them (tokens, and what
 * is secret in a kubeconfig or in credentials given as text) before anything else happens.
 * @throws Failures with every problem that there is: unknown names and values, inputs that would have no effect,
 *   inputs that are missing
 */
export function readInputs(env: NodeJS.ProcessEnv, mask: (secret: string) => void = setSecret): Inputs {
  const given = givenInputs(env);
  const secrets = [
    ...secretsOfKubeconfig(given.get('kubeconfig') ?? ''),
    ...secretsOfCredentials(given.get('credentials-json') ?? ''),
    given.get('access-token') ?? '',
    given.get('github-token') ?? '',
  ];
  for (const secret of secrets.filter(isMaskable)) mask(secret);

  const problems: Failure[] = [...unexpectedInputs(given), ...signInProblems(given), ...ineffectiveInputs(given)];
  const values: Record<string, unknown> = {};
  for (const [id, definition] of definitions()) {
    try {
      const value = parse(id, definition, given.get(id));
      if (value !== undefined) values[propertyOf(id, definition)] = value;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      problems.push(error);
    }
  }
  const command = commandNames.find((name) => name === values['command']);
  // Commands that go on with a deploy, such as "promote", know its strategy from the cluster.
  const strategy =
    command !== undefined && takesStrategy(command)
      ? strategyNames.find((name) => name === values['strategy'])
      : undefined;
  if (command !== undefined) {
    for (const [id, definition] of definitions()) {
      const problem = misplaced(id, definition, given.get(id), command, strategy);
      if (problem !== undefined) problems.push(problem);
    }
  }
  const [first, ...more] = problems;
  if (first !== undefined) {
    throw more.length === 0
      ? new Failures(first.message, problems, first.hint === undefined ? {} : { hint: first.hint })
      : new Failures(`${problems.length} inputs are wrong`, problems, { hint: 'Fix them in the workflow.' });
  }
  // The keys and values follow the same table as the type does.
  return values as Inputs satisfies CommandInputs;
}

/**
 * The command that the workflow asks for, also where other inputs are wrong: what failed is to be called by its name.
 * Undefined for one that does not exist.
 */
export function commandAskedFor(env: NodeJS.ProcessEnv): CommandName | undefined {
  const asked = givenInputs(env).get('command') ?? inputTable.command.default;
  return commandNames.find((name) => name === asked);
}

/** Whether an input is of use to this command and strategy, or missing: undefined when all is well. */
export function misplaced(
  id: string,
  definition: InputDefinition,
  value: string | undefined,
  command: CommandName,
  strategy: StrategyName | undefined,
): InvalidInput | undefined {
  if (value === undefined) {
    if (definition.required?.includes(command) !== true) return undefined;
    return new InvalidInput(`the command "${command}" needs the input "${id}"`, {
      hint: `Add it to the step, for example "${id}: ${firstLine(definition.example)}".`,
    });
  }
  // The runner sets defaults on every run; they say nothing about what the user wants.
  if (value === definition.default) return undefined;
  if (definition.commands?.includes(command) === false) {
    return new InvalidInput(
      `the input "${id}" has no effect on the command "${command}"; it belongs to ${list(definition.commands)}`,
      { hint: 'Remove it, or choose another command.' },
    );
  }
  if (takesStrategy(command) && strategy !== undefined && definition.strategies?.includes(strategy) === false) {
    return new InvalidInput(
      `the input "${id}" has no effect on the strategy "${strategy}"; it belongs to ${list(definition.strategies)}`,
      { hint: 'Remove it, or choose another strategy.' },
    );
  }
  return undefined;
}

function takesStrategy(name: CommandName): boolean {
  const { inputs }: AnyCommand = commands[name];
  return inputs.includes('strategy');
}

/** The example as it could stand on one line. */
function firstLine(example: string): string {
  return /^\|\n\s*(?<line>.*)/.exec(example)?.groups?.['line'] ?? example;
}

function definitions(): [InputId, InputDefinition][] {
  return Object.entries(inputTable) as [InputId, InputDefinition][];
}

/** Everything that was given, by the name it has in a workflow; blank means not given. */
function givenInputs(env: NodeJS.ProcessEnv): Map<string, string> {
  const given = new Map<string, string>();
  for (const [variable, value = ''] of Object.entries(env)) {
    if (variable.startsWith('INPUT_') && value.trim() !== '') {
      given.set(variable.slice('INPUT_'.length).toLowerCase(), value.trim());
    }
  }
  return given;
}

/**
 * The runner sets `INPUT_*` for what stands under `with:` and for defaults, for nothing else; about names that action.yml
 * does not have it only warns. A job or a composite action can set such variables as well, hence the hint.
 */
function unexpectedInputs(given: ReadonlyMap<string, string>): InvalidInput[] {
  return [...given.keys()]
    .filter((name) => !Object.hasOwn(inputTable, name))
    .map((name) => {
      const near = closest(name, Object.keys(inputTable));
      return new InvalidInput(`there is no input "${name}"`, {
        hint:
          near === undefined
            ? `Remove it from "with:", or the variable INPUT_${name.toUpperCase()} from "env:".`
            : `Did you mean "${near}"?`,
      });
    });
}

function parse(id: string, definition: InputDefinition, given: string | undefined): unknown {
  const text = given ?? definition.default;
  switch (definition.type) {
    case 'string':
      return text === undefined ? undefined : checkFormat(id, definition.format, text);
    case 'text':
      return text;
    case 'sentence':
      return text === undefined ? undefined : parseSentence(id, text, definition.longest);
    case 'lines':
      return (text ?? '')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '');
    case 'boolean':
      return parseBoolean(id, text ?? definition.default);
    case 'duration':
      return text === undefined ? undefined : parseDuration(text, id, definition.mayBeZero);
    case 'percents':
      return parsePercents(id, text ?? definition.default);
    case 'choice':
      return parseChoice(id, definition.values, text ?? definition.default);
  }
}

function checkFormat(id: string, format: Extract<InputDefinition, { type: 'string' }>['format'], text: string): string {
  if (format === undefined || format.pattern.test(text)) return text;
  throw new InvalidInput(`the input "${id}" is "${text}", which is not a valid ${format.name}`, { hint: format.hint });
}

/** One line without control characters. */
function parseSentence(id: string, text: string, longest: number): string | undefined {
  const line = plainLines(text).join(' ').replaceAll(/\s+/g, ' ').trim();
  const { length } = Array.from(line);
  if (length <= longest) return line === '' ? undefined : line;
  throw new InvalidInput(`the input "${id}" has ${length} characters, and ${longest} are allowed`, {
    hint: 'Shorten it; a link to more may be a part of it.',
  });
}

/** The booleans of YAML's core schema, as the toolkit reads them. */
function parseBoolean(id: string, text: string): boolean {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  throw new InvalidInput(`the input "${id}" is "${text}", which is not a boolean`, { hint: 'Use true or false.' });
}

/** `10, 25, 50`: whole numbers from 1 to 99, each larger than the one before. */
function parsePercents(id: string, text: string): number[] {
  const percents = text.split(/[\s,]+/).map((part) => (/^\d{1,2}%?$/.test(part) ? Number.parseInt(part, 10) : 0));
  if (percents.every((percent, index) => percent > (percents[index - 1] ?? 0))) return percents;
  throw new InvalidInput(`the input "${id}" is "${text}", which is not a list of increasing percentages`, {
    hint: 'Use whole numbers from 1 to 99, such as "10, 25, 50".',
  });
}

function parseChoice(id: string, values: readonly string[], text: string): string {
  if (values.includes(text)) return text;
  const near = closest(text, values);
  throw new InvalidInput(`the input "${id}" is "${text}"; it must be one of ${list(values)}`, {
    hint: near === undefined ? 'Choose one of them.' : `Did you mean "${near}"?`,
  });
}

function propertyOf(id: string, definition: InputDefinition): string {
  const camel = id.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return definition.type === 'duration' ? `${camel}Ms` : camel;
}

/** `"deploy", "plan" and "preview"` */
function list(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1) ?? ''}`;
}
