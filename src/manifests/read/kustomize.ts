import { basename, dirname } from 'node:path';

import { InvalidInput } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { runProgram } from '../../base/program.ts';
import { shortened } from '../../base/said.ts';
import { withoutDumps } from '../../kubernetes/server-words.ts';
import { assertLinksInside } from './inside.ts';
import { secretsOfKustomization } from './kustomize-secrets.ts';
import type { ManifestSource, Tools } from './source.ts';

/** Builds a folder of kustomize. @throws InvalidInput when there is no program for it, or the folder does not build */
type Kustomize = (path: string, kustomization: string) => Promise<string>;

/** What says that a folder is to be built. */
const kustomizations = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization']);

/** What can build a folder, the first that is there: each with its arguments before the folder. */
const programs = [
  ['kubectl', 'kustomize'],
  ['kustomize', 'build'],
] as const;

/** Folders of kustomize, whose objects have their places in what came out. No link below one may lead out of its bounds. */
export function kustomizedFolders(kustomize: Kustomize): ManifestSource {
  return {
    matches: (file) => kustomizations.has(basename(file)),
    isWholeFolder: true,
    async read({ path, name, bounds }) {
      const folder = dirname(path);
      await assertLinksInside(folder, bounds);
      return { text: await kustomize(folder, name), name: `${name} (as built)` };
    },
  };
}

/**
 * Builds with the `kubectl` or the `kustomize` of the runner. What it prints may hold Secrets, and so never reaches the log; what it
 * complains of may quote what the folder is built from, whose secrets are masked first;
 * in turn it gets to know none of the action's inputs and tokens. It may wait for a network, or a pipe: it has a time limit.
 */
export function kustomizeOf({ env, reporter, signal }: Tools): Kustomize {
  const known = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value === undefined || /^(?:INPUT|STATE|ACTIONS)_/.test(name) ? [] : [[name, value]],
  );
  return async (path, kustomization) => {
    for (const [program, command] of programs) {
      const result = await runProgram(`"${program} ${command}" of "${kustomization}"`, program, [command, path], {
        env: Object.fromEntries(known),
        time: limits.kustomizeTime,
        output: limits.kustomizeOutput,
        slowHint: `Try "${program} ${command}" on its folder: it may be waiting for a repository it cannot reach, or for a pipe.`,
        ...(signal === undefined ? {} : { signal }),
      });
      if (result === undefined) continue;
      const said = withoutDumps(shortened(result.stderr.trim()));
      for (const secret of said === '' ? [] : await secretsOfKustomization(path)) reporter.mask(secret);
      if (result.code === 0) {
        if (said !== '') reporter.warning(`"${kustomization}": ${said}`);
        return result.stdout;
      }
      throw new InvalidInput(`"${kustomization}" cannot be built: ${said === '' ? `${program} failed` : said}`, {
        location: { file: kustomization },
        hint: `Try "${program} ${command}" on its folder.`,
      });
    }
    throw new InvalidInput(`"${kustomization}" has to be built, but this runner has neither kubectl nor kustomize`, {
      location: { file: kustomization },
      hint: 'Install one of them in an earlier step.',
    });
  };
}
