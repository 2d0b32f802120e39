import { down, indexOf, leftovers, up, type Cluster } from './cluster.ts';
import { waitUntil } from './run.ts';

const name = 'selftest';

/** Brings up a throw-away cluster, tries what the suites rely on, ends it and sees that nothing is left. Throws if not. */
export async function selftest(): Promise<void> {
  await down(name);
  const cluster = await step('up', () => up(name));
  const index = indexOf(name) ?? 0;
  try {
    await step('three pods serve through a load balancer', () => threePods(cluster));
    await step('pods find each other by name', () => names(cluster));
    await step('a killed API server comes back', () => killedApiServer(cluster));
    await step('images that are missing, denied or slow', () => images(cluster));
  } finally {
    await step('down', () => down(name));
  }
  const left = await leftovers(name, index);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  console.log('nothing is left');
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const result = await work();
  console.log(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

async function threePods(cluster: Cluster): Promise<void> {
  await cluster.kubectl([
    'create',
    'deployment',
    'web',
    '--image=registry.test/ctwoc:1.0.0',
    '--replicas=3',
    '--port=8080',
  ]);
  await cluster.kubectl(['expose', 'deployment', 'web', '--type=LoadBalancer', '--port=80', '--target-port=8080']);
  await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  await waitUntil('the address answers', 20_000, async () => {
    const ip = await cluster.kubectl(['get', 'service', 'web', '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}']);
    return ip !== '' && (await (await fetch(`http://${ip}/version`)).text()) === '1.0.0\n';
  });
}

async function names(cluster: Cluster): Promise<void> {
  const pods = JSON.parse(await cluster.kubectl(['get', 'service', 'web', '-o', 'json'])) as {
    spec: { clusterIP: string };
  };
  const dns = await cluster.kubectl([
    'get',
    'service',
    'kube-dns',
    '-n',
    'kube-system',
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]);
  await waitUntil('web.default.svc.cluster.local resolves', 10_000, async () => {
    const { Resolver } = await import('node:dns/promises');
    const resolver = new Resolver();
    resolver.setServers([dns]);
    return (await resolver.resolve4('web.default.svc.cluster.local')).includes(pods.spec.clusterIP);
  });
}

async function killedApiServer(cluster: Cluster): Promise<void> {
  await cluster.part('kill', 'kube-apiserver');
  await waitUntil(
    'it answers again',
    30_000,
    async () => (await cluster.kubectl(['get', '--raw', '/readyz'])) === 'ok',
  );
}

async function images(cluster: Cluster): Promise<void> {
  const expected: Record<string, RegExp> = {
    'pulled/ctwoc:9': /ErrImagePull|ImagePullBackOff/,
    'denied/ctwoc:1.0.0': /ErrImagePull|ImagePullBackOff/,
    'nowhere.test/ctwoc:1': /ErrImagePull|ImagePullBackOff/,
    'slow/ctwoc:1.0.0': /ContainerCreating/,
  };
  await Promise.all(
    Object.entries(expected).map(async ([image, reason]) => {
      const pod = image.replaceAll(/[^a-z0-9]/g, '-');
      const reference = image.startsWith('nowhere') ? image : `registry.test/${image}`;
      await cluster.kubectl(['run', pod, `--image=${reference}`]);
      const waiting = ['get', 'pod', pod, '-o', 'jsonpath={.status.containerStatuses[0].state.waiting.reason}'];
      await waitUntil(`${image} waits`, 30_000, async () => reason.test(await cluster.kubectl(waiting)));
    }),
  );
  await waitUntil('the slow image has arrived', 60_000, async () => {
    return (await cluster.kubectl(['get', 'pod', 'slow-ctwoc-1-0-0', '-o', 'jsonpath={.status.phase}'])) === 'Running';
  });
}
