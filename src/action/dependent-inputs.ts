import { InvalidInput } from '../base/errors.ts';
import { inputTable, type InputDefinition, type InputId } from './input-table.ts';

interface Dependency {
  input: InputId;
  /** Whether it has an effect. */
  has: (valueOf: (id: InputId) => string | undefined) => boolean;
  /** Completes "the input … has no effect …". */
  without: string;
  hint: string;
}

/** Inputs that have an effect only beside another one; those of signing in have a table of their own. */
const dependencies: readonly Dependency[] = [
  {
    input: 'session-affinity-timeout',
    has: (valueOf) => valueOf('session-affinity') === 'client-ip',
    without: 'without "session-affinity: client-ip"',
    hint: 'Set that too, or remove it.',
  },
  {
    input: 'session-affinity-services',
    has: (valueOf) => valueOf('session-affinity') !== undefined,
    without: 'without "session-affinity"',
    hint: 'Set that too, or remove it.',
  },
  {
    input: 'undo-timeout',
    has: (valueOf) => !isFalse(valueOf('undo-on-failure')),
    without: 'with "undo-on-failure: false"',
    hint: 'Remove one of them.',
  },
  {
    input: 'keep-old-for',
    has: (valueOf) => valueOf('command') !== 'rollback' || valueOf('workload') === undefined,
    without: 'with "workload", which rolls back one workload, in place',
    hint: 'Remove one of them.',
  },
  {
    input: 'await',
    has: (valueOf) => valueOf('workload') === undefined,
    without: 'with "workload", which rolls back one workload, judged by a rule of its own',
    hint: 'Remove one of them.',
  },
  {
    input: 'prune',
    has: (valueOf) => valueOf('workload') === undefined,
    without: 'with "workload", which rolls back one workload and nothing else',
    hint: 'Remove one of them.',
  },
];

/**
 * Inputs that were given and would do nothing for lack of another one.
 * @param given inputs by name, as they stand in the workflow, defaults of the runner included; blank ones left out
 */
export function ineffectiveInputs(given: ReadonlyMap<string, string>): InvalidInput[] {
  const valueOf = (id: InputId) => given.get(id) ?? defaultOf(id);
  return dependencies
    .filter(({ input, has }) => {
      const value = given.get(input);
      return value !== undefined && value !== defaultOf(input) && !has(valueOf);
    })
    .map(({ input, without, hint }) => new InvalidInput(`the input "${input}" has no effect ${without}`, { hint }));
}

function defaultOf(id: InputId): string | undefined {
  const definition: InputDefinition = inputTable[id];
  return definition.default;
}

function isFalse(value: string | undefined): boolean {
  return value?.toLowerCase() === 'false';
}
