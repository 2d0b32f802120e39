/**
 * Runs the checks and suites named on the command line, or all of them, and ends with one line `N passed, N failed`.
 * They run in lanes side by side, for most of them wait more than they compute. Each lane has an embedded cluster of its own,
 * brought up when its first suite needs one; what a suite prints comes in one piece when it ends.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { down, ensureBuilt, up, type Binaries } from '../../test/cluster/cluster.ts';

interface Tally {
  passed: number;
  failed: number;
}

interface Suite {
  name: string;
  /** The cluster of its lane. */
  cluster: string;
  /** What it has printed so far, where lanes run side by side. */
  output: string[];
}

const root = join(import.meta.dirname, '../..');
const reports = join(root, 'test-output');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'use-kubeconfig': { type: 'boolean', default: false }, keep: { type: 'boolean', default: false } },
});

/** Checks without test cases of their own; each counts as one. */
const checks: Record<string, string[]> = {
  types: ['node_modules/typescript/bin/tsc', '--noEmit'],
  lint: ['node_modules/eslint/bin/eslint.js', '.'],
  format: ['node_modules/prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'],
  dist: ['script/packaging/build.ts', '--check'],
};

/** Programs in Go, with tests of their own; each counts as one. */
const goModules = ['examples/ctwoc/server', 'test/cluster/node'];

/** Suites that need no cluster: one folder of `test/` each. */
const ownSuites = ['structure', 'unit', 'statistics'];

