import { chmodSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { figure } from '../../support/figure.ts';
import { kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { canary, leaksOf, numericCanary, watchedStep, type WatchedStep } from '../../support/leaks.ts';
import { deployment, sampleImage, service } from '../../support/objects.ts';
import { Stage, until, type Inputs } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/** What the suite has tried, and where any of it has shown. */
const tried = { inputs: 0, leaks: [] as string[] };

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  figure('hostile-inputs', tried.inputs);
  figure('hostile-leaks', tried.leaks.length);
  await stage[Symbol.asyncDispose]();
});

type Files = Record<string, string | readonly object[]>;

/** A step that must show none of the secrets anywhere, whatever becomes of it. */
async function tryWith(
  secrets: readonly string[],
  files: Files,
  inputs: Inputs = {},
  prepare: (workspace: string) => Record<string, string> | undefined = () => undefined,
): Promise<WatchedStep> {
  const workspace = createWorkspace(files);
  try {
    const env = prepare(workspace) ?? {};
    const given: Inputs = {
      kubeconfig: testKubeconfig(),
      namespace: stage.namespace,
      release: 'hostile',
      ...('command' in inputs ? {} : { manifests: '.', strategy: 'rolling', timeout: '60s' }),
      ...inputs,
    };
    const result = await watchedStep(given, { workspace, env });
    tried.inputs += 1;
    const leaks = leaksOf(result, secrets);
    tried.leaks.push(...leaks);
    expect(leaks).toEqual([]);
    return result;
  } finally {
    removeWorkspace(workspace);
  }
}

function secretYaml(name: string, body: string): string {
  return `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\n${body}\n`;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('no value of a Secret shows, whatever is wrong with it', () => {
  const value = canary();
  const number = numericCanary();
  test.each<[string, string, string]>([
    ['a number in stringData', `stringData:\n  pin: ${number}`, 'stringData.pin of Secret "s" must be a string'],
    ['a number in data', `data:\n  pin: ${number}`, 'data.pin of Secret "s" must be a string'],
    ['a list in place of the map', `data:\n- ${value}`, 'data of Secret "s" must be a map, but is a list'],
    ['a list of maps', `stringData:\n- name: a\n  value: ${value}`, 'stringData of Secret "s" must be a map'],
    ['a text in place of the map', `stringData: ${value}`, 'stringData of Secret "s" must be a map, but is a string'],
    [
      'a map in place of a value',
      `stringData:\n  a:\n    b: ${value}`,
      'stringData.a of Secret "s" must be a string, but is a map',
    ],
    ['what is not base64', `data:\n  a: ${value}!`, 'illegal base64'],
    ['a key that cannot be', `stringData:\n  "a b": ${value}`, 'a b'],
    [
      'a type that does not fit',
      `type: kubernetes.io/dockerconfigjson\nstringData:\n  .dockerconfigjson: '{"auths":"${value}"'`,
      'dockerconfigjson',
    ],
    ['an unknown field', `stringdata:\n  a: ${value}`, 'stringdata'],
    ['an alias', `stringData:\n  a: *${value}`, 'unidentified alias'],
    ['a tag', `stringData:\n  a: !${value} x`, 'is not valid YAML'],
    ['a quote that does not end', `stringData:\n  a: "${value}`, 'is not valid YAML'],
    ['an indentation that is wrong', `stringData:\n  a: ${value}\n b: ${value}`, 'is not valid YAML'],
    ['a key that stands twice', `stringData:\n  ${value}: a\n  ${value}: b`, 'is not valid YAML'],
    ['binary data', `data:\n  a: !!binary "${value}`, 'is not valid YAML'],
  ])('%s', async (_, body, words) => {
    const result = await tryWith([value, number], { 'secret.yaml': secretYaml('s', body) });
    expect(result.exit).toBe(1);
    expect(result.log).toContain(words);
  });

  test('a file outside the workspace that a link leads to', async () => {
    const outside = createWorkspace({ shadow: `${value}\n` });
    try {
      const result = await tryWith([value], {}, { manifests: 'link.yaml' }, (workspace) => {
        symlinkSync(join(outside, 'shadow'), join(workspace, 'link.yaml'));
        return undefined;
      });
      expect(result.exit).toBe(1);
    } finally {
      removeWorkspace(outside);
    }
  });

  test('one that cannot be changed any more', async () => {
    const [before, after] = [canary(), canary()];
    const frozen = (text: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'frozen' },
      immutable: true,
      stringData: { a: text },
    });
    const inputs = { release: 'frozen' };
    expect((await tryWith([before], { 's.yaml': [frozen(before)] }, inputs)).exit).toBe(0);
    const result = await tryWith([before, after], { 's.yaml': [frozen(after)] }, inputs);
    expect(result.log).toContain('immutable');
  });

  test('one that comes from a file', async () => {
    const files = { 'password.txt': `${value}\n`, 'app.env': `A=${number}\nexport B="${value}"\n` };
    const result = await tryWith([value, number], files, {
      release: 'files',
      manifests: '',
      secrets: 'bad_name=password.txt\ngood=app.env',
    });
    expect(result.exit).toBe(1);
  });
});

