/**
 * The action beside kubectl and helm, in turns on one cluster in one run: only the ratios mean something. Prints tables and lines
 * `figure NAME VALUE`; with `--write` the tables become `docs/benchmark.md`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';

import { systemClock } from '../../src/base/clock.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { createClient } from '../../src/kubernetes/http-client.ts';
import { ensureProgram } from '../../test/cluster/build.ts';
import { down, up } from '../../test/cluster/cluster.ts';
import { nodeOf } from '../../test/cluster/state.ts';
import { costTable, figuresOf, page, remarksOf, timeTable, type Row } from './page.ts';
import { planRow, rollbackRow } from './rows/back.ts';
import { crowdedRows } from './rows/crowded.ts';
import { deployRows } from './rows/deploy.ts';
import { failureRows } from './rows/failure.ts';
import { lagRow } from './rows/lag.ts';
import { largeRelease, releaseOf } from './rows/release.ts';
import { startRow } from './rows/start.ts';
import { switchRows } from './rows/switch.ts';
import { Tools } from './tools.ts';

const root = join(import.meta.dirname, '../..');

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '9' },
    /** Pairs of the row about the lag: a 95th percentile needs more of them. */
    lags: { type: 'string', default: '20' },
    /** Foreign pods in the crowded namespace. */
    crowd: { type: 'string', default: '5000' },
    /** Names of rows, with commas; all of them by default. */
    rows: { type: 'string' },
    cluster: { type: 'string', default: 'bench' },
    /** Leaves the cluster up, as it does one that was up before. */
    keep: { type: 'boolean', default: false },
    /** Leaves helm out, which takes three minutes to build the first time. */
    'no-helm': { type: 'boolean', default: false },
    /** Writes the rows that were asked for into `docs/benchmark.md`. */
    write: { type: 'boolean', default: false },
  },
});
const pairs = Number(options.pairs);
/** What takes half a minute or more a pair is done less often. */
const atMost = (most: number) => Math.min(pairs, most);
const newService = 'the action also waits up to 2 s until the nodes know the new Service; kubectl and helm do not';
const deployOf = (count: number) => ({
  work: `deploy of ${count}`,
  objects: (version: string) => releaseOf(count, version),
  pairs,
  ...(count > 2 ? { remarks: newService } : {}),
});

type Work = (tools: Tools, client: KubernetesClient) => Promise<Row | Row[]>;

const work: Readonly<Record<string, Work>> = {
  start: (tools) => startRow(tools.cluster.binaries['kubectl'] ?? '', pairs),
  'deploy-1': (tools) => deployRows(tools, deployOf(1)),
  'deploy-10': (tools) => deployRows(tools, deployOf(10)),
  'deploy-200': (tools) => deployRows(tools, { ...deployOf(200), helmPairs: atMost(3) }),
  'deploy-1000': (tools) =>
    deployRows(tools, {
      work: 'deploy of 1000',
      objects: (version) => largeRelease(1000, version),
      pairs: atMost(3),
      alone: true,
      helmPairs: 0,
      remarks: `${newService}; helm cannot install it: its record of the release does not fit into a Secret of 1 MiB`,
    }),
  lag: (tools, client) => lagRow(tools, client, Number(options.lags)),
  crowd: (tools, client) => crowdedRows(tools, client, Number(options.crowd), pairs),
  rollback: (tools) => rollbackRow(tools, 10, pairs),
  plan: async (tools) => [await planRow(tools, 10, pairs), await planRow(tools, 200, pairs)],
  failure: (tools, client) => failureRows(tools, client, { pairs, helmPairs: atMost(3) }),
  switch: (tools) => switchRows(tools, atMost(3)),
};
const all = Object.keys(work);
const wanted = options.rows?.split(',') ?? all;
const unknown = wanted.find((row) => work[row] === undefined);
if (unknown !== undefined) throw new Error(`no row "${unknown}"; there are ${all.join(', ')}`);

const helm = options['no-helm'] ? undefined : await ensureProgram('helm');
const keep = options.keep || nodeOf(options.cluster) !== undefined;
const cluster = await up(options.cluster);
const rows: Row[] = [];
let load = 0;
const tools = await Tools.on(cluster, helm);
try {
  const connection = await connect({ kubeconfig: cluster.kubeconfig, cwd: '/', env: {} });
  const client = createClient(connection, { clock: systemClock, userAgent: 'gke-rollout-bench' });
  try {
    for (const name of wanted) {
      const from = performance.now();
      try {
        const found = await work[name]?.(tools, client);
        const added = found === undefined ? [] : [found].flat();
        for (const line of added.flatMap(figuresOf)) console.log(line);
        rows.push(...added);
      } catch (error) {
        // The other rows are worth the minutes that they take.
        console.error(`${name} has failed:`, error);
        process.exitCode = 1;
      }
      await tools.clean();
      console.log(`${name}: ${((performance.now() - from) / 1000).toFixed(0)} s`);
      load = Math.max(load, loadavg()[0] ?? 0);
    }
  } finally {
    await client.close();
  }
} finally {
  tools.dispose();
  if (!keep) await down(options.cluster);
}
console.log(`\n${timeTable(rows)}\n\n${remarksOf(rows)}\n\n${costTable(rows)}\n\nload: ${load.toFixed(1)}`);
if (options.write && process.exitCode === undefined) {
  const machine = {
    processor: cpus()[0]?.model ?? '',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    date: new Date().toISOString().slice(0, 10),
    load,
    versions: {
      node: process.versions.node,
      kubernetes: versionIn('kubernetes', 'k8s.io/kubernetes'),
      ...(helm === undefined ? {} : { helm: versionIn('helm', 'helm.sh/helm/v4') }),
    },
  };
  const path = join(root, 'docs/benchmark.md');
  writeFileSync(path, await format(page(rows, machine), { ...(await resolveConfig(path)), filepath: path }));
}

/** Which version of a module the clusters of tests are made with. */
function versionIn(name: string, module: string): string {
  const goMod = readFileSync(join(root, `test/cluster/modules/${name}/go.mod`), 'utf8');
  const line = goMod.split('\n').find((text) => text.includes(`${module} v`)) ?? '';
  return /\sv(?<version>\S+)/.exec(line)?.groups?.['version'] ?? '';
}