/** Suites on a cluster: one folder of `test/e2e/` each. */
const clusterSuites = readdirSync(join(root, 'test/e2e'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

const known = [...Object.keys(checks), 'go', ...ownSuites, ...clusterSuites];
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no suite ${unknown.map((name) => `"${name}"`).join(', ')}; there are: ${known.join(', ')}`);
  process.exit(2);
}

/** A matrix that is too long for every run takes a share of its cases; a suite that is named runs whole, unless TEST_SHARE says otherwise. */
const share = process.env['TEST_SHARE'] ?? (positionals.length > 0 ? '1' : '0.1');
/** The same share each time, so that a change is judged by what it changes; the nightly workflow draws others. */
const seed = process.env['TEST_SEED'] ?? '2';
if (share !== '1') console.log(`a share of ${share} of long matrices, with TEST_SEED=${seed}`);

/** Long suites that take turns in a run of everything: the seed says which one it is. */
const inTurn = ['bystanders', 'crash-matrix', 'known-failures', 'switching'];
const turn = inTurn[Number(seed) % inTurn.length];
const everything = known.filter((name) => !inTurn.includes(name) || name === turn);
/** The longest ones begin first, so that no lane waits for one of them at the end. */
const longest = [
  'truth',
  'strategies',
  'examples',
  'deploy',
  'known-failures',
  'previews',
  'plan',
  'streams',
  'unit',
  'fault-matrix',
];
const lengthOf = (name: string) => longest.length - (longest.includes(name) ? longest.indexOf(name) : longest.length);
const chosen =
  positionals.length > 0 ? positionals : everything.toSorted((left, right) => lengthOf(right) - lengthOf(left));
/** Checkouts that test at the same time on one machine need clusters of their own. */
const clusterName = process.env['TEST_CLUSTER'] ?? 'test';

/** Suites of few long files that wait more than they compute. */
const wide = new Set(['truth', 'strategies']);

/** Suites that measure under load: nothing else runs meanwhile. */
const alone = new Set(['bystanders', 'switching']);

/** A cluster that was given is one lane; and a single suite prints as it goes. */
const lanes = options['use-kubeconfig'] || chosen.length === 1 ? 1 : 2;

const tally: Tally = { passed: 0, failed: 0 };
const started = Date.now();
/** The embedded clusters that suites have needed. */
const used = new Set<string>();
/** Two lanes at once would install and build the same things. */
let building: ReturnType<typeof ensureBuilt> | undefined;

try {
  const queue = chosen.filter((name) => !alone.has(name));
  await Promise.all(Array.from({ length: lanes }, (_, lane) => runLane(lane, queue)));
  await runLane(
    0,
    chosen.filter((name) => alone.has(name)),
  );
} finally {
  if (!options.keep) for (const name of used) await down(name);
}
console.log(`\nfigure test-seconds ${((Date.now() - started) / 1000).toFixed(0)}`);
console.log(`${tally.passed} passed, ${tally.failed} failed`);
process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;

/** Takes one suite after the other from a queue that all lanes share. */
async function runLane(lane: number, queue: string[]): Promise<void> {
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const from = Date.now();
    const output: string[] = [];
    const suite: Suite = { name, cluster: lane === 0 ? clusterName : `${clusterName}-${lane + 1}`, output };
    if (lanes === 1) console.log(`\n=== ${name}`);
    const result = await runSuite(suite);
    tally.passed += result.passed;
    tally.failed += result.failed;
    if (lanes > 1) process.stdout.write(`\n=== ${name}\n${output.join('')}`);
    console.log(`--- ${name}: ${result.passed} passed, ${result.failed} failed (${seconds(from)})`);
  }
}

async function runSuite(suite: Suite): Promise<Tally> {
  const { name } = suite;
  const check = checks[name];
  if (check !== undefined) return outcomeOf([await run(suite, process.execPath, check)]);
  if (name === 'go') {
    const codes = [];
    for (const folder of goModules) codes.push(await run(suite, 'go', ['test', './...'], { cwd: join(root, folder) }));
    return outcomeOf(codes);
  }
  if (ownSuites.includes(name)) return await jest(suite, join('test', name), {});
  const env = { TEST_SHARE: share, TEST_SEED: seed, ...(await cluster(suite)) };
  return await jest(suite, join('test/e2e', name), env);
}

function outcomeOf(codes: readonly number[]): Tally {
  const passed = codes.filter((code) => code === 0).length;
  return { passed, failed: codes.length - passed };
}

/** The variables that lead a suite to the cluster of its lane. */
async function cluster(suite: Suite): Promise<Record<string, string>> {
  building ??= ensureBuilt();
  const built = await building;
  if (options['use-kubeconfig']) {
    const given = process.env['KUBECONFIG'] ?? '';
    if (given === '') throw new Error('--use-kubeconfig needs KUBECONFIG to be set');
    return { TEST_KUBECONFIG: given, ...programs(built) };
  }
  used.add(suite.cluster);
  const { kubeconfig, binaries } = await up(suite.cluster);
  // Clusters come and go at the same address, and by it kubectl keeps what kinds there are: it would believe a cluster that has gone.
  const KUBECACHEDIR = join(dirname(kubeconfig), 'kubectl-cache');
  return { TEST_KUBECONFIG: kubeconfig, KUBECACHEDIR, ...programs(binaries) };
}

function programs(binaries: Binaries): Record<string, string> {
  return {
    TEST_KUBECTL: binaries['kubectl'] ?? '',
    TEST_SAMPLE: binaries['ctwoc-1.0.0'] ?? '',
  };
}

/** Runs jest over one folder and counts from its own report; a suite that could not even start counts as failed. */
async function jest(suite: Suite, folder: string, env: Record<string, string>): Promise<Tally> {
  const { name } = suite;
  mkdirSync(reports, { recursive: true });
  const report = join(reports, `${name}.json`);
  rmSync(report, { force: true });
  const code = await run(
    suite,
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      `${folder}/`,
      ...(ownSuites.includes(name)
        ? []
        : [`--maxWorkers=${alone.has(name) ? 1 : wide.has(name) ? 3 : 2}`, '--testTimeout=600000']),
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
  { output }: Suite,
  program: string,
  args: string[],
  { env = {}, cwd = root }: { env?: Record<string, string>; cwd?: string } = {},
): Promise<number> {
  return new Promise((resolve) => {
    const printed = lanes === 1 ? 'inherit' : 'pipe';
    // jest prints its JSON report to stdout as well, which nobody wants to read.
    const quiet = args.includes('--json');
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, FORCE_COLOR: '0', ...env },
      stdio: ['ignore', quiet ? 'ignore' : printed, printed],
    });
    const take = (chunk: Buffer) => output.push(chunk.toString());
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
}

function seconds(from: number): string {
  return `${((Date.now() - from) / 1000).toFixed(1)} s`;
}