describe('no variable of a container shows, whatever is wrong with it', () => {
  const value = canary();
  const number = numericCanary();
  const withEnv = (env: unknown, more: object = {}) => {
    const made = deployment('web', { ...more });
    const [container] = made.spec.template.spec.containers;
    return [
      {
        ...made,
        spec: { ...made.spec, template: { ...made.spec.template, spec: { containers: [{ ...container, env }] } } },
      },
    ];
  };
  test.each<[string, unknown, string]>([
    ['a number', [{ name: 'A', value: Number(number) }], 'env[0].value of Deployment "web" must be a string'],
    ['a map', [{ name: 'A', value: { a: value } }], 'env[0].value of Deployment "web" must be a string'],
    ['a list', [{ name: 'A', value: [value] }], 'env[0].value of Deployment "web" must be a string'],
    ['a map in place of the list', { A: value }, 'env'],
    ['a text in place of the list', [value], 'env'],
    [
      'a value and a source',
      [{ name: 'A', value, valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      'valueFrom',
    ],
    ['a variable without a name', [{ value }], 'name'],
    [
      'a variable that stands twice',
      [
        { name: 'A', value },
        { name: 'A', value },
      ],
      'A',
    ],
    ['an unknown field', [{ name: 'A', vaule: value }], 'vaule'],
    ['a source that is none', [{ name: 'A', valueFrom: value }], 'valueFrom'],
  ])('%s', async (_, env, words) => {
    const result = await tryWith([value, number], { 'web.yaml': withEnv(env) });
    expect(result.exit).toBe(1);
    expect(result.log).toContain(words);
  });

  test('of a Job whose template has changed, with an argument that holds a password', async () => {
    const former = canary();
    const job = (text: string) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'migrate' },
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                name: 'c',
                image: sampleImage,
                args: ['job', `--print=${text}`],
                env: [
                  { name: 'A', value: text },
                  { name: 'B', value: `quoted " and } and ${text}` },
                ],
              },
            ],
          },
        },
      },
    });
    await stage.apply([job(former)]);
    const result = await tryWith([former, value], { 'job.yaml': [job(value)] }, { release: 'job' });
    expect(result.exit).toBe(1);
    expect(result.log).toContain('immutable');
  });
});

