import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { write } from './build.ts';
import { run } from './run.ts';

export interface KeyPair {
  cert: string;
  key: string;
}

export interface Pki {
  ca: string;
  apiserver: KeyPair;
  admin: KeyPair;
  'controller-manager': KeyPair;
  scheduler: KeyPair;
  proxy: KeyPair;
  kubelet: KeyPair;
  serviceAccountKey: string;
}

const subjects: Readonly<Record<Exclude<keyof Pki, 'ca' | 'serviceAccountKey'>, string>> = {
  apiserver: '/CN=kube-apiserver/O=kube-apiserver',
  admin: '/O=system:masters/CN=admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  proxy: '/CN=system:kube-proxy',
  kubelet: '/O=system:nodes/CN=system:node:node',
};

/** One CA, and a key pair for each component; `addresses` are what the API server and the kubelet are reached at. */
export async function createPki(folder: string, addresses: readonly string[]): Promise<Pki> {
  mkdirSync(folder, { recursive: true });
  const file = (name: string) => join(folder, name);
  const pair = (name: string): KeyPair => ({ cert: file(`${name}.crt`), key: file(`${name}.key`) });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

  const ca = pair('ca');
  await run('openssl', [
    'req',
    '-x509',
    ...key,
    '-keyout',
    ca.key,
    '-out',
    ca.cert,
    '-days',
    '365',
    '-subj',
    '/CN=embedded-cluster',
  ]);
  const names = ['DNS:kubernetes', 'DNS:kubernetes.default', 'DNS:kubernetes.default.svc', 'DNS:localhost', 'DNS:node'];
  const extensions = write(
    file('extensions.cnf'),
    [
      `subjectAltName=${[...names, ...addresses.map((address) => `IP:${address}`)].join(',')}`,
      'extendedKeyUsage=serverAuth,clientAuth',
    ].join('\n'),
  );
  const issue = async (name: keyof typeof subjects): Promise<KeyPair> => {
    const target = pair(name);
    const request = file(`${name}.csr`);
    await run('openssl', ['req', ...key, '-keyout', target.key, '-out', request, '-subj', subjects[name]]);
    const sign = ['x509', '-req', '-in', request, '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '365'];
    await run('openssl', [...sign, '-CAserial', file(`${name}.srl`), '-out', target.cert, '-extfile', extensions]);
    return target;
  };
  const [apiserver, admin, controllerManager, scheduler, proxy, kubelet] = await Promise.all([
    issue('apiserver'),
    issue('admin'),
    issue('controller-manager'),
    issue('scheduler'),
    issue('proxy'),
    issue('kubelet'),
    run('openssl', ['genrsa', '-out', file('sa.key'), '2048']),
  ]);
  const serviceAccountKey = file('sa.key');
  return {
    ca: ca.cert,
    apiserver,
    admin,
    'controller-manager': controllerManager,
    scheduler,
    proxy,
    kubelet,
    serviceAccountKey,
  };
}
