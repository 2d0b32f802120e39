import { describe, expect, test } from '@jest/globals';

import { parseDuration } from '../../../src/action/duration.ts';
import { inputTable, type InputDefinition } from '../../../src/action/input-table.ts';
import { misplaced, readInputs, type Inputs } from '../../../src/action/inputs.ts';
import { secretsOfKubeconfig } from '../../../src/action/kubeconfig-secrets.ts';
import { Failures } from '../../../src/base/errors.ts';
import { defaultUndoMs } from '../../../src/commands/abort.ts';
import { defaultKeepOldMs } from '../../../src/commands/keep-old.ts';

/** Variables as the runner sets them: defaults, and what stands under `with:`. */
function given(inputs: Record<string, string>): NodeJS.ProcessEnv {
  const table: [string, InputDefinition][] = Object.entries(inputTable);
  const defaults = table.map(([id, { default: value = '' }]) => [id, value] as const);
  return Object.fromEntries(
    [...defaults, ...Object.entries(inputs)].map(([id, value]) => [`INPUT_${id.toUpperCase()}`, value]),
  );
}

function read(inputs: Record<string, string>): Inputs {
  return readInputs(given(inputs), () => undefined);
}

/** Each problem as `message. hint` */
function problems(inputs: Record<string, string>): string[] {
  try {
    read(inputs);
  } catch (error) {
    if (!(error instanceof Failures)) throw error;
    return error.all.map(({ message, hint = '' }) => `${message}. ${hint}`);
  }
  return [];
}

const deploy = { manifests: 'deployments/' };

describe('a reason', () => {
  test('is one line without control characters', () => {
    expect(read({ ...deploy, reason: ' load\u001b[31m test\n until 15:00 ' }).reason).toBe('load test until 15:00');
    expect(read(deploy).reason).toBeUndefined();
  });

  test('has 200 characters at most, and the error does not repeat it', () => {
    expect(read({ ...deploy, reason: '🚀'.repeat(200) }).reason).toBe('🚀'.repeat(200));
    expect(problems({ ...deploy, reason: 'x'.repeat(254) })).toEqual([
      'the input "reason" has 254 characters, and 200 are allowed. Shorten it; a link to more may be a part of it.',
    ]);
  });

  test('belongs to commands that change something', () => {
    expect(problems({ command: 'status', reason: 'why not' })).toEqual([
      expect.stringContaining('the input "reason" has no effect on the command "status"'),
    ]);
  });
});

describe('what was given', () => {
  test('is typed, with defaults for the rest', () => {
    expect(read(deploy)).toEqual({
      command: 'deploy',
      strategy: 'rolling',
      manifests: ['deployments/'],
      images: [],
      prune: false,
      restartOnConfig: true,
      force: false,
      replicas: [],
      createNamespace: false,
      configmaps: [],
      secrets: [],
      timeoutMs: 600_000,
      unschedulableGraceMs: 120_000,
      pauseTimeoutMs: 3_600_000,
      onLowCapacity: 'fail',
      longestRequestMs: 0,
      canarySteps: [25],
      stepDurationMs: 60_000,
      autoPromote: true,
      constantTotal: false,
      keepOldForMs: 60_000,
      sessionAffinityServices: [],
      sessionAffinityTimeoutMs: 10_800_000,
      undoOnFailure: true,
      undoTimeoutMs: 300_000,
      forceConflicts: false,
      endpoint: 'auto',
      exportKubeconfig: false,
      previewTtlMs: 259_200_000,
      previewUntil: 'closed',
      forks: 'skip',
      copySecrets: [],
      copyConfigmaps: [],
      namespaceLabels: [],
      isolation: 'default',
      clusterScoped: 'fail',
      comment: 'true',
      teardown: 'this',
      dryRun: false,
    });
  });

  test('reads growing percentages, with or without signs', () => {
    const canary = { ...deploy, strategy: 'canary' };
    expect(read({ ...canary, 'canary-steps': '10%, 25 50' }).canarySteps).toEqual([10, 25, 50]);
    for (const wrong of ['0', '100', '50, 25', '10, 10', 'half', '2.5']) {
      expect(() => read({ ...canary, 'canary-steps': wrong })).toThrow('which is not a list of increasing percentages');
    }
  });

  test('may be no time at all where that makes sense', () => {
    expect(read({ ...deploy, strategy: 'blue-green', 'keep-old-for': '0s' }).keepOldForMs).toBe(0);
    expect(read({ ...deploy, 'no-progress-timeout': '0s' }).noProgressTimeoutMs).toBe(0);
    expect(() => read({ ...deploy, timeout: '0s' })).toThrow('which leaves no time');
  });

  test('is absent where a duration has no default', () => {
    expect(read(deploy)).not.toHaveProperty('noProgressTimeoutMs');
    expect(read({ ...deploy, 'no-progress-timeout': '5m' }).noProgressTimeoutMs).toBe(300_000);
  });

  test('is the same when the runner sets no defaults', () => {
    expect(readInputs({ INPUT_MANIFESTS: 'deployments/' })).toEqual(read(deploy));
  });

  test('is trimmed; blank lines and blank values count as not given', () => {
    const inputs = read({ manifests: '\n  a/ \r\n\n b.yaml\n', 'image-tag': '  ', context: ' staging ' });
    expect(inputs.manifests).toEqual(['a/', 'b.yaml']);
    expect(inputs).not.toHaveProperty('imageTag');
    expect(inputs.context).toBe('staging');
  });

  test('may be a boolean in any of the ways of YAML', () => {
    expect(read({ ...deploy, 'create-namespace': 'True', 'undo-on-failure': 'FALSE' })).toMatchObject({
      createNamespace: true,
      undoOnFailure: false,
    });
  });
});