describe('no credential of the cluster shows', () => {
  const token = canary();
  const config = load(readFileSync(testKubeconfig(), 'utf8')) as {
    clusters: { cluster: Record<string, unknown> }[];
    users: { name: string; user: Record<string, unknown> }[];
  };
  /** The kubeconfig of the cluster with another user, or another way to the server. */
  const withUser = (user: object, cluster: object = {}) =>
    JSON.stringify({
      ...config,
      users: config.users.map(({ name }) => ({ name, user })),
      clusters: config.clusters.map((entry) => ({ ...entry, cluster: { ...entry.cluster, ...cluster } })),
    });
  const yaml = `apiVersion: v1\nkind: Config\nusers:\n- name: u\n  user:\n    token: ${token}\n`;
  const files = { 'c.yaml': [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } }] };

  test.each<[string, string]>([
    ['in JSON', withUser({ token })],
    ['in base64', base64(withUser({ token }))],
    ['in base64, wrapped', base64(withUser({ token })).replaceAll(/.{76}/g, '$&\n')],
    ['in base64 for URLs', Buffer.from(yaml).toString('base64url')],
    ['in base64 of half of it', base64(yaml).slice(0, 70)],
    ['on one line of YAML', `apiVersion: v1, kind: Config, users: [{name: u, user: {token: ${token}}}]`],
    ['with \\n in place of line ends', yaml.replaceAll('\n', '\\n')],
    ['in quotes', JSON.stringify(yaml)],
    ['that is broken', `${yaml}  : {\n`],
    ['that is a token', token],
    [
      'that is a token of JSON',
      `eyJhbGciOiJSUzI1NiJ9.${base64(token).replaceAll('=', '')}.${base64(token).replaceAll('=', '')}`,
    ],
    ['that is a path with a token in it', `/tmp/${token}/config`],
    ['with a key in place of the path of a key', withUser({ 'client-key': base64(`-----BEGIN KEY-----\n${token}`) })],
    ['with a token in place of the path of a token', withUser({ tokenFile: token })],
    ['with a password in the address', withUser({}, { server: `https://admin:${token}@127.0.0.1:1` })],
    ['with a password in an address that is none', withUser({}, { server: `admin:${token}@127.0.0.1:1` })],
    [
      'with a password in the address of a proxy',
      withUser({ token }, { 'proxy-url': `http://admin:${token}@127.0.0.1:1` }),
    ],
    ['with a password', withUser({ username: 'admin', password: token })],
  ])('of a kubeconfig %s', async (_, kubeconfig) => {
    const result = await tryWith([token], files, { kubeconfig });
    expect(result.exit).toBe(1);
  });

  test('of a plugin that complains', async () => {
    const result = await tryWith([token], files, {}, (workspace) => {
      const plugin = join(workspace, 'plugin');
      writeFileSync(
        plugin,
        `#!/bin/sh\necho "no: $SECRET $1 Bearer ${token} https://x:${token}@y/ {\\"token\\": \\"${token}\\"}" >&2\nexit 3\n`,
      );
      chmodSync(plugin, 0o755);
      const exec = {
        apiVersion: 'client.authentication.k8s.io/v1',
        command: plugin,
        env: [{ name: 'SECRET', value: token }],
      };
      writeFileSync(join(workspace, 'kubeconfig'), withUser({ exec }));
      return { INPUT_KUBECONFIG: join(workspace, 'kubeconfig') };
    });
    expect(result.log).toContain('failed with exit code 3');
  });

  test('of the proxy that the environment names', async () => {
    const env = { HTTPS_PROXY: `http://user:${token}@127.0.0.1:1`, NO_PROXY: '' };
    const result = await tryWith(
      [token],
      files,
      { kubeconfig: withUser({ token }, { server: 'https://203.0.113.7' }) },
      () => env,
    );
    expect(result.log).toContain('127.0.0.1:1');
  });

  test('and that any certificate is accepted is said', async () => {
    const kubeconfig = withUser(config.users[0]?.user ?? {}, {
      'insecure-skip-tls-verify': true,
      'certificate-authority-data': undefined,
    });
    const result = await tryWith([token], files, { kubeconfig, release: 'insecure' });
    expect(result.exit).toBe(0);
    expect(result.log).toMatch(/^::warning .*insecure-skip-tls-verify/m);
  });
});

