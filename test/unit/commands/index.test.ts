import { describe, expect, test } from '@jest/globals';

import { inputTable } from '../../../src/action/input-table.ts';
import { command } from '../../../src/commands/command.ts';
import { commandNames, commands, type CommandName } from '../../../src/commands/index.ts';
import type { AnyCommand } from '../../../src/commands/command.ts';
import type { CommandInputId } from '../../../src/commands/inputs.ts';
import { strategies, strategyInputs, strategyNames, traitsOf } from '../../../src/strategies/traits.ts';

const records: [CommandName, AnyCommand][] = commandNames.map((name) => [name, commands[name]]);

describe('the record of commands', () => {
  test('has them in the order in which they are documented', () => {
    const changing = ['deploy', 'promote', 'abort', 'rollback', 'scale', 'pause', 'resume', 'restart'];
    const documented = [...changing, 'status', 'plan', 'preview', 'teardown'];
    expect(commandNames).toEqual(documented);
    expect(inputTable.command.values).toEqual(documented);
  });

  test.each(records)('%s declares inputs that exist, each of them once, and needs none but these', (name, declared) => {
    const { inputs, required, rights } = declared;
    expect(inputs.filter((id) => !Object.hasOwn(inputTable, id))).toEqual([]);
    expect(inputs.filter((id) => inputTable[id].commands?.includes(name) !== true)).toEqual([]);
    expect(new Set(inputs).size).toBe(inputs.length);
    expect(inputs).toEqual(expect.arrayContaining([...required]));
    // Each of them reads what is recorded of the release; the namespace of a preview need not be there yet.
    const isOfPreviews = declared.namespaceOf !== undefined;
    expect(rights.includes('history')).toBe(!isOfPreviews);
  });

  test('no input is declared by nobody', () => {
    const declared = new Set<string>(records.flatMap(([, { inputs }]) => inputs));
    const ids = Object.entries(inputTable).filter(([, definition]) => 'commands' in definition);
    expect(ids.map(([id]) => id).filter((id) => !declared.has(id))).toEqual([]);
    expect(ids).toHaveLength(declared.size);
  });

  test('an input belongs to the commands that declare it, in the order of the record', () => {
    expect(inputTable.replicas).toMatchObject({
      commands: ['deploy', 'rollback', 'scale', 'plan', 'preview'],
      required: ['scale'],
    });
    expect(inputTable.workload.commands).toEqual(['rollback', 'pause', 'resume', 'restart', 'status']);
    expect(inputTable.namespace).not.toHaveProperty('commands');
    expect(inputTable.timeout).not.toHaveProperty('required');
  });

  test('a command is told of the inputs that it declares and of no others', () => {
    const shown = command({
      inputs: ['replicas', 'image-tag', 'undo-timeout'],
      required: ['replicas'],
      rights: [],
      run: (_, options) => {
        const { release, replicas, imageTag = '', undoTimeoutMs } = options;
        // @ts-expect-error: it has not asked for it
        const { timeoutMs } = options;
        throw new Error([release, replicas.join(), imageTag, undoTimeoutMs, timeoutMs].join(' '));
      },
    });
    // @ts-expect-error: what it cannot do without is one of its inputs
    command({ inputs: ['replicas'], required: ['manifests'], rights: [], run: shown.run });
    // @ts-expect-error: what runs reads an input that is not declared
    command({ inputs: ['replicas'], required: [], rights: [], run: shown.run });
    // @ts-expect-error: there is no such input
    command({ inputs: ['replica'], required: [], rights: [], run: shown.run });
    expect(shown.inputs).toEqual(['replicas', 'image-tag', 'undo-timeout']);
  });
});

describe('the table of strategies', () => {
  test('has them in the order in which they are documented', () => {
    expect(strategyNames).toEqual(['rolling', 'canary', 'blue-green']);
    expect(inputTable.strategy.values).toEqual(strategyNames);
  });

  test('a deploy takes the inputs of all of them', () => {
    const ids: readonly CommandInputId[] = strategyInputs;
    expect([...ids].sort()).toEqual(
      [...new Set(Object.values(strategies).flatMap(({ inputs }): readonly string[] => inputs))].sort(),
    );
    expect(commands.deploy.inputs).toEqual(expect.arrayContaining([...ids]));
  });

  test('one that an old record names and nobody knows any more has no inputs, rights or objects of its own', () => {
    expect(traitsOf('constructor')).toBe(strategies.rolling);
    expect(traitsOf('canary')).toBe(strategies.canary);
  });

  test('an input belongs to the strategies that name it; to all of them when none does', () => {
    expect(inputTable['auto-promote'].strategies).toEqual(['canary', 'blue-green']);
    expect(inputTable['keep-old-for'].strategies).toEqual(['blue-green']);
    expect(inputTable['on-low-capacity']).not.toHaveProperty('strategies');
  });
});