describe('what is wrong', () => {
  test.each<[Record<string, string>, string]>([
    [
      { ...deploy, strategy: 'canari' },
      'the input "strategy" is "canari"; it must be one of "rolling", "canary" and "blue-green". Did you mean "canary"?',
    ],
    [
      { ...deploy, 'create-namespace': 'yes' },
      'the input "create-namespace" is "yes", which is not a boolean. Use true or false.',
    ],
    [{ ...deploy, timeout: '600' }, 'the input "timeout" is "600", which has no unit. Add one: 600s, 600m or 600h.'],
    [
      { command: 'status', manifests: 'a/' },
      'the input "manifests" has no effect on the command "status"; it belongs to "deploy", "plan" and "preview". Remove it, or choose another command.',
    ],
    [
      {},
      'the command "deploy" needs the input "manifests". Add it to the step, for example "manifests: deployments/".',
    ],
    [
      { command: 'scale' },
      'the command "scale" needs the input "replicas". Add it to the step, for example "replicas: web=5".',
    ],
    [{ ...deploy, 'image-tags': '1' }, 'there is no input "image-tags". Did you mean "image-tag"?'],
    [{ ...deploy, image_tag: '1' }, 'there is no input "image_tag". Did you mean "image-tag"?'],
    [
      { ...deploy, gateway: 'bootcamp' },
      'there is no input "gateway". Remove it from "with:", or the variable INPUT_GATEWAY from "env:".',
    ],
    [
      { ...deploy, namespace: 'Shop_1' },
      'the input "namespace" is "Shop_1", which is not a valid name. Use at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.',
    ],
  ])('%j', (inputs, expected) => {
    expect(problems(inputs)).toEqual([expected]);
  });

  test('is told all at once', () => {
    expect(problems({ command: 'scale', timeout: '5', images: 'a:1', 'force-conflict': 'true' })).toHaveLength(4);
    expect(() => read({ command: 'scale', timeout: '5' })).toThrow('2 inputs are wrong');
  });

  test('does not include what only a default says', () => {
    expect(problems({ command: 'status' })).toEqual([]);
  });

  test('includes an input of other strategies, on commands that take one', () => {
    expect(problems({ ...deploy, 'auto-promote': 'false' })).toEqual([
      'the input "auto-promote" has no effect on the strategy "rolling"; it belongs to "canary" and "blue-green". Remove it, or choose another strategy.',
    ]);
    expect(problems({ ...deploy, strategy: 'canary', 'auto-promote': 'false' })).toEqual([]);
    expect(problems({ ...deploy, 'on-low-capacity': 'warn' })).toEqual([]);
    expect(problems({ command: 'promote', 'keep-old-for': '5m' })).toEqual([]);
  });

  test.each<[Record<string, string>, string]>([
    [
      { ...deploy, 'session-affinity-timeout': '5m' },
      'the input "session-affinity-timeout" has no effect without "session-affinity: client-ip". Set that too, or remove it.',
    ],
    [
      { ...deploy, 'session-affinity': 'none', 'session-affinity-timeout': '5m' },
      'the input "session-affinity-timeout" has no effect without "session-affinity: client-ip". Set that too, or remove it.',
    ],
    [
      { ...deploy, 'session-affinity-services': 'web' },
      'the input "session-affinity-services" has no effect without "session-affinity". Set that too, or remove it.',
    ],
    [
      { ...deploy, 'undo-on-failure': 'False', 'undo-timeout': '1m' },
      'the input "undo-timeout" has no effect with "undo-on-failure: false". Remove one of them.',
    ],
    [
      { command: 'rollback', workload: 'web', prune: 'true' },
      'the input "prune" has no effect with "workload", which rolls back one workload and nothing else. Remove one of them.',
    ],
    [
      { command: 'rollback', workload: 'web', 'keep-old-for': '5m' },
      'the input "keep-old-for" has no effect with "workload", which rolls back one workload, in place. Remove one of them.',
    ],
  ])('includes one that does nothing for lack of another: %j', (inputs, expected) => {
    expect(problems(inputs)).toEqual([expected]);
  });

  test('but not where the other one is there, or the value is the default', () => {
    const affinity = {
      'session-affinity': 'client-ip',
      'session-affinity-timeout': '5m',
      'session-affinity-services': 'web',
    };
    expect(problems({ ...deploy, ...affinity })).toEqual([]);
    expect(
      problems({ ...deploy, 'session-affinity-timeout': '3h', 'undo-on-failure': 'false', 'undo-timeout': '5m' }),
    ).toEqual([]);
  });

  test('the old side stays as long as the commands think that nobody has said otherwise', () => {
    expect(read({ command: 'promote' }).keepOldForMs).toBe(defaultKeepOldMs);
  });

  test('an abort undoes as long as other commands do by default', () => {
    expect(read({ command: 'abort' })).toMatchObject({ undoOnFailure: true, undoTimeoutMs: defaultUndoMs });
  });

  test.each(['preveiw', 'remove', 'deply', 'toString'])('includes a command that does not exist: %s', (command) => {
    const [problem = '', ...more] = problems({ command });
    expect(problem).toMatch(
      `the input "command" is "${command}"; it must be one of "deploy", "promote", "abort", "rollback", "scale", "pause", "resume", "restart", "status", "plan", "preview" and "teardown". `,
    );
    expect(more).toEqual([]);
  });

  test('includes an input of another strategy', () => {
    const definition: InputDefinition = { type: 'lines', description: '', example: '', strategies: ['canary'] };
    expect(misplaced('steps', definition, '10', 'deploy', 'rolling')?.message).toBe(
      'the input "steps" has no effect on the strategy "rolling"; it belongs to "canary"',
    );
    expect(misplaced('steps', definition, '10', 'deploy', 'canary')).toBeUndefined();
  });
});