describe('no secret of a check shows', () => {
  const token = canary();
  const files = { 'c.yaml': [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } }] };
  test.each<[string, string]>([
    ['in the query of a URL that cannot be reached', `http://127.0.0.1:1/health?token=${token}`],
    ['in a query of another name', `http://127.0.0.1:1/health?x=${token}`],
    ['in the path', `http://127.0.0.1:1/hook/${token}`],
    ['in the password of a URL', `https://user:${token}@shop.test/`],
    ['in a URL that is none', `- url: ftp://shop.test/?token=${token}`],
    ['in the path of a Service that is not there', `service/none:80/health?token=${token}`],
    ['in a line that cannot be read', `/health?token=${token} is what?`],
    ['in a header', `- url: http://127.0.0.1:1/\n  headers: { Authorization: Bearer ${token} }`],
    ['in a header that cannot be sent', `- url: http://127.0.0.1:1/\n  headers:\n    X-Api-Key: "${token}\\u0001"`],
    ['behind an alias', `- url: *${token}`],
  ])('%s', async (_, verify) => {
    const result = await tryWith([token], files, { verify, release: `check-${tried.inputs}`, timeout: '5s' });
    expect(result.exit).toBe(1);
  });

  test.each([
    'http://169.254.169.254/latest',
    'http://metadata.google.internal/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://2852039166/',
  ])('and %s is not asked at all, before anything is written', async (verify) => {
    const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'never' }, data: { a: 'b' } };
    const result = await tryWith([token], { 'c.yaml': [config] }, { verify, release: 'metadata' });
    expect(result.exit).toBe(1);
    expect(result.log).toContain('metadata server');
    expect(await stage.exists('configmap', 'never')).toBe(false);
  });
});

