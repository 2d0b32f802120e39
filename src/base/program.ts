import { spawn, type ChildProcess } from 'node:child_process';

import { errorCode, InvalidInput, messageOf } from './errors.ts';
import { describeLimit, type Limit } from './limits.ts';

export interface ProgramOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** How long it may take. */
  time: Limit;
  /** How much it may print, to each of its two outputs. */
  output: Limit;
  /** Ends it; its reason is thrown. */
  signal?: AbortSignal;
  /** What to do when it takes too long, one imperative sentence. */
  slowHint: string;
}

/** How a program came to its end by itself. */
interface ProgramEnd {
  /** Or the signal that ended it. */
  code: number | NodeJS.Signals;
  stdout: string;
  stderr: string;
}

/** Windows has none. */
const hasGroups = process.platform !== 'win32';
/** How long it has for ending in order when it is told to. */
const mercyMs = 1_000;
/** How long what it has started may hold its output open after its end. */
const lingerMs = 1_000;

/**
 * Runs a program to its end, with no input. Whatever happens, neither it nor what it has started in its process group goes on
 * afterwards: they are told to end, and killed a second later.
 * @param name how messages name it: `the credential plugin "x"`
 * @returns undefined when there is no such program
 * @throws InvalidInput when it cannot be started, or goes over a limit; the reason of the signal
 */
export async function runProgram(
  name: string,
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<ProgramEnd | undefined> {
  options.signal?.throwIfAborted();
  return await started(name, command, args, options).end();
}

function started(name: string, command: string, args: readonly string[], options: ProgramOptions): Run {
  try {
    return new Run(name, command, args, options);
  } catch (error) {
    // Such as arguments that are too long; a program that is not there shows later.
    throw new InvalidInput(`cannot start ${name}: ${messageOf(error)}`, { cause: error });
  }
}

class Run {
  readonly #name: string;
  readonly #options: ProgramOptions;
  readonly #child: ChildProcess;
  readonly #output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  /** Why it was told to end. */
  #reason: { error: unknown } | undefined;
  #killing: NodeJS.Timeout | undefined;

  constructor(name: string, command: string, args: readonly string[], options: ProgramOptions) {
    this.#name = name;
    this.#options = options;
    this.#child = spawn(command, args, {
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, by which what it starts is reached as well.
      detached: hasGroups,
      windowsHide: true,
    });
    this.#take('stdout');
    this.#take('stderr');
  }

  async end(): Promise<ProgramEnd | undefined> {
    const { time, signal, slowHint } = this.#options;
    const timer = setTimeout(() => {
      this.#stop(
        new InvalidInput(`${this.#name} did not finish: ${describeLimit(time)}, and it was stopped`, {
          hint: slowHint,
        }),
      );
    }, time.value);
    const cancel = () => {
      this.#stop(signal?.reason);
    };
    const orphaned = () => {
      this.#kill('SIGKILL');
    };
    signal?.addEventListener('abort', cancel, { once: true });
    process.once('exit', orphaned);
    try {
      return await this.#ended();
    } finally {
      clearTimeout(timer);
      clearTimeout(this.#killing);
      signal?.removeEventListener('abort', cancel);
      process.off('exit', orphaned);
      this.#kill('SIGKILL');
      this.#child.stdout?.destroy();
      this.#child.stderr?.destroy();
    }
  }

  async #ended(): Promise<ProgramEnd | undefined> {
    const child = this.#child;
    const code = await new Promise<number | NodeJS.Signals | undefined>((resolve, reject) => {
      child.once('error', (error) => {
        if (errorCode(error) === 'ENOENT') resolve(undefined);
        else reject(new InvalidInput(`cannot start ${this.#name}: ${messageOf(error)}`, { cause: error }));
      });
      child.once('exit', (exitCode, killedBy) => {
        const closed = new Promise((done) => child.once('close', done));
        // What it has started may hold its output open for ever.
        const lingering = setTimeout(() => {
          this.#kill('SIGKILL');
          resolve(exitCode ?? killedBy ?? 1);
        }, lingerMs);
        void closed.then(() => {
          clearTimeout(lingering);
          resolve(exitCode ?? killedBy ?? 1);
        });
      });
    });
    if (this.#reason !== undefined) throw this.#reason.error;
    if (code === undefined) return undefined;
    const { stdout, stderr } = this.#output;
    return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
  }

  #take(which: 'stdout' | 'stderr'): void {
    let size = 0;
    this.#child[which]?.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= this.#options.output.value) {
        this.#output[which].push(chunk);
        return;
      }
      this.#child[which]?.pause();
      this.#stop(
        new InvalidInput(`${this.#name} printed too much: ${describeLimit(this.#options.output)}, and it was stopped`, {
          hint: 'Run it by hand on this runner and check its output.',
        }),
      );
    });
  }

  /** Tells it to end, and kills it where it does not. */
  #stop(error: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = { error };
    this.#kill('SIGTERM');
    this.#killing = setTimeout(() => {
      this.#kill('SIGKILL');
    }, mercyMs);
  }

  #kill(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (hasGroups) process.kill(-pid, signal);
      else this.#child.kill(signal);
    } catch {
      // All of them have ended.
    }
  }
}
