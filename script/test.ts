/**
 * Runs the checks and suites named on the command line, or all of them, and ends with one line `N passed, N failed`.
 * Suites that need a cluster share one embedded cluster, brought up when the first of them starts.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { down, ensureBuilt, up, type Binaries } from '../test/cluster/cluster.ts';

interface Tally {
  passed: number;
  failed: number;
}

const root = join(import.meta.dirname, '..');
const output = join(root, 'test-output');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'use-kubeconfig': { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});

/** Checks without test cases of their own; each counts as one. */
const checks: Record<string, string[]> = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit'],
  lint: ['node_modules/eslint/bin/eslint.js', '.'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  dist: ['script/build.ts', '--check'],
};

/** Programs in Go, with tests of their own; each counts as one. */
const goModules = ['examples/ctwoc/server', 'test/cluster/node'];

/** Suites on a cluster: one folder of `test/e2e/` each. */
const clusterSuites = readdirSync(join(root, 'test/e2e'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

const known = [...Object.keys(checks), 'go', 'unit', ...clusterSuites];
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.map((name) => `"${name}"`).join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}

/** A matrix that is too long for every run takes a share of its cases; a suite that is named runs whole, unless TEST_SHARE says otherwise. */
const share = process.env['TEST_SHARE'] ?? (positionals.length > 0 ? '1' : '0.1');
const seed = process.env['TEST_SEED'] ?? String(Math.floor(Math.random() * 1_000_000));
if (share !== '1') console.log(`a share of ${share} of long matrices, with TEST_SEED=${seed}`);

/** Long suites that take turns in a run of everything: the seed says which one it is. */
const inTurn = ['crash-matrix', 'known-failures', 'switching'];
const turn = inTurn[Number(seed) % inTurn.length];
const chosen = positionals.length > 0 ? positionals : known.filter((name) => !inTurn.includes(name) || name === turn);
/** Checkouts that test at the same time on one machine need a cluster each. */
const clusterName = process.env['TEST_CLUSTER'] ?? 'test';

/** Suites that measure under load: two at once would measure each other. */
const alone = new Set(['switching']);

const tally: Tally = { passed: 0, failed: 0 };
const started = Date.now();
/** The embedded cluster, once a suite has needed it. */
const used = new Set<string>();

try {
  for (const name of chosen) {
    const from = Date.now();
    console.log(`\n=== ${name}`);
    const result = await runSuite(name);
    tally.passed += result.passed;
    tally.failed += result.failed;
    console.log(`--- ${name}: ${result.passed} passed, ${result.failed} failed (${seconds(from)})`);
  }
} finally {
  if (!options.keep) for (const name of used) await down(name);
}
console.log(`\nfigure test-seconds ${((Date.now() - started) / 1000).toFixed(0)}`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;

async function runSuite(name: string): Promise<Tally> {
  const check = checks[name];
  if (check !== undefined) return outcomeOf([await run(process.execPath, check)]);
  if (name === 'go') {
    const codes = [];
    for (const folder of goModules) codes.push(await run('go', ['test', './...'], { cwd: join(root, folder) }));
    return outcomeOf(codes);
  }
  if (name === 'unit') return await jest(name, 'test/unit', {});
  return await jest(name, join('test/e2e', name), { TEST_SHARE: share, TEST_SEED: seed, ...(await cluster()) });
}

function outcomeOf(codes: readonly number[]): Tally {
  const passed = codes.filter((code) => code === 0).length;
  return { passed, failed: codes.length - passed };
}

/** The variables that lead the suites to the cluster that they share. */
async function cluster(): Promise<Record<string, string>> {
  if (options['use-kubeconfig']) {
    const given = process.env['KUBECONFIG'] ?? '';
    if (given === '') throw new Error('--use-kubeconfig needs KUBECONFIG to be set');
    const binaries = await ensureBuilt();
    return { TEST_KUBECONFIG: given, ...programs(binaries) };
  }
  used.add(clusterName);
  const { kubeconfig, binaries } = await up(clusterName);
  return { TEST_KUBECONFIG: kubeconfig, ...programs(binaries) };
}

function programs(binaries: Binaries): Record<string, string> {
  return {
    TEST_KUBECTL: binaries['kubectl'] ?? '',
    TEST_ACT: binaries['act'] ?? '',
    TEST_SAMPLE: binaries['ctwoc-1.0.0'] ?? '',
  };
}

/** Runs jest over one folder and counts from its own report; a suite that could not even start counts as failed. */
async function jest(name: string, folder: string, env: Record<string, string>): Promise<Tally> {
  mkdirSync(output, { recursive: true });
  const report = join(output, `${name}.json`);
  rmSync(report, { force: true });
  const code = await run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      `${folder}/`,
      ...(name === 'unit' ? [] : [`--maxWorkers=${alone.has(name) ? 1 : 2}`, '--testTimeout=600000']),
      '--silent=false',
      '--json',
      `--outputFile=${report}`,
    ],
    { env },
  );
  if (!existsSync(report)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numRuntimeErrorTestSuites: number;
  };
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return { passed: result.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed };
}

function run(
  program: string,
  args: string[],
  { env = {}, cwd = root }: { env?: Record<string, string>; cwd?: string } = {},
): Promise<number> {
  return new Promise((resolve) => {
    // jest prints its JSON report to stdout as well, which nobody wants to read.
    const quiet = args.includes('--json');
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, FORCE_COLOR: '0', ...env },
      stdio: ['ignore', quiet ? 'ignore' : 'inherit', 'inherit'],
    });
    child.on('exit', (code) => {
      resolve(code ?? 1);
    });
  });
}

function seconds(from: number): string {
  return `${((Date.now() - from) / 1000).toFixed(1)} s`;
}
