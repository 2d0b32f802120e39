import { chmod } from 'node:fs/promises';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { kustomizeOf } from '../../../../src/manifests/read/kustomize.ts';
import { silentReporter } from '../../../support/silent-reporter.ts';
import { inFolder } from '../build.ts';

const path = process.env['PATH'];

beforeEach(() => {
  process.env['PATH'] = '';
});

afterEach(() => {
  process.env['PATH'] = path;
});

/** Runs with nothing on the PATH but these programs; answers what was built, and the warnings. */
async function build(scripts: Record<string, string>, env: Record<string, string> = {}) {
  return await inFolder(
    Object.fromEntries(Object.entries(scripts).map(([name, text]) => [name, `#!/bin/sh\n${text}\n`])),
    async (folder) => {
      for (const name of Object.keys(scripts)) await chmod(join(folder, name), 0o755);
      process.env['PATH'] = folder;
      const warnings: string[] = [];
      const warning = (text: string) => {
        warnings.push(text);
      };
      const kustomize = kustomizeOf({ env: { PATH: folder, ...env }, reporter: { ...silentReporter, warning } });
      return { built: await kustomize('/repo/base', 'base/kustomization.yaml'), warnings };
    },
  );
}

describe('a folder of kustomize', () => {
  test('is built by kubectl', async () => {
    const scripts = { kubectl: 'echo "$@"', kustomize: 'echo wrong' };
    await expect(build(scripts)).resolves.toEqual({ built: 'kustomize /repo/base\n', warnings: [] });
  });

  test('is built by kustomize where there is no kubectl', async () => {
    await expect(build({ kustomize: 'echo "$@"' })).resolves.toMatchObject({ built: 'build /repo/base\n' });
  });

  test('is built without the inputs and the tokens of the action', async () => {
    const secrets = { INPUT_TOKEN: 'a', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'b', STATE_x: 'c', HOME: '/home/me' };
    const { built } = await build(
      { kubectl: 'echo "$INPUT_TOKEN$ACTIONS_ID_TOKEN_REQUEST_TOKEN$STATE_x$HOME"' },
      secrets,
    );
    expect(built).toBe('/home/me\n');
  });

  test('may be complained about', async () => {
    const { built, warnings } = await build({ kubectl: 'echo "bases is deprecated" >&2; echo ok' });
    expect(built).toBe('ok\n');
    expect(warnings).toEqual(['"base/kustomization.yaml": bases is deprecated']);
  });

  test('that does not build is an error with the words of the program', async () => {
    await expect(build({ kubectl: 'echo "no such file: d.yaml" >&2; exit 1' })).rejects.toMatchObject({
      message: '"base/kustomization.yaml" cannot be built: no such file: d.yaml',
      location: { file: 'base/kustomization.yaml' },
      hint: 'Try "kubectl kustomize" on its folder.',
    });
  });

  test('is an error where nothing can build it', async () => {
    await expect(build({})).rejects.toMatchObject({
      message: '"base/kustomization.yaml" has to be built, but this runner has neither kubectl nor kustomize',
      hint: 'Install one of them in an earlier step.',
    });
  });
});
