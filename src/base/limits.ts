/**
 * What this action takes from outside at most: one place for all of it. docs/limits.md states each with its reason; a test compares
 * both. They are far above what repositories and clusters have, and below what would stop a runner.
 */
export interface Limit {
  value: number;
  unit: 'bytes' | 'characters' | 'ms' | '';
  /** Completes "the limit for …". */
  what: string;
}

const mebibyte = 1024 * 1024;

export const limits = {
  manifestFile: { value: 16 * mebibyte, unit: 'bytes', what: 'one file of manifests' },
  manifestsInAll: { value: 32 * mebibyte, unit: 'bytes', what: 'all manifests together' },
  manifestFiles: { value: 5_000, unit: '', what: 'files of manifests' },
  filesLookedAt: { value: 100_000, unit: '', what: 'files in a folder of manifests' },
  patternAlternatives: { value: 1_000, unit: '', what: 'the patterns that one with braces expands to' },
  objects: { value: 10_000, unit: '', what: 'objects in the manifests' },
  expandedManifests: { value: 128 * mebibyte, unit: 'bytes', what: 'manifests with their aliases expanded' },
  expandedVerify: { value: mebibyte, unit: 'bytes', what: 'the input "verify" with its aliases expanded' },
  configFiles: { value: mebibyte, unit: 'bytes', what: 'the values of one ConfigMap or Secret' },
  kubeconfigFile: { value: 4 * mebibyte, unit: 'bytes', what: 'a kubeconfig' },
  credentialsFile: { value: mebibyte, unit: 'bytes', what: 'a file of credentials, a token or a certificate' },
  apiAnswer: { value: 256 * mebibyte, unit: 'bytes', what: 'one response of the API server' },
  watchEvent: { value: 16 * mebibyte, unit: 'bytes', what: 'one event of a watch' },
  podLog: { value: 4 * mebibyte, unit: 'bytes', what: 'the log of one container' },
  signInAnswer: { value: 4 * mebibyte, unit: 'bytes', what: 'one response of a sign-in server' },
  gitHubAnswer: { value: 32 * mebibyte, unit: 'bytes', what: 'one response of GitHub' },
  verifyAnswer: { value: mebibyte, unit: 'bytes', what: 'the response to a request of "verify"' },
  verifyPatternTime: { value: 1_000, unit: 'ms', what: 'a regular expression of "verify" on one response' },
  message: { value: 16_384, unit: 'characters', what: 'one message of a server, an event or a condition' },
  kustomizeTime: { value: 120_000, unit: 'ms', what: 'a kustomize build' },
  kustomizeOutput: { value: 32 * mebibyte, unit: 'bytes', what: 'the output of a kustomize build' },
  event: { value: 32 * mebibyte, unit: 'bytes', what: 'the event that triggered the run' },
  pluginTime: { value: 60_000, unit: 'ms', what: 'a credential plugin' },
  pluginOutput: { value: mebibyte, unit: 'bytes', what: 'the output of a credential plugin' },
} as const satisfies Record<string, Limit>;

/** `16 MiB`, `120 s`, `5,000` */
export function amountOf({ value, unit }: Limit): string {
  switch (unit) {
    case 'bytes':
      return sizeOf(value);
    case 'ms':
      return `${value / 1000} s`;
    case 'characters':
      return `${value.toLocaleString('en-US')} characters`;
    case '':
      return value.toLocaleString('en-US');
  }
}

/** `the limit for one file of manifests is 16 MiB` */
export function describeLimit(limit: Limit): string {
  return `the limit for ${limit.what} is ${amountOf(limit)}`;
}

/** `12.5 MiB`; rounded up, so that what is over a limit does not read like the limit. */
export function sizeOf(bytes: number): string {
  if (bytes < mebibyte) return `${bytes.toLocaleString('en-US')} bytes`;
  return `${Math.ceil((bytes / mebibyte) * 10) / 10} MiB`;
}
