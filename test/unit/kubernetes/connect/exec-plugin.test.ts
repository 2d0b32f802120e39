import { expect, test } from '@jest/globals';

import { limits } from '../../../../src/base/limits.ts';
import { askExecPlugin } from '../../../../src/kubernetes/connect/exec-plugin.ts';

const env = { PATH: process.env['PATH'] };
const cluster = { server: 'https://10.0.0.1', 'certificate-authority-data': 'QQ==' };

function shell(script: string, more: object = {}) {
  return { apiVersion: 'client.authentication.k8s.io/v1beta1', command: 'sh', args: ['-c', script], ...more };
}

function credential(status: object): string {
  return `echo '${JSON.stringify({ kind: 'ExecCredential', status })}'`;
}

test('a token comes with the time when it expires', async () => {
  const plugin = shell(credential({ token: 't', expirationTimestamp: '2026-01-01T00:00:00Z' }));
  await expect(askExecPlugin(plugin, cluster, { env, time: limits.pluginTime })).resolves.toEqual({
    token: 't',
    expiresAt: Date.UTC(2026, 0, 1),
  });
});

test('a certificate does as well as a token', async () => {
  const plugin = shell(credential({ clientCertificateData: 'c', clientKeyData: 'k' }));
  await expect(askExecPlugin(plugin, cluster, { env, time: limits.pluginTime })).resolves.toEqual({
    cert: 'c',
    key: 'k',
  });
});

test('the plugin gets its own environment, and is told the cluster when the kubeconfig says so', async () => {
  const script = `printf '{"status":{"token":"%s %s"}}' "$REGION" "$(printf %s "$KUBERNETES_EXEC_INFO" | tr -d '"')"`;
  const plugin = shell(script, { env: [{ name: 'REGION', value: 'eu' }], provideClusterInfo: true });
  const { token } = await askExecPlugin(plugin, cluster, { env, time: limits.pluginTime });
  expect(token).toMatch(
    /^eu \{apiVersion:client\.authentication\.k8s\.io\/v1beta1,kind:ExecCredential,spec:\{interactive:false,cluster:/,
  );
  expect(token).toContain('server:https://10.0.0.1,certificate-authority-data:QQ==');
});

test('one that is not installed is named, with the hint of the kubeconfig', async () => {
  const plugin = { command: 'no-such-credential-plugin', installHint: 'Get it from your admin.' };
  await expect(askExecPlugin(plugin, cluster, { env, time: limits.pluginTime })).rejects.toMatchObject({
    message: 'the credential plugin "no-such-credential-plugin" of the kubeconfig is not installed on this runner',
    hint: 'Get it from your admin.',
  });
});

test('one that fails is quoted', async () => {
  await expect(
    askExecPlugin(shell('echo not signed in >&2; exit 3'), cluster, { env, time: limits.pluginTime }),
  ).rejects.toThrow('the credential plugin "sh" failed with exit code 3: not signed in');
});

test.each(['true', 'echo nonsense', credential({})])(
  'one that answers with no credential is refused: %s',
  async (script) => {
    await expect(askExecPlugin(shell(script), cluster, { env, time: limits.pluginTime })).rejects.toThrow(
      /returned neither a token/,
    );
  },
);

test('one that waits for somebody is given up', async () => {
  await expect(
    askExecPlugin(shell('exec sleep 60'), cluster, { env, time: { ...limits.pluginTime, value: 100 } }),
  ).rejects.toThrow('the credential plugin "sh" did not finish: the limit for a credential plugin is 0.1 s');
});
