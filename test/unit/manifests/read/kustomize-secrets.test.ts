import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { secretsOfKustomization } from '../../../../src/manifests/read/kustomize-secrets.ts';
import { inFolder } from '../build.ts';
import { cpuTimeOf, SQUARE_MS } from '../../../support/cpu-time.ts';

const laughs = [
  'x0: &x0 [swordfish-1]',
  ...Array.from({ length: 9 }, (_, index) => `x${index + 1}: &x${index + 1} [${`*x${index},`.repeat(20)}l]`),
].join('\n');

test('aliases that stand for gigabytes, and named pipes, do not keep the secrets of a kustomization from being found', async () => {
  const files = {
    'kustomization.yaml': 'secretGenerator:\n- name: a\n  literals: [password=hunter2-of-the-shop]\n  files: [pipe]\n',
    'bomb.yaml': `apiVersion: v1\nkind: Secret\nmetadata: {name: b}\n${laughs}\nstringData: {a: *x9}\ndata: *x9\n`,
    'template.yaml': `apiVersion: v1\nkind: Pod\nmetadata: {name: b}\n${laughs}\nspec: {containers: [{name: a, env: *x9}]}\n`,
  };
  await inFolder(files, async (folder) => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const took = await cpuTimeOf(() =>
      expect(secretsOfKustomization(folder)).resolves.toContain('hunter2-of-the-shop'),
    );
    expect(took).toBeLessThan(SQUARE_MS);
  });
});
