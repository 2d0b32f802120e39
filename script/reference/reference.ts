/** action.yml, the tables of the README and the page of rules, made from the tables in the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { inputTable, type InputDefinition } from '../../src/action/input-table.ts';
import { outputTable } from '../../src/action/output-table.ts';
import { markdownTable } from './markdown-table.ts';
import { rolloutRulesPage } from './rollout-rules.ts';

const root = join(import.meta.dirname, '../..');

export interface Generated {
  path: string;
  text: string;
}

/** The files as they must be; the README keeps its text around the markers. */
export async function reference(): Promise<Generated[]> {
  const readme = join(root, 'README.md');
  const tables = replaceBetween(
    replaceBetween(readFileSync(readme, 'utf8'), 'inputs', inputsTable()),
    'outputs',
    outputsTable(),
  );
  return await Promise.all([
    formatted(join(root, 'action.yml'), actionYml()),
    formatted(readme, tables),
    formatted(join(root, 'docs/rollout-rules.md'), rolloutRulesPage()),
  ]);
}

const inputs: [string, InputDefinition][] = Object.entries(inputTable);
const outputs = Object.entries(outputTable);

function actionYml(): string {
  return `# Made by script/docs from src/action/input-table.ts and src/action/output-table.ts.
name: gke-rollout
description: >-
  Deploys to GKE and any other Kubernetes: waits with understanding, names the cause of a failure, and undoes everything it changed.
author: gke-rollout
branding:
  icon: upload-cloud
  color: blue
inputs:
${inputs.map(([id, definition]) => inputYml(id, definition)).join('\n')}
outputs:
${outputs.map(([id, { description, example }]) => `  ${id}:\n${block([description, `Example: ${example}`])}`).join('\n')}
runs:
  using: node24
  main: dist/index.js
  post: dist/post.js
`;
}

function inputYml(id: string, definition: InputDefinition): string {
  const example = `${id}: ${definition.example}`.split('\n');
  const lines = [
    ...[definition.description, allowed(definition), commandsOf(definition)].filter((line) => line !== ''),
    'Example:',
    '',
    ...example.map((line) => `    ${line}`),
  ];
  const given = givenBy(definition);
  const value = given === undefined ? '' : `\n    default: '${given}'`;
  return `  ${id}:\n${block(lines)}\n    required: false${value}`;
}

/** What the runner hands over where the workflow says nothing. */
function givenBy({ default: value, runnerDefault }: InputDefinition): string | undefined {
  return value ?? runnerDefault;
}

/** A description as a block scalar, wrapped; lines that begin with a blank stay as they are. */
function block(paragraphs: readonly string[]): string {
  const lines = paragraphs.flatMap((line) => (line.startsWith(' ') ? [line] : wrap(line)));
  return ['    description: |-', ...lines.map((line) => (line === '' ? '' : `      ${line}`))].join('\n');
}

function wrap(text: string, width = 100): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}

function allowed(definition: InputDefinition): string {
  return definition.type === 'choice' ? `One of ${definition.values.map((value) => `\`${value}\``).join(', ')}.` : '';
}

function commandsOf({ commands, strategies, required }: InputDefinition): string {
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
  return [
    commands === undefined
      ? ''
      : `For ${list(commands)}${required === undefined ? '.' : `; required for ${list(required)}.`}`,
    strategies === undefined ? '' : `For the strategies ${list(strategies)}.`,
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

function inputsTable(): string {
  const rows = inputs.map(([id, definition]) => {
    const example = definition.example.includes('\n')
      ? definition.example
          .split('\n')
          .slice(1)
          .map((line) => line.trim())
      : [definition.example];
    const text = [definition.description, allowed(definition)].filter((part) => part !== '').join(' ');
    return [
      `\`${id}\``,
      `${text}<br>${example.map((line) => `\`${line}\``).join('<br>')}`,
      givenBy(definition) === undefined ? '' : `\`${givenBy(definition) ?? ''}\``,
      commandsOf(definition).replace(/^For /, '').replace(/\.$/, '') || 'all',
    ];
  });
  return markdownTable(['Input', 'What it is, and an example', 'Default', 'Commands'], rows);
}

function outputsTable(): string {
  const rows = outputs.map(([id, { description, example }]) => [`\`${id}\``, description, `\`${example}\``]);
  return markdownTable(['Output', 'What it is', 'Example'], rows);
}

/** @throws Error when the README has no such markers */
function replaceBetween(text: string, name: string, content: string): string {
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from === -1 || to < from) throw new Error(`README.md has no "${start}" with an "${end}" after it`);
  return `${text.slice(0, from + start.length)}\n\n${content}\n\n${text.slice(to)}`;
}

async function formatted(path: string, text: string): Promise<Generated> {
  return { path, text: await format(text, { ...(await resolveConfig(path)), filepath: path }) };
}
