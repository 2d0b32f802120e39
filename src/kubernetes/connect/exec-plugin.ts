import { InvalidInput } from '../../base/errors.ts';
import { booleanAt, listAt, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../../base/json.ts';
import { limits, type Limit } from '../../base/limits.ts';
import { runProgram } from '../../base/program.ts';

interface ExecCredential {
  token?: string;
  /** A client certificate and its key, as PEM. */
  cert?: string;
  key?: string;
  /** Milliseconds since the epoch; absent: until the server says 401. */
  expiresAt?: number;
}

interface Surroundings {
  /** The environment that the plugin gets. */
  env: Readonly<Record<string, string | undefined>>;
  /** A plugin that asks a person something would wait for ever. */
  time: Limit;
  /** Ends it. */
  signal?: AbortSignal;
}

/** Characters of what it complains about. */
const longestComplaint = 500;

/**
 * Runs the credential plugin of a kubeconfig user (its `exec` entry), as client-go does: with a time limit and
 * `KUBERNETES_EXEC_INFO`.
 * @throws InvalidInput when it is not installed, fails, goes over a limit, or answers with something else than a credential
 */
export async function askExecPlugin(
  exec: JsonObject,
  cluster: JsonObject,
  surroundings: Surroundings,
): Promise<ExecCredential> {
  const command = stringAt(exec, 'command') ?? '';
  const args = listAt(exec, 'args').filter((arg) => typeof arg === 'string');
  const extra = objectsAt(exec, 'env').map((entry) => [stringAt(entry, 'name') ?? '', stringAt(entry, 'value') ?? '']);
  const environment = {
    ...surroundings.env,
    ...(Object.fromEntries(extra) as Record<string, string>),
    KUBERNETES_EXEC_INFO: JSON.stringify(execInfo(exec, cluster)),
  };
  const installHint = stringAt(exec, 'installHint');
  const output = await run(command, args, { ...surroundings, env: environment, installHint });
  const status = objectAt(parse(output), 'status');
  const token = stringAt(status, 'token');
  const cert = stringAt(status, 'clientCertificateData');
  const key = stringAt(status, 'clientKeyData');
  if (token === undefined && (cert === undefined || key === undefined)) {
    throw new InvalidInput(`the credential plugin "${command}" returned neither a token nor a client certificate`, {
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
  // Texts only: aliases of YAML could make anything else endless.
  const texts = ['server', 'certificate-authority-data', 'proxy-url'].map((key) => [key, stringAt(cluster, key)]);
  const info = Object.fromEntries(texts) as JsonObject;
  return {
    apiVersion: stringAt(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(booleanAt(exec, 'provideClusterInfo') === true ? { cluster: info } : {}) },
  };
}

async function run(
  command: string,
  args: string[],
  { env, installHint, time, signal }: Surroundings & { installHint: string | undefined },
): Promise<string> {
  const name = `the credential plugin "${command}"`;
  const end = await runProgram(name, command, args, {
    env,
    time,
    output: limits.pluginOutput,
    slowHint: 'Check whether it is waiting for someone to sign in, or for a network it cannot reach.',
    ...(signal === undefined ? {} : { signal }),
  });
  if (end === undefined) {
    throw new InvalidInput(`${name} of the kubeconfig is not installed on this runner`, {
      hint: installHint?.trim() ?? 'Install it, or use another way to sign in.',
    });
  }
  if (end.code === 0) return end.stdout;
  const how = typeof end.code === 'number' ? `failed with exit code ${end.code}` : `was stopped by ${end.code}`;
  const why = endOf(end.stderr.trim());
  throw new InvalidInput(`${name} ${how}${why === '' ? '' : `: ${why}`}`, {
    hint: 'Check that it works with kubectl on this runner.',
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
