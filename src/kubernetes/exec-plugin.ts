import { spawn } from 'node:child_process';

import { InvalidInput, messageOf } from '../base/errors.ts';
import { booleanAt, listAt, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import { errorCode } from './connection-error.ts';

export interface ExecCredential {
  token?: string;
  /** A client certificate and its key, as PEM. */
  cert?: string;
  key?: string;
  /** Milliseconds since the epoch; absent: until the server says 401. */
  expiresAt?: number;
}

/** A plugin that asks a person something would wait for ever. */
const defaultTimeoutMs = 60_000;

/** Characters of what it complains about. */
const longestComplaint = 500;

/**
 * Runs the credential plugin of a kubeconfig user (its `exec` entry), as client-go does; client-node's own way knows no
 * time limit and no `KUBERNETES_EXEC_INFO`.
 * @param env the environment that the plugin gets
 * @throws InvalidInput when it is not installed, fails, or answers with something else than a credential
 */
export async function askExecPlugin(
  exec: JsonObject,
  cluster: JsonObject,
  env: Readonly<Record<string, string | undefined>>,
  timeoutMs = defaultTimeoutMs,
): Promise<ExecCredential> {
  const command = stringAt(exec, 'command') ?? '';
  const args = listAt(exec, 'args').filter((arg) => typeof arg === 'string');
  const extra = objectsAt(exec, 'env').map((entry) => [stringAt(entry, 'name') ?? '', stringAt(entry, 'value') ?? '']);
  const environment = {
    ...env,
    ...(Object.fromEntries(extra) as Record<string, string>),
    KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(exec, cluster)),
  };
  const output = await run(command, args, environment, stringAt(exec, 'installHint'), timeoutMs);
  const status = objectAt(parse(output), 'status');
  const token = stringAt(status, 'token');
  const cert = stringAt(status, 'clientCertificateData');
  const key = stringAt(status, 'clientKeyData');
  if (token === undefined && (cert === undefined || key === undefined)) {
    throw new InvalidInput(`the credential plugin "${command}" answered with no token and no client certificate`, {
      hint: 'Run it by hand: it must print an ExecCredential as JSON.',
    });
  }
  const expiresAt = Date.parse(stringAt(status, 'expirationTimestamp') ?? '');
  return {
    ...(token === undefined ? {} : { token }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
  };
}

/** What the plugin may know (KEP-541): that nobody sits at a terminal, and the cluster where the kubeconfig allows it. */
function execInfo(exec: JsonObject, cluster: JsonObject): JsonObject {
  const { 'proxy-url': proxy, 'certificate-authority-data': ca, server } = cluster;
  const info = { server, 'certificate-authority-data': ca, 'proxy-url': proxy };
  return {
    apiVersion: stringAt(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(booleanAt(exec, 'provideClusterInfo') === true ? { cluster: info } : {}) },
  };
}

async function run(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  installHint: string | undefined,
  timeoutMs: number,
): Promise<string> {
  return await new Promise((resolve, reject) => {
    // Not the option `timeout`: its timer outlives a program that cannot be started.
    const signal = AbortSignal.timeout(timeoutMs);
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], signal });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
    child.on('error', (error) => {
      const hint = installHint?.trim() ?? 'Install it, or sign in another way.';
      if (signal.aborted) {
        reject(
          new InvalidInput(`the credential plugin "${command}" did not end within ${timeoutMs / 1000} s`, {
            hint: 'See whether it waits for somebody to sign in, or for a network that it cannot reach.',
          }),
        );
      } else if (errorCode(error) === 'ENOENT') {
        const message = `the credential plugin "${command}" of the kubeconfig is not installed on this runner`;
        reject(new InvalidInput(message, { cause: error, hint }));
      } else {
        const message = `cannot start the credential plugin "${command}": ${messageOf(error)}`;
        reject(new InvalidInput(message, { cause: error, hint }));
      }
    });
    child.on('close', (code, killedBy) => {
      if (code === 0) {
        resolve(output);
        return;
      }
      const how = killedBy === null ? `failed with exit code ${String(code)}` : `was ended by ${killedBy}`;
      const why = endOf(complaint.trim());
      reject(
        new InvalidInput(`the credential plugin "${command}" ${how}${why === '' ? '' : `: ${why}`}`, {
          hint: 'See whether it works with kubectl on this runner.',
        }),
      );
    });
  });
}

/** The last of what a plugin has said, from the beginning of a word: half of a token would not be known as one. */
function endOf(text: string): string {
  return text.length <= longestComplaint ? text : text.slice(-longestComplaint).replace(/^\S*\s*/, '');
}

function parse(output: string): Json | undefined {
  try {
    return JSON.parse(output) as Json;
  } catch {
    return undefined;
  }
}
