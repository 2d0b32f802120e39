import { rmSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { exportVariable } from '@actions/core';

import { InvalidInput } from '../base/errors.ts';
import type { JsonObject } from '../base/json.ts';
import { fileVariables } from '../google/find-credentials.ts';
import { firstOf, type Environment } from '../google/hosts.ts';
import type { GkeCluster } from '../google/sign-in.ts';
import { findProgram } from './find-program.ts';

const plugin = 'gke-gcloud-auth-plugin';

/**
 * Lets later steps use kubectl: writes a kubeconfig that nobody else can read and sets `KUBECONFIG`. It holds no token; the
 * plugin gets one each time, from the credentials that later steps have, too.
 * @param onPath told where the file will be before it is written, so that the post step can remove it in any case
 * @throws InvalidInput when the plugin is not on PATH
 */
export function exportKubeconfig(
  cluster: Pick<GkeCluster, 'ca' | 'context' | 'server'>,
  env: Environment,
  onPath: (path: string) => void,
): void {
  const command = findProgram(plugin, env);
  if (command === undefined) {
    throw new InvalidInput(`the input "export-kubeconfig" needs the program "${plugin}", which is not on PATH`, {
      hint: `Install it in an earlier step ("gcloud components install ${plugin}" or the package google-cloud-cli-${plugin}), or remove the input.`,
    });
  }
  const path = join(env['RUNNER_TEMP'] ?? tmpdir(), `gke-rollout-kubeconfig-${randomBytes(8).toString('hex')}`);
  onPath(path);
  const text = JSON.stringify(kubeconfigFor(cluster, command, firstOf(env, fileVariables)), undefined, 2);
  writeFileSync(path, `${text}\n`, { mode: 0o600, flag: 'wx' });
  exportVariable('KUBECONFIG', path);
}

/** For the post step. A file that is gone is as good as removed. */
export function removeExportedKubeconfig(path: string): void {
  rmSync(path, { force: true });
}

/**
 * A kubeconfig whose user is whoever the plugin finds. JSON is YAML.
 * @param credentialsFile the file that this run has signed in with; absent: where the plugin looks by itself
 */
function kubeconfigFor(
  { ca, context, server }: Pick<GkeCluster, 'ca' | 'context' | 'server'>,
  command: string,
  credentialsFile: string | undefined,
): JsonObject {
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') };
  const variables =
    credentialsFile === undefined ? {} : { env: [{ name: 'GOOGLE_APPLICATION_CREDENTIALS', value: credentialsFile }] };
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { server, ...authority } }],
    users: [
      {
        name: context,
        user: {
          exec: {
            apiVersion: 'client.authentication.k8s.io/v1beta1',
            command,
            args: ['--use_application_default_credentials'],
            ...variables,
            provideClusterInfo: true,
            interactiveMode: 'Never',
          },
        },
      },
    ],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
    'current-context': context,
  };
}
