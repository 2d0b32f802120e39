import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { down, fakeNodeTaint, leftovers, up, type Cluster } from './cluster.ts';
import { archive, createImage } from './images.ts';
import { waitUntil } from './run.ts';
import { clusterNames, nodeOf, readState, stateFolder } from './state.ts';

const name = 'selftest';
/** Bytes per second: the slow image takes some seconds. */
const slowRate = 5_000_000;

/** Brings up a throw-away cluster, tries what the suites rely on, ends it and sees that nothing is left. Throws if not. */
export async function selftest(): Promise<void> {
  await down(name);
  const cluster = await step('up', () => up(name, { slowRate }));
  try {
    await step('up again returns the same cluster', () => upAgain(cluster));
    await step('three pods serve through a load balancer', () => threePods(cluster));
    await step('a pod finds a Service by name', () => names(cluster));
    await step('logs and exec reach the kubelet', () => logsAndExec(cluster));
    await step('a load balancer address may never come', () => noAddress(cluster));
    await step('a killed API server comes back', () => killedApiServer(cluster));
    await step('a stopped part stays down until it is started', () => stoppedPart(cluster));
    await step('an imported image runs', () => importedImage(cluster));
    await step('a node without a kubelet takes a pod', () => fakeNode(cluster));
    await step('images that cannot be pulled say why', () => brokenImages(cluster));
    await step('a slow image is slow', () => slowImage(cluster));
  } finally {
    await step('down', () => down(name));
  }
  await nothingIsLeft(cluster.index);
  await step('down after a crash of the node', crashOfNode);
  await step('down after a crash of up', crashOfUp);
  console.log('nothing is left');
}

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const result = await work();
  console.log(`${what}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

async function nothingIsLeft(index: number): Promise<void> {
  const left = await leftovers(name, index);
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
}

async function upAgain(cluster: Cluster): Promise<void> {
  const node = nodeOf(name);
  const again = await up(name);
  if (again.server !== cluster.server || nodeOf(name) !== node) throw new Error('up made another cluster');
}

async function threePods(cluster: Cluster): Promise<void> {
  const image = '--image=registry.test/ctwoc:1.0.0';
  await cluster.kubectl(['create', 'deployment', 'web', image, '--replicas=3', '--port=8080']);
  await cluster.kubectl(['expose', 'deployment', 'web', '--type=LoadBalancer', '--port=80', '--target-port=8080']);
  await cluster.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
  await waitUntil('the address answers', 20_000, async () => {
    const ip = await field(cluster, 'service/web', '{.status.loadBalancer.ingress[0].ip}');
    return ip !== '' && (await text(`http://${ip}/version`)).trim() === '1.0.0';
  });
}

/** The frontend role passes requests on to a host that its configuration names. */
async function names(cluster: Cluster): Promise<void> {
  const metadata = { name: 'frontend' };
  const configMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { conf: '/web/ = http://web\n' } };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: {
      containers: [
        {
          name: 'frontend',
          image: 'registry.test/ctwoc:2.0.0',
          env: [
            { name: 'ROLE', value: 'frontend' },
            { name: 'CONFIG', value: '/config/conf' },
          ],
          volumeMounts: [{ name: 'config', mountPath: '/config' }],
        },
      ],
      volumes: [{ name: 'config', configMap: { name: 'frontend' } }],
    },
  };
  await cluster.kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [configMap, pod] }),
  );
  await waitUntil('the frontend reaches web', 20_000, async () => {
    const ip = await field(cluster, 'pod/frontend', '{.status.podIP}');
    return ip !== '' && (await text(`http://${ip}:8080/web/version`)).trim() === '1.0.0';
  });
}

async function logsAndExec(cluster: Cluster): Promise<void> {
  await cluster.kubectl(['run', 'talker', '--image=registry.test/ctwoc:1.0.0', '--env=LOG_LINES=3']);
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/talker', '--timeout=30s']);
  await waitUntil('its log has lines', 5000, async () => {
    return (await cluster.kubectl(['logs', 'talker'])).split('\n').length > 3;
  });
  const printed = await cluster.kubectl(['exec', 'talker', '--', '/server', 'job', '--print', 'hello']);
  if (!printed.includes('hello')) throw new Error(`exec printed ${printed}`);
}

async function noAddress(cluster: Cluster): Promise<void> {
  const service = (own: string, delay: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: own, annotations: { 'harness.test/load-balancer-delay': delay } },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }], selector: { app: 'web' } },
  });
  const items = [service('never', 'never'), service('soon', '100ms')];
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  const path = '{.status.loadBalancer.ingress[0].ip}';
  await waitUntil('the one has an address', 5000, async () => (await field(cluster, 'service/soon', path)) !== '');
  if ((await field(cluster, 'service/never', path)) !== '') throw new Error('the other has one as well');
}

