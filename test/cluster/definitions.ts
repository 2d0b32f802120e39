import { copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ensureFiles } from './build.ts';
import { run } from './run.ts';

/** A Go module that has definitions of custom resources in its files, as they are released. */
interface Origin {
  path: string;
  version: string;
  /** What go.sum has of its files. */
  sum: string;
  /** By the names of the definitions. */
  files: Readonly<Record<string, string>>;
}

/** Of all that are served, the newest ones that the Go version of `modules/` can read. */
const origins: readonly Origin[] = [
  {
    path: 'github.com/argoproj/argo-rollouts',
    version: 'v1.9.0',
    sum: 'h1:bXgBpwCByXyAUcgBnyP0fxkSW2CEot78InTFjFlag5g=',
    files: { 'rollouts.argoproj.io': 'manifests/crds/rollout-crd.yaml' },
  },
  {
    path: 'github.com/cert-manager/cert-manager',
    version: 'v1.21.2',
    sum: 'h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=',
    files: { 'certificates.cert-manager.io': 'deploy/crds/cert-manager.io_certificates.yaml' },
  },
  {
    path: 'github.com/external-secrets/external-secrets',
    version: 'v0.16.2',
    sum: 'h1:iNY+gIgSyL5higXTfnz+hdPCaiB/43UiHLqE7HBpj68=',
    files: { 'externalsecrets.external-secrets.io': 'config/crds/bases/external-secrets.io_externalsecrets.yaml' },
  },
  {
    path: 'github.com/ray-project/kuberay/ray-operator',
    version: 'v1.5.0',
    sum: 'h1:KCjCQ7PSsvs9Ke+90CZbbs498nuaIJ/JkXk4vd54EVg=',
    files: {
      'rayclusters.ray.io': 'config/crd/bases/ray.io_rayclusters.yaml',
      'rayservices.ray.io': 'config/crd/bases/ray.io_rayservices.yaml',
    },
  },
  {
    path: 'knative.dev/serving',
    version: 'v0.51.0',
    sum: 'h1:yN2Q7eYqJgoPfZkATjoBZyGbZ2P1Qhns9HIMU4mF+to=',
    files: { 'services.serving.knative.dev': 'config/core/300-resources/service.yaml' },
  },
];

/**
 * Files with the definitions of real custom resources, by their names: `rayservices.ray.io`. They are taken from the Go modules of
 * their controllers, once, and kept in the cache.
 * @throws Error when a module is not what its sum says
 */
export async function ensureDefinitions(): Promise<Readonly<Record<string, string>>> {
  return await ensureFiles({
    name: 'definitions',
    key: JSON.stringify(origins),
    run: async (target) => {
      for (const origin of origins) {
        const folder = await download(origin);
        for (const [name, file] of Object.entries(origin.files)) copyFileSync(join(folder, file), join(target, name));
      }
    },
  });
}

/** Where the files of a module lie. */
async function download({ path, version, sum }: Origin): Promise<string> {
  // Outside of any module, whose go.sum it would change. The sum that is written here does what the public database does.
  const output = await run('go', ['mod', 'download', '-json', `${path}@${version}`], {
    cwd: tmpdir(),
    env: { GOSUMDB: 'off', GOFLAGS: '' },
  });
  const { Dir, Sum } = JSON.parse(output) as { Dir: string; Sum: string };
  if (Sum !== sum) throw new Error(`the sum of ${path} ${version} is ${Sum}, and not ${sum}`);
  return Dir;
}
