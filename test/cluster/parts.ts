import { join } from 'node:path';

import type { Binaries } from './build.ts';
import type { Network } from './network.ts';
import type { Pki } from './pki.ts';
import { tool } from './tools.ts';

/** A process of the node, as `node/supervisor.go` reads it. */
export interface Part {
  name: string;
  argv: string[];
  /** Its first start waits until the URL answers at all, or with 200. */
  after?: { url: string; state: 'listening' | 'ready' };
}

export const etcdUrl = 'http://127.0.0.1:2379';
export const localServer = 'https://127.0.0.1:6443';

const listening = { url: `${localServer}/readyz`, state: 'listening' } as const;
const ready = { url: `${localServer}/readyz`, state: 'ready' } as const;

/**
 * The processes of a node whose configuration lies in `folder`. Two cores start them all, so what can do nothing before
 * the API server is there waits for it; what needs the roles that it creates waits until it is ready.
 */
export function partsOf(
  folder: string,
  network: Network,
  pki: Pki,
  binaries: Binaries,
  extraApiServerFlags: readonly string[],
): Part[] {
  const path = (name: string) => join(folder, name);
  const binary = (name: string) => {
    const found = binaries[name];
    if (found === undefined) throw new Error(`"${name}" was not built`);
    return found;
  };
  const { apiserver, admin } = pki.pairs;
  return [
    {
      name: 'etcd',
      argv: [
        binary('etcd'),
        '--name=node',
        `--data-dir=${path('etcd')}`,
        `--listen-client-urls=${etcdUrl}`,
        `--advertise-client-urls=${etcdUrl}`,
        '--listen-peer-urls=http://127.0.0.1:2380',
        '--initial-advertise-peer-urls=http://127.0.0.1:2380',
        '--initial-cluster=node=http://127.0.0.1:2380',
        '--unsafe-no-fsync=true',
        '--log-level=warn',
      ],
    },
    {
      name: 'kube-apiserver',
      argv: [
        binary('kube-apiserver'),
        `--etcd-servers=${etcdUrl}`,
        '--bind-address=0.0.0.0',
        '--secure-port=6443',
        `--advertise-address=${network.node}`,
        `--tls-cert-file=${apiserver.cert}`,
        `--tls-private-key-file=${apiserver.key}`,
        `--client-ca-file=${pki.ca}`,
        `--kubelet-client-certificate=${admin.cert}`,
        `--kubelet-client-key=${admin.key}`,
        `--kubelet-certificate-authority=${pki.ca}`,
        '--kubelet-preferred-address-types=InternalIP',
        '--authorization-mode=Node,RBAC',
        `--service-cluster-ip-range=${network.services}`,
        '--service-account-issuer=https://kubernetes.default.svc',
        `--service-account-key-file=${pki.serviceAccountKey}`,
        `--service-account-signing-key-file=${pki.serviceAccountKey}`,
        '--allow-privileged=true',
        ...extraApiServerFlags,
      ],
      after: { url: `${etcdUrl}/health`, state: 'listening' },
    },
    {
      name: 'kube-controller-manager',
      argv: [
        binary('kube-controller-manager'),
        `--kubeconfig=${path('controller-manager.kubeconfig')}`,
        `--service-account-private-key-file=${pki.serviceAccountKey}`,
        `--root-ca-file=${pki.ca}`,
        '--use-service-account-credentials=true',
        '--leader-elect=false',
        '--kube-api-qps=100',
        '--kube-api-burst=200',
        // Nodes that tests add without a kubelet stay as they were made.
        '--node-monitor-grace-period=24h',
      ],
      after: ready,
    },
    {
      name: 'kube-scheduler',
      argv: [binary('kube-scheduler'), `--kubeconfig=${path('scheduler.kubeconfig')}`, '--leader-elect=false'],
      after: ready,
    },
    { name: 'containerd', argv: [tool('containerd'), '--config', path('containerd.toml')] },
    {
      name: 'kubelet',
      argv: [
        binary('kubelet'),
        `--config=${path('kubelet.yaml')}`,
        `--kubeconfig=${path('kubelet.kubeconfig')}`,
        `--root-dir=${path('kubelet')}`,
        `--node-ip=${network.node}`,
        '--hostname-override=node',
      ],
      after: listening,
    },
    { name: 'kube-proxy', argv: [binary('kube-proxy'), `--config=${path('proxy.yaml')}`], after: ready },
    { name: 'coredns', argv: [binary('coredns'), '-conf', path('Corefile')], after: listening },
    { name: 'registry', argv: [binary('registry'), 'serve', path('registry.yaml')] },
    { name: 'registry-front', argv: [binary('node'), 'registry-front', path('registry-front.json')] },
    { name: 'lb', argv: [binary('node'), 'lb', path('lb.json')], after: ready },
  ];
}