async function killedApiServer(cluster: Cluster): Promise<void> {
  await cluster.part('kill', 'kube-apiserver');
  await waitUntil('it answers again', 30_000, async () => {
    return (await cluster.kubectl(['get', '--raw', '/readyz'])) === 'ok';
  });
}

async function stoppedPart(cluster: Cluster): Promise<void> {
  await cluster.part('stop', 'kube-scheduler');
  await cluster.kubectl(['run', 'waiting', '--image=registry.test/ctwoc:1.0.0']);
  await waitUntil(
    'the pod is there',
    5000,
    async () => (await field(cluster, 'pod/waiting', '{.status.phase}')) !== '',
  );
  if ((await field(cluster, 'pod/waiting', '{.spec.nodeName}')) !== '') throw new Error('somebody scheduled it');
  await cluster.part('start', 'kube-scheduler');
  await waitUntil('the pod runs', 30_000, async () => {
    return (await field(cluster, 'pod/waiting', '{.status.phase}')) === 'Running';
  });
}

async function importedImage(cluster: Cluster): Promise<void> {
  const file = join(stateFolder(name), 'imported.tar');
  writeFileSync(file, archive([createImage('imported', '1', cluster.binaries['ctwoc-3.0.0'] ?? '')]));
  await cluster.importImage(file);
  await cluster.kubectl(['run', 'imported', '--image=registry.test/imported:1', '--image-pull-policy=Never']);
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/imported', '--timeout=30s']);
}

async function fakeNode(cluster: Cluster): Promise<void> {
  await cluster.addFakeNode('fake-1', { cpu: '100' });
  const spec = {
    nodeSelector: { [fakeNodeTaint.key]: fakeNodeTaint.value },
    tolerations: [{ ...fakeNodeTaint, operator: 'Equal' }],
    containers: [{ name: 'main', image: 'anything.test/image:1', resources: { requests: { cpu: '50' } } }],
  };
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pretended' }, spec };
  await cluster.kubectl(['apply', '-f', '-'], JSON.stringify(pod));
  await waitUntil('the pod is on it', 10_000, async () => {
    return (await field(cluster, 'pod/pretended', '{.spec.nodeName}')) === 'fake-1';
  });
  await cluster.kubectl([
    'patch',
    'pod/pretended',
    '--subresource=status',
    '--type=merge',
    '--patch={"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}',
  ]);
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/pretended', '--timeout=5s']);
}

async function brokenImages(cluster: Cluster): Promise<void> {
  const expected: Record<string, RegExp> = {
    'registry.test/pulled/ctwoc:9': /not found/,
    'registry.test/denied/ctwoc:1.0.0': /authorization failed|401 Unauthorized/,
    'registry.test/forbidden/ctwoc:1.0.0': /403 Forbidden/,
    'registry.test/limited/ctwoc:1.0.0': /429 Too Many Requests/,
    'nowhere.test/ctwoc:1': /no such host/,
  };
  await Promise.all(
    Object.entries(expected).map(async ([image, reason]) => {
      const pod = image.replaceAll(/[^a-z0-9]/g, '-');
      await cluster.kubectl(['run', pod, `--image=${image}`]);
      const waiting =
        '{.status.containerStatuses[0].state.waiting.reason} {.status.containerStatuses[0].state.waiting.message}';
      let last = '';
      await waitUntil(`"${image}" fails as ${reason}`, 30_000, async () => {
        last = await field(cluster, `pod/${pod}`, waiting);
        return last.startsWith('ErrImagePull') && reason.test(last);
      }).catch((error: unknown) => {
        throw new Error(`the last that was seen is: ${last}`, { cause: error });
      });
    }),
  );
}

async function slowImage(cluster: Cluster): Promise<void> {
  const started = Date.now();
  await cluster.kubectl(['run', 'slow', '--image=registry.test/slow/ctwoc:1.0.0']);
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/slow', '--timeout=60s']);
  if (Date.now() - started < 3000) throw new Error('it came at once');
}

async function crashOfNode(): Promise<void> {
  const { index } = await up(name);
  process.kill(nodeOf(name) ?? 0, 'SIGKILL');
  await down(name);
  await nothingIsLeft(index);
}

async function crashOfUp(): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cli.ts'), 'up', name], { stdio: 'ignore' });
  await waitUntil('the node has started', 10_000, () => Promise.resolve(nodeOf(name) !== undefined));
  child.kill('SIGKILL');
  const index = readState(name)?.index ?? 0;
  await down(name);
  await nothingIsLeft(index);
  if (clusterNames().includes(name)) throw new Error(`"${name}" is still known`);
}

function field(cluster: Cluster, object: string, jsonpath: string): Promise<string> {
  return cluster.kubectl(['get', object, '-o', `jsonpath=${jsonpath}`]);
}

async function text(url: string): Promise<string> {
  return await (await fetch(url, { signal: AbortSignal.timeout(2000) })).text();
}
