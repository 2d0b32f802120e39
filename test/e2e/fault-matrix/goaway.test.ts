import { connect } from 'node:http2';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { objectsAt, stringAt, type Json } from '../../../src/base/json.ts';
import { down, up, type Cluster } from '../../cluster/cluster.ts';
import { figure } from '../../support/figure.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap } from '../../support/objects.ts';
import { app, Stage } from '../../support/strategy-stage.ts';

/**
 * An API server that tells one of 50 requests that its connection ends, as those do which spread their load (`--goaway-chance`,
 * which may be 0.02 at most). Requests go on beside it on the same connection, and watches.
 */
const name = 'leaving';
const patienceMs = 600_000;
const configs = 150;

let cluster: Cluster;
let given: string | undefined;

beforeAll(async () => {
  cluster = await up(name, { extraApiServerFlags: () => ['--goaway-chance=0.02'] });
  given = process.env['TEST_KUBECONFIG'];
  process.env['TEST_KUBECONFIG'] = cluster.kubeconfig;
}, patienceMs);

afterAll(async () => {
  if (given !== undefined) process.env['TEST_KUBECONFIG'] = given;
  await down(name);
}, patienceMs);

/** How many of so many requests were the last ones of their connection. */
async function leavingsOf(requests: number): Promise<number> {
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '--flatten', '--minify', '-o', 'json'])) as Json;
  const [cluster] = objectsAt(config, 'clusters');
  const [user] = objectsAt(config, 'users');
  const pem = (value: string | undefined) => Buffer.from(value ?? '', 'base64');
  const open = () =>
    connect(stringAt(cluster, 'cluster', 'server') ?? '', {
      ca: pem(stringAt(cluster, 'cluster', 'certificate-authority-data')),
      cert: pem(stringAt(user, 'user', 'client-certificate-data')),
      key: pem(stringAt(user, 'user', 'client-key-data')),
    });
  let leavings = 0;
  let session = open();
  for (let count = 0; count < requests; count += 1) {
    if (session.closed) session = open();
    const left = new Promise<void>((resolve, reject) => {
      session.once('goaway', () => {
        leavings += 1;
      });
      const stream = session.request({ ':path': '/version' });
      stream.on('error', reject).on('close', resolve).resume();
    });
    await left;
    session.removeAllListeners('goaway');
  }
  session.destroy();
  return leavings;
}

test.each(['rolling', 'canary', 'blue-green'] as const)(
  'nothing fails and nothing is lost where the API server ends connections all the time: %s',
  async (strategy) => {
    await using stage = await Stage.open(strategy);
    const inputs = strategy === 'canary' ? { 'canary-steps': '50' } : {};
    for (const version of ['1.0.0', '2.0.0', '2.0.0']) {
      const maps = Array.from({ length: configs }, (_, index) => configMap(`web-${index}`, { version }));
      const { exit, log } = await stage.deploy('shop', [...maps, ...app('web', version)], inputs);
      expect(exit === 0 ? '' : log).toBe('');
      const found = await stage.kubectl('get', 'configmaps', '-o', 'jsonpath={.items[*].data.version}');
      expect(found.split(' ').filter((one) => one === version)).toHaveLength(configs);
    }
  },
  patienceMs,
);

test(
  'and it does so here',
  async () => {
    const leavings = await leavingsOf(400);
    figure('goaways-of-400-requests', leavings);
    expect(leavings).toBeGreaterThan(0);
  },
  patienceMs,
);
