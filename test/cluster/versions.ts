/** The one place where the versions of the embedded cluster stand; go.mod files beside it pin what they are built from. */
export const versions = {
  kubernetes: '1.36.3',
  etcd: '3.6.13',
  cniPlugins: '1.9.1',
  coredns: '1.14.7',
  registry: '3.1.2',
  act: '0.2.89',
} as const;

/** Versions of the sample application that are built into images. */
export const sampleVersions = ['1.0.0', '2.0.0', '3.0.0'] as const;

/** Debian packages that bring the commands named as keys; only what is missing is installed. */
export const packages: Readonly<Record<string, string>> = {
  containerd: 'containerd',
  runc: 'runc',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  openssl: 'openssl',
  unshare: 'util-linux',
};
