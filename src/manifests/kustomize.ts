import { getExecOutput } from '@actions/exec';

import { InvalidInput } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { withoutDumps } from '../kubernetes/server-words.ts';
import { secretsOfKustomization } from './kustomize-secrets.ts';

/** Builds a folder of kustomize. @throws InvalidInput when there is no program for it, or the folder does not build */
export type Kustomize = (path: string, kustomization: string) => Promise<string>;

/** What can build a folder, the first that is there: each with its arguments before the folder. */
const programs = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
] as const;

/**
 * Builds with the `kubectl` or the `kustomize` of the runner. What it prints may hold Secrets, and so never reaches the log; what it
 * complains of may quote what the folder is built from, whose secrets are masked first;
 * in turn it gets to know none of the action's inputs and tokens.
 * @param env of the action
 */
export function kustomizeOf(env: Readonly<Record<string, string | undefined>>, reporter: Reporter): Kustomize {
  const known = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || /^(?:INPUT|STATE|ACTIONS)_/.test(name) ? [] : [[name, value]],
  );
  return async (path, kustomization) => {
    for (const [program, command] of programs) {
      const result = await run(program, [command, path], Object.fromEntries(known));
      if (result === undefined) continue;
      const said = withoutDumps(result.stderr.trim());
      for (const secret of said === '' ? [] : await secretsOfKustomization(path)) reporter.mask(secret);
      if (result.exitCode === 0) {
        if (said !== '') reporter.warning(`"${kustomization}": ${said}`);
        return result.stdout;
      }
      throw new InvalidInput(`"${kustomization}" cannot be built: ${said === '' ? `${program} failed` : said}`, {
        location: { file: kustomization },
        hint: `Try "${program} ${command}" on its folder.`,
      });
    }
    throw new InvalidInput(
      `"${kustomization}" is to be built, but there is neither kubectl nor kustomize on this runner`,
      {
        location: { file: kustomization },
        hint: 'Install one of them in a step before this one.',
      },
    );
  };
}

/** Undefined when there is no such program. */
async function run(
  program: string,
  args: string[],
  env: Record<string, string>,
): Promise<{ exitCode: number; stdout: string; stderr: string } | undefined> {
  try {
    return await getExecOutput(program, args, { env, silent: true, ignoreReturnCode: true });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Unable to locate executable file')) return undefined;
    throw error;
  }
}
