/** action.yml and the pages of inputs, outputs and rollout rules, made from the tables in the code. */
import { join } from 'node:path';

import { format, resolveConfig } from 'prettier';

import { inputTable, type InputDefinition } from '../../src/action/input-table.ts';
import { outputTable } from '../../src/action/output-table.ts';
import { inputGroups, titleOfOthers } from './input-groups.ts';
import { markdownTable } from './markdown-table.ts';
import { rolloutRulesPage } from './rollout-rules.ts';

const root = join(import.meta.dirname, '../..');

export interface Generated {
  path: string;
  text: string;
}

/** The files as they must be. */
export async function reference(): Promise<Generated[]> {
  return await Promise.all([
    formatted(join(root, 'action.yml'), actionYml()),
    formatted(join(root, 'docs/inputs.md'), inputsPage()),
    formatted(join(root, 'docs/outputs.md'), outputsPage()),
    formatted(join(root, 'docs/rollout-rules.md'), rolloutRulesPage()),
  ]);
}

const inputs: [string, InputDefinition][] = Object.entries(inputTable);
const outputs = Object.entries(outputTable);

function actionYml(): string {
  return `# Made by script/docs from src/action/input-table.ts and src/action/output-table.ts.
name: gke-rollout
description: >-
  Deploys to GKE and any other Kubernetes: waits for the rollout, explains failures, and undoes everything it changed.
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

function inputsPage(): string {
  const grouped = new Set<string>(inputGroups.flatMap((group) => group.inputs));
  const others = inputs.map(([id]) => id).filter((id) => !grouped.has(id));
  return `# Inputs

Made by \`script/docs\` from \`src/action/input-table.ts\`.

An unknown input, a value that is not allowed, and an input that has no effect on the chosen command or strategy are errors. Only
\`manifests\` is required, and only for \`deploy\` and \`plan\`; \`replicas\` is required for \`scale\`. Durations are written \`90s\`,
\`10m\` or \`1h30m\`.

${[...inputGroups, { title: titleOfOthers, inputs: others }].map(({ title, inputs: ids }) => `## ${title}\n\n${inputsTable(ids)}`).join('\n\n')}
`;
}

function inputsTable(ids: readonly string[]): string {
  const rows = inputs.filter(([id]) => ids.includes(id)).map(([id, definition]) => inputRow(id, definition));
  return markdownTable(['Input', 'What it is, and an example', 'Default', 'Commands'], rows);
}

function inputRow(id: string, definition: InputDefinition): string[] {
  const example = definition.example.includes('\n')
    ? definition.example
        .split('\n')
        .slice(1)
        .map((line) => line.trim())
    : [definition.example];
  const text = [definition.description, allowed(definition)].filter((part) => part !== '').join(' ');
  return [
    `\`${id}\``,
    `${linkedPages(text)}<br>${example.map((line) => `\`${line}\``).join('<br>')}`,
    givenBy(definition) === undefined ? '' : `\`${givenBy(definition) ?? ''}\``,
    commandsOf(definition).replace(/^For /, '').replace(/\.$/, '') || 'all',
  ];
}

function outputsPage(): string {
  const rows = outputs.map(([id, { description, example }]) => [
    `\`${id}\``,
    linkedPages(description),
    `\`${example}\``,
  ]);
  return `# Outputs

Made by \`script/docs\` from \`src/action/output-table.ts\`.

A later step reads them as \`steps.ID.outputs.NAME\`. Hand them to a script through \`env\`, never as part of its text. An output that
does not apply to the command is empty.

${markdownTable(['Output', 'What it is', 'Example'], rows)}
`;
}

/** Descriptions name pages from the root of the repository; these pages stand beside them. */
function linkedPages(text: string): string {
  return text.replaceAll(
    /\[docs\/[\w-]+\.md\]\(docs\/([\w-]+\.md)\)|docs\/([\w-]+\.md)/g,
    (_, linked?: string, bare?: string) => {
      const page = linked ?? bare ?? '';
      return `[${page}](${page})`;
    },
  );
}

async function formatted(path: string, text: string): Promise<Generated> {
  return { path, text: await format(text, { ...(await resolveConfig(path)), filepath: path }) };
}
