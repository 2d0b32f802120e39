import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { write } from './cache.ts';
import { run } from './run.ts';

/** Paths of a certificate and its key. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** Who the certificates are for. */
const subjects = {
  apiserver: { commonName: 'kube-apiserver', organization: [] },
  admin: { commonName: 'admin', organization: ['system:masters'] },
  'controller-manager': { commonName: 'system:kube-controller-manager', organization: [] },
  scheduler: { commonName: 'system:kube-scheduler', organization: [] },
  proxy: { commonName: 'system:kube-proxy', organization: [] },
  kubelet: { commonName: 'system:node:node', organization: ['system:nodes'] },
} as const;

export type Holder = keyof typeof subjects;

export interface Pki {
  ca: string;
  pairs: Readonly<Record<Holder, KeyPair>>;
  serviceAccountKey: string;
}

/** One CA, and a key pair for each component; `addresses` are what the API server and the kubelet are reached at. */
export async function createPki(folder: string, addresses: readonly string[], nodeBinary: string): Promise<Pki> {
  mkdirSync(folder, { recursive: true });
  const config = write(join(folder, 'pki.json'), JSON.stringify({ folder, addresses, subjects }));
  await run(nodeBinary, ['pki', config]);
  const pair = (name: Holder): KeyPair => ({ cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) });
  return {
    ca: join(folder, 'ca.crt'),
    pairs: {
      apiserver: pair('apiserver'),
      admin: pair('admin'),
      'controller-manager': pair('controller-manager'),
      scheduler: pair('scheduler'),
      proxy: pair('proxy'),
      kubelet: pair('kubelet'),
    },
    serviceAccountKey: join(folder, 'service-accounts.key'),
  };
}

/** A kubeconfig that holds the certificates themselves, so that its text can be copied anywhere. JSON is YAML. */
export function kubeconfig(server: string, pki: Pki, holder: Holder): string {
  const data = (path: string) => readFileSync(path).toString('base64');
  const { cert, key } = pki.pairs[holder];
  return JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'embedded', cluster: { server, 'certificate-authority-data': data(pki.ca) } }],
      users: [{ name: holder, user: { 'client-certificate-data': data(cert), 'client-key-data': data(key) } }],
      contexts: [{ name: 'embedded', context: { cluster: 'embedded', user: holder } }],
      'current-context': 'embedded',
    },
    undefined,
    2,
  );
}