describe('what the cluster says of a secret does not show either', () => {
  const value = canary();
  const secret = (text: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'app' },
    stringData: { greeting: text },
  });
  const fromSecret = { valueFrom: { secretKeyRef: { name: 'app', key: 'greeting' } } };
  /** The sample server, with variables that come from the Secret. */
  const withSecret = (name: string, variables: Record<string, object>, more: Record<string, string> = {}) => {
    const made = deployment(name, { env: more });
    const [container] = made.spec.template.spec.containers;
    const env = [
      ...(container?.env ?? []),
      ...Object.entries(variables).map(([key, rest]) => ({ name: key, ...rest })),
    ];
    const spec = { containers: [{ ...container, env }] };
    return { ...made, spec: { ...made.spec, template: { ...made.spec.template, spec } } };
  };

  test('the log of a container that ends with it', async () => {
    const crashing = withSecret('crash', { CRASH_MESSAGE: fromSecret }, { CRASH_AFTER: '0s', EXIT_CODE: '3' });
    const inputs = { release: 'crash', timeout: '90s' };
    const result = await tryWith([value], { 'app.yaml': [secret(value), crashing] }, inputs);
    expect(result.exit).toBe(1);
    expect(result.traces['log']).toContain('***');
    expect(result.traces['summary']).toContain('exit code');
  });

  test('the log of a container, to a run that neither reads nor writes the Secret', async () => {
    const release = 'later';
    const later = { ...secret(value), metadata: { name: 'later' } };
    const made = withSecret('later', {});
    expect((await tryWith([value], { 'app.yaml': [later, made] }, { release })).exit).toBe(0);
    await stage.kubectl('set', 'env', 'deployment/later', '--from=secret/later', '--prefix=X_');
    const patch = {
      name: 'web',
      env: [
        { name: 'CRASH_AFTER', value: '0s' },
        { name: 'CRASH_MESSAGE', valueFrom: { secretKeyRef: { name: 'later', key: 'greeting' } } },
      ],
    };
    const spec = { template: { spec: { containers: [patch] } } };
    await stage.kubectl('patch', 'deployment', 'later', '-p', JSON.stringify({ spec }));
    const crashed = async () => (await stage.kubectl('get', 'pods', '-l', 'app=later')).includes('CrashLoopBackOff');
    await until('a pod crashes', crashed);
    const status = await tryWith([value], {}, { command: 'status', release });
    expect(status.traces['log']).toContain('***');
    const restart = await tryWith([value], {}, { command: 'restart', release, timeout: '20s' });
    expect(restart.exit).toBe(1);
  });

  test('the answer to a check that holds it, also where it is cut', async () => {
    const made = withSecret('answer', { GREETING: fromSecret });
    const verify = '/env?name=GREETING json .a == b';
    const filler = `${'x'.repeat(68)} ${value}`;
    const files = { 'app.yaml': [secret(filler), made, service('answer')] };
    const result = await tryWith([value], files, { release: 'answer', verify });
    expect(result.exit).toBe(1);
    expect(result.log).toContain('its body is not JSON');
  });

  test('a policy that quotes it, of a Secret and of a variable', async () => {
    const name = `hostile-${value.slice(-8)}`;
    const [ours, other] = [canary(), canary()];
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Ignore',
        matchConstraints: {
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': stage.namespace } },
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['secrets'] },
            { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['*'], resources: ['deployments'] },
          ],
        },
        validations: [
          {
            expression: "!object.metadata.name.startsWith('quoted')",
            messageExpression:
              "object.kind == 'Secret' ? 'I do not like ' + string(object.data.a) : 'nor ' + object.spec.template.spec.containers[0].env[1].value",
          },
        ],
      },
    };
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    };
    await stage.apply([policy, binding]);
    try {
      const quoted = (text: string) => ({ ...secret(text), metadata: { name: 'quoted' }, stringData: { a: text } });
      const denied = async () =>
        (await stage.kubectl('create', 'secret', 'generic', 'quoted', '--dry-run=server').catch(String)).includes(
          'denied',
        );
      await until('the policy is in force', denied);
      const [first, second] = [
        await tryWith([ours], { 's.yaml': [quoted(ours)] }, { release: 'policy' }),
        await tryWith(
          [other],
          { 'd.yaml': [deployment('quoted', { env: { ORDINARY: other } })] },
          { release: 'policy' },
        ),
      ];
      expect(first.log).toMatch(/denied \w+: .*\*\*\*/);
      expect(second.log).toMatch(/denied \w+: .*\*\*\*/);
    } finally {
      await kubectl([
        'delete',
        'validatingadmissionpolicybinding,validatingadmissionpolicy',
        name,
        '--ignore-not-found',
      ]);
    }
  });

  test('what somebody has changed by hand, in a Secret and in a variable', async () => {
    const [before, after, byHand] = [canary(), canary(), canary()];
    const files = {
      'app.yaml': [
        { ...secret(before), metadata: { name: 'drift' } },
        deployment('drift', { env: { ORDINARY: before } }),
      ],
    };
    const given = await tryWith([before], files, { release: 'drift' });
    expect(given.exit).toBe(0);
    await stage.patch('secret', 'drift', { stringData: { greeting: after } });
    await stage.kubectl('set', 'env', 'deployment/drift', `ORDINARY=${byHand}`, `ADDED=${byHand}`);
    const status = await tryWith([before, after, byHand], {}, { command: 'status', release: 'drift' });
    expect(status.log).toContain('env ORDINARY of container "web": changed');
    const again = await tryWith([before, after, byHand], files, { release: 'drift' });
    expect(again.log).not.toBe('');
    const back = await tryWith([before, after, byHand], {}, { command: 'rollback', release: 'drift', timeout: '60s' });
    expect(back.log).not.toBe('');
  });

  test('a kustomization that cannot be built', async () => {
    const kustomization = {
      resources: ['base'],
      secretGenerator: [
        { name: 'a', literals: [`password=${value}`, value] },
        { name: 'b', envs: ['app.env'] },
      ],
    };
    const files = {
      'app/kustomization.yaml': JSON.stringify(kustomization),
      'app/app.env': `TOKEN=${value}\n${value} x\n`,
      'app/base/kustomization.yaml': 'resources:\n- secret.yaml\n',
      'app/base/secret.yaml': secretYaml('c', `stringData:\n  a: ${value}\n  b: {`),
    };
    const path = dirname(process.env['TEST_KUBECTL'] ?? '/usr/bin/kubectl');
    const result = await tryWith([value], files, { manifests: 'app' }, () => ({
      PATH: `${path}:${process.env['PATH'] ?? ''}`,
    }));
    expect(result.exit).toBe(1);
    expect(result.log).toContain('cannot be built');
  });
});