describe('a duration', () => {
  test.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h0m5s', 3_605_000],
    ['120h', 432_000_000],
  ])('%s', (text, ms) => {
    expect(parseDuration(text, 'timeout')).toBe(ms);
  });

  test.each([['5'], ['1.5'], ['5 m'], ['m'], ['10ms'], ['30m1h'], ['-5m'], ['0s'], ['121h'], ['1d'], ['forever']])(
    '%s is none',
    (text) => {
      expect(() => parseDuration(text, 'timeout')).toThrow(`the input "timeout" is "${text}", which `);
    },
  );
});

describe('the secrets of a kubeconfig', () => {
  const key = Buffer.from('-----BEGIN PRIVATE KEY-----\nMIIEabcdefgh\nijklmnop\n-----END PRIVATE KEY-----\n').toString(
    'base64',
  );
  const config = {
    clusters: [{ name: 'c', cluster: { server: 'https://203.0.113.7', 'certificate-authority-data': 'Y2VydA==' } }],
    users: [
      { name: 'a', user: { token: 'token-1234' } },
      {
        name: 'b',
        user: {
          username: 'admin',
          password: 'pass-1234',
          'client-key-data': key,
          'client-certificate-data': 'Y2VydA==',
        },
      },
      {
        name: 'c',
        user: {
          exec: {
            command: 'plugin',
            env: [
              { name: 'API_TOKEN', value: 'env-1234' },
              { name: 'REGION', value: 'europe' },
            ],
          },
        },
      },
      {
        name: 'd',
        user: { 'auth-provider': { config: { 'client-secret': 'provider-1234', 'idp-issuer-url': 'https://idp' } } },
      },
      { name: 'e', user: { password: 'abc' } },
    ],
  };
  const secrets = ['token-1234', 'pass-1234', key, 'MIIEabcdefgh', 'ijklmnop', 'env-1234', 'provider-1234'];

  test('are masked one by one, and nothing else of it is (google-github-actions/auth: aggressive masking)', () => {
    expect(secretsOfKubeconfig(JSON.stringify(config, undefined, 2)).sort()).toEqual([...secrets].sort());
  });

  test('are masked when it is on one line', () => {
    expect(secretsOfKubeconfig(JSON.stringify(config)).sort()).toEqual([...secrets].sort());
  });

  test.each([
    ['on one line', (text: string) => text],
    ['wrapped as `base64` does it', (text: string) => text.replaceAll(/.{76}/g, '$&\n')],
  ])('are masked when it is in base64, %s, and so is all of it', (_, wrap) => {
    const encoded = wrap(Buffer.from(JSON.stringify(config)).toString('base64'));
    const lines = encoded.split('\n').filter((line) => line.length >= 4);
    expect(secretsOfKubeconfig(encoded).sort()).toEqual([...secrets, ...lines].sort());
  });

  test('are all of what looks like base64 and cannot be read', () => {
    const cut = 'x'.repeat(100);
    expect(secretsOfKubeconfig(cut)).toEqual([cut]);
  });

  test('are masked when it is no valid YAML', () => {
    expect(secretsOfKubeconfig('users:\n- user: {token: token-1234\n  password: "pass-1234"')).toEqual([
      'token-1234',
      'pass-1234',
    ]);
  });

  test('do not exist for a path', () => {
    expect(secretsOfKubeconfig('/home/runner/.kube/config')).toEqual([]);
  });

  test('are masked before a problem is reported', () => {
    const masked: string[] = [];
    const env = given({ kubeconfig: 'users:\n- user:\n    token: token-1234', timeout: 'x' });
    expect(() => readInputs(env, (secret) => masked.push(secret))).toThrow();
    expect(masked).toEqual(['token-1234']);
  });
});
