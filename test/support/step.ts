import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { createInterface } from 'node:readline';

const root = join(import.meta.dirname, '../..');

/** What the runner starts: the packaged action. `TEST_ENTRY=src/index.ts` tries a change without building it. */
const entry = join(root, process.env['TEST_ENTRY'] ?? 'dist/index.js');
const entries = { main: entry, post: join(dirname(entry), `post${extname(entry)}`) };

export interface StepOptions {
  /** The folder that `manifests` and other paths are relative to; the repository of this action by default. */
  workspace?: string;
  /** Variables beside the ones that the runner sets. */
  env?: Record<string, string>;
  /** Gets the lines of the log while they come. */
  onLine?: (line: string) => void;
  /** A program that starts what comes after it on its command line, and measures it. */
  under?: readonly string[];
}

export interface StepResult {
  /** The exit code, or the signal that ended the process. */
  exit: number | NodeJS.Signals;
  /** stdout and stderr, in order. */
  log: string;
  outputs: Record<string, string>;
  state: Record<string, string>;
  /** The Markdown of the job summary. */
  summary: string;
  /** Variables that later steps get. */
  exported: Record<string, string>;
  durationMs: number;
}

/**
 * A step of a workflow that uses the packaged action: `dist/` started as the runner starts it, with inputs as `INPUT_*`,
 * files for outputs, state and summary, and the post step afterwards.
 */
export class Step {
  readonly #folder: string;
  readonly #env: Record<string, string>;
  readonly #workspace: string;
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #under: readonly string[];
  #state: Record<string, string> = {};
  #process: ChildProcess | undefined;

  constructor(inputs: Record<string, string>, options: StepOptions = {}) {
    this.#folder = mkdtempSync(join(tmpdir(), 'gke-rollout-step-'));
    this.#workspace = options.workspace ?? root;
    this.#onLine = options.onLine;
    this.#under = options.under ?? [];
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      HOME: this.#folder,
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTION: 'deploy',
      GITHUB_ACTOR: 'octocat',
      GITHUB_API_URL: 'http://127.0.0.1:1',
      GITHUB_EVENT_NAME: 'push',
      GITHUB_JOB: 'deploy',
      GITHUB_REF: 'refs/heads/main',
      GITHUB_REPOSITORY: 'acme/shop',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_RUN_ID: String(1_000_000 + Math.floor(Math.random() * 1_000_000)),
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
      GITHUB_WORKFLOW: 'deploy',
      GITHUB_WORKSPACE: this.#workspace,
      RUNNER_OS: 'Linux',
      RUNNER_TEMP: this.#folder,
      ...Object.fromEntries(Object.entries(inputs).map(([name, value]) => [inputVariable(name), value])),
      ...options.env,
    };
  }

  /** Runs the main step to its end. */
  main(): Promise<StepResult> {
    return this.#run('main');
  }

  /** Runs the post step, which gets the state that the main step saved. */
  post(): Promise<StepResult> {
    return this.#run('post');
  }

  /** RUNNER_TEMP, in which the runner's own files lie as well. */
  get temp(): string {
    return this.#folder;
  }

  /** The process of the step that runs now. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Sends a signal to the running step, as the runner does on cancel. */
  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Removes RUNNER_TEMP. */
  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #run(phase: 'main' | 'post'): Promise<StepResult> {
    const file = (name: string) => join(this.#folder, `${phase}-${name}`);
    const files = {
      GITHUB_ENV: file('env'),
      GITHUB_OUTPUT: file('output'),
      GITHUB_PATH: file('path'),
      GITHUB_STATE: file('state'),
      GITHUB_STEP_SUMMARY: file('summary'),
    };
    for (const path of Object.values(files)) writeFileSync(path, '');
    const started = performance.now();
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', entries[phase]];
    const [program = '', ...args] = [...this.#under, ...command];
    const child = spawn(program, args, {
      cwd: this.#workspace,
      env: {
        ...files,
        ...this.#env,
        ...Object.fromEntries(Object.entries(this.#state).map(([name, value]) => [`STATE_${name}`, value])),
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    let log = '';
    const take = (chunk: Buffer) => {
      log += chunk.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    if (this.#onLine !== undefined) {
      for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', this.#onLine);
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code, signal) => {
        const state = readEnvFile(files.GITHUB_STATE);
        this.#state = { ...this.#state, ...state };
        resolve({
          exit: code ?? signal ?? 1,
          log,
          outputs: readEnvFile(files.GITHUB_OUTPUT),
          state,
          exported: readEnvFile(files.GITHUB_ENV),
          summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'),
          durationMs: performance.now() - started,
        });
      });
    });
  }
}

/** Main and post of one step, one after the other; the result is that of main. */
export async function runStep(inputs: Record<string, string>, options: StepOptions = {}): Promise<StepResult> {
  const step = new Step(inputs, options);
  try {
    const result = await step.main();
    const post = await step.post();
    return { ...result, log: result.log + post.log, summary: result.summary + post.summary };
  } finally {
    step.dispose();
  }
}

/** The runner's rule: upper case, blanks become underscores, hyphens stay. */
function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

/** Reads the `name<<delimiter` form in which the toolkit writes outputs and state. */
function readEnvFile(path: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = readFileSync(path, 'utf8').split('\n');
  for (let index = 0; index < lines.length; index += 1) {
    const head = /^(?<name>[^=<]+)<<(?<delimiter>.+)$/.exec(lines[index] ?? '')?.groups;
    if (head === undefined) continue;
    const end = lines.indexOf(head['delimiter'] ?? '', index + 1);
    values[head['name'] ?? ''] = lines.slice(index + 1, end).join('\n');
    index = end;
  }
  return values;
}
