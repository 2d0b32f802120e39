import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { readInputs } from '../../../src/action/inputs.ts';
import { isObject, listAt, objectAt, objectsAt, stringAt, type JsonObject } from '../../../src/base/json.ts';
import { commandNames } from '../../../src/commands/index.ts';
import { parseChecks } from '../../../src/verify/parse.ts';

const root = join(import.meta.dirname, '../../..');
const action = 'acme/gke-rollout@v1';
/** Builds an image without any right; another workflow deploys it. */
const deploysNothing = ['preview-fork-build.yml'];

/** What stands under `with:` of each step that uses this action, and what the person who starts the workflow may choose as its command. */
function stepsOf(text: string): { inputs: JsonObject; choices: readonly string[] }[] {
  const workflow = load(text.replaceAll(/^on:/gm, "'on':"));
  if (!isObject(workflow)) return [];
  const steps = Object.values(objectAt(workflow, 'jobs')).flatMap((job) => objectsAt(job, 'steps'));
  return steps
    .filter((step) => stringAt(step, 'uses') === action)
    .map((step) => {
      const [, input = ''] = /^\$\{\{ *inputs\.(\w+) *\}\}$/.exec(stringAt(step, 'with', 'command') ?? '') ?? [];
      const options = listAt(objectAt(workflow, 'on', 'workflow_dispatch', 'inputs', input), 'options').map(String);
      return {
        inputs: objectAt(step, 'with'),
        choices: options.filter((choice) => isMeant(stringAt(step, 'if'), choice)),
      };
    });
}

/** Whether a step with this condition runs for a choice: `inputs.decision != 'status'`, `contains(fromJSON('["pause"]'), inputs.command)`. */
function isMeant(condition: string | undefined, choice: string): boolean {
  const [, list] = /fromJSON\('(\[[^']+\])'\)/.exec(condition ?? '') ?? [];
  if (list !== undefined) return (JSON.parse(list) as string[]).includes(choice);
  return condition?.endsWith(`!= '${choice}'`) !== true;
}

/** An example may be there before the command that it is about. */
function isBuilt({ inputs }: { inputs: JsonObject }): boolean {
  const command = stringAt(inputs, 'command') ?? 'deploy';
  return command.startsWith('${{') || commandNames.some((name) => name === command);
}

/** The inputs as the runner sets them, with `chosen` where the workflow has an expression. */
function environment(inputs: JsonObject, chosen: string): NodeJS.ProcessEnv {
  const expression = /\$\{\{ *(?<name>[\w.-]+)(?: \|\| '?(?<otherwise>[\w-]+)'?)? *\}\}/g;
  const value = (text: string) =>
    text.replaceAll(expression, (_, name: string, otherwise?: string) => {
      const known: Readonly<Record<string, string>> = {
        'inputs.decision': chosen,
        'inputs.command': chosen,
        'inputs.commit': '0'.repeat(40),
      };
      return known[name] ?? otherwise ?? '3';
    });
  return Object.fromEntries(
    Object.entries(inputs).map(([name, text]) => [
      `INPUT_${name.toUpperCase()}`,
      value(typeof text === 'string' ? text : JSON.stringify(text)),
    ]),
  );
}

describe('the inputs of the example workflow are right', () => {
  const files = readdirSync(join(root, 'examples/workflows'));
  test.each(files)('%s', (file) => {
    const steps = stepsOf(readFileSync(join(root, 'examples/workflows', file), 'utf8'));
    expect(steps.length > 0).toBe(!deploysNothing.includes(file));
    for (const { inputs, choices } of steps.filter(isBuilt)) {
      for (const chosen of stringAt(inputs, 'command')?.includes('inputs.') === true ? choices : ['']) {
        const read = readInputs(environment(inputs, chosen), () => undefined);
        parseChecks(read.verify ?? '');
      }
    }
  });
});
