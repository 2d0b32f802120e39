import type { RequestOptions } from 'node:https';

import { expect, test } from '@jest/globals';
import { KubeConfig } from '@kubernetes/client-node';

import { connect } from '../../../../src/kubernetes/connection.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ alg: 'none' })}.${part({ exp: 4_000_000_000 })}.x`;

/** Where a kubeconfig leads, in which namespace, and with which headers: read by us, and by client-node. */
async function readTwice(user: object, cluster: object = {}) {
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://10.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } }],
    'current-context': 'x',
  });
  const connection = await connect({ kubeconfig, cwd: '/', env: {} });
  const own = {
    server: connection.server,
    context: connection.context,
    namespace: connection.namespace,
    insecure: connection.insecure,
    authorization: (await connection.authorize())['Authorization'],
  };
  connection.close();
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const headers = (options.headers ?? {}) as Record<string, string>;
  const basic = options.auth === undefined ? undefined : `Basic ${Buffer.from(options.auth ?? '').toString('base64')}`;
  const theirs = {
    server: config.getCurrentCluster()?.server,
    context: config.getCurrentContext(),
    namespace: config.getContextObject('x')?.namespace,
    insecure: config.getCurrentCluster()?.skipTLSVerify === true,
    authorization: headers['Authorization'] ?? basic,
  };
  return { own, theirs };
}

test.each<[string, object, object]>([
  ['a token', { token: 't' }, {}],
  ['name and password', { username: 'a', password: 'b' }, {}],
  ['an OIDC token that is valid', { 'auth-provider': { name: 'oidc', config: { 'id-token': jwt } } }, {}],
  ['nobody', {}, {}],
  ['a server that may be anybody', { token: 't' }, { 'insecure-skip-tls-verify': true }],
])('a kubeconfig with %s leads where client-node says, as the same user', async (_, user, cluster) => {
  const { own, theirs } = await readTwice(user, cluster);
  expect(own).toEqual(theirs);
});
