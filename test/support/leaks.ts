import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Step, type StepOptions, type StepResult } from './step.ts';

/** A secret that occurs nowhere by chance: letters and digits, such as `cnry4f…`. */
export function canary(): string {
  return `cnry${randomBytes(12).toString('hex')}`;
}

/** A secret that YAML takes for a number. */
export function numericCanary(): string {
  return `7${String(randomBytes(6).readUIntBE(0, 6)).padStart(14, '1').slice(0, 14)}`;
}

/** How much of a secret is already too much. */
const telling = 10;

export interface WatchedStep extends StepResult {
  /** What is left of main and post together, without the masks: log, outputs, state, summary, files, arguments of processes. */
  traces: Record<string, string>;
}

/** Main and post of one step with debug logging; what either leaves anywhere is kept. */
export async function watchedStep(inputs: Record<string, string>, options: StepOptions = {}): Promise<WatchedStep> {
  const step = new Step(inputs, { ...options, env: { RUNNER_DEBUG: '1', ACTIONS_STEP_DEBUG: 'true', ...options.env } });
  const before = options.workspace === undefined ? {} : filesIn(options.workspace);
  const seen = new Set<string>();
  const watch = setInterval(() => {
    if (step.pid !== undefined) for (const line of argumentsBelow(step.pid)) seen.add(line);
  }, 20);
  try {
    const main = await step.main();
    const post = await step.post();
    const after = options.workspace === undefined ? {} : filesIn(options.workspace);
    return {
      ...main,
      traces: {
        log: withoutMasks(main.log + post.log),
        outputs: JSON.stringify([main.outputs, post.outputs]),
        state: JSON.stringify([main.state, post.state]),
        exported: JSON.stringify([main.exported, post.exported]),
        summary: main.summary + post.summary,
        arguments: [...seen].join('\n'),
        ...filesIn(step.temp),
        ...Object.fromEntries(Object.entries(after).filter(([path, text]) => before[path] !== text)),
      },
    };
  } finally {
    clearInterval(watch);
    step.dispose();
  }
}

/** Where a secret shows: as it is, as the start of it, in base64, or in a URL. */
export function leaksOf({ traces }: Pick<WatchedStep, 'traces'>, secrets: readonly string[]): string[] {
  return secrets.flatMap((secret) => {
    const base64 = Buffer.from(secret).toString('base64').replace(/=+$/, '');
    const forms = [secret.slice(0, telling), secret.slice(-telling), base64.slice(0, -2), encodeURIComponent(secret)];
    return Object.entries(traces)
      .filter(([, text]) => forms.some((form) => text.includes(form)))
      .map(
        ([place, text]) =>
          `${place}: ${text.split('\n').find((line) => forms.some((form) => line.includes(form))) ?? ''}`,
      );
  });
}

/** The masks are how the runner learns what it must hide; it shows none of them. */
function withoutMasks(log: string): string {
  return log
    .split('\n')
    .filter((line) => !line.startsWith('::add-mask::'))
    .join('\n');
}

function filesIn(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  return Object.fromEntries(
    files.filter((path) => lstatSync(path).isFile()).map((path) => [path, readFileSync(path, 'latin1')]),
  );
}

/** The command lines of the processes that a process has started, and those have, and so on. */
function argumentsBelow(pid: number): string[] {
  return childrenOf(pid).flatMap((child) => [
    read(`/proc/${child}/cmdline`).replaceAll('\0', ' '),
    ...argumentsBelow(child),
  ]);
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((part) => part !== '')
    .map(Number);
}

/** Empty for a process that has ended meanwhile. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
