/** What all parts of the demo share: running the action, and saying what is as it should be. */
import { request } from 'node:http';

import { total, type LoadResult } from '../../test/support/load.ts';
import { asShown } from './as-shown.ts';
import type { Step, StepOptions, StepResult } from '../../test/support/step.ts';

export interface Stage {
  /** Runs a step to its end, main and post, and shows its inputs and its log. */
  action: (title: string, inputs: Record<string, string>, options?: StepOptions) => Promise<StepResult>;
  /** Begins a step that is still under way when the story goes on. */
  begin: (
    title: string,
    inputs: Record<string, string>,
    options?: StepOptions,
  ) => { step: Step; end: Promise<StepResult> };
  kubectl: (args: readonly string[]) => Promise<string>;
  namespace: string;
  /** The folder that the steps run in. */
  workspace: string;
}

/** @throws Error when it is not what it should be */
export function expect(what: string, found: unknown, wanted: unknown): void {
  if (found !== wanted) throw new Error(`${what}: expected ${String(wanted)}, found ${String(found)}`);
  console.log(`✓ ${what}: ${String(found)}`);
}

/** @param prefix what the figures are called by: `canary-` */
export function expectNoneLost(prefix: string, requests: LoadResult): void {
  console.log(`figure ${prefix}requests-sent ${requests.sent}`);
  console.log(`figure ${prefix}requests-lost ${total(requests.lost)}`);
  expect('lost requests', total(requests.lost), 0);
  const others = [...requests.answers.keys()].filter((answer) => !answer.startsWith('200'));
  expect('answers other than 200', others.join(), '');
}

export function headline(text: string): void {
  console.log(`\n\u001b[1m── ${text}\u001b[0m`);
}

/** Prints a line of a step's log as GitHub shows it. */
export function show(line: string): void {
  const shown = asShown(line);
  if (shown !== undefined) console.log(shown);
}

export function showInputs(inputs: Record<string, string>): void {
  for (const [name, value] of Object.entries(inputs)) {
    console.log(`    ${name}: ${value.includes('\n') ? `|\n${value.replaceAll(/^/gm, '      ')}` : value}`);
  }
  console.log('');
}

export function seconds(from: number): string {
  return `${((Date.now() - from) / 1000).toFixed(0)} s`;
}

export interface Answers {
  byVersion: Map<string, number>;
  byPod: Map<string, number>;
}

/** Asks so many times, one request after the other, each on a connection of its own, and counts who answers. */
export async function ask(url: string, times: number): Promise<Answers> {
  const answers: Answers = { byVersion: new Map(), byPod: new Map() };
  const count = (counts: Map<string, number>, key: string | string[] = 'none') =>
    counts.set(String(key), (counts.get(String(key)) ?? 0) + 1);
  for (let index = 0; index < times; index += 1) {
    const headers = await headersOf(url);
    count(answers.byVersion, headers['x-version']);
    count(answers.byPod, headers['x-pod']);
  }
  return answers;
}

async function headersOf(url: string): Promise<NodeJS.Dict<string | string[]>> {
  return (await answerOf(url)).headers;
}

interface Answer {
  headers: NodeJS.Dict<string | string[]>;
  /** Without white space around it. */
  text: string;
}

/** Asks on a connection of its own: one that was kept open may still lead to a pod that is about to end. */
export function answerOf(url: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false, timeout: 3000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ headers: response.headers, text: text.trim() });
      });
    });
    call.on('timeout', () => call.destroy(new Error(`${url} does not answer`)));
    call.on('error', reject);
    call.end();
  });
}
