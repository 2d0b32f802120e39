import { Failure, InvalidInput } from '../base/errors.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { goingHint, isGoing, nameGoing } from '../kubernetes/going.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { locking } from '../release/rights.ts';
import { strategyOf } from '../strategies/index.ts';
import { parseUserRules } from '../rollout/readiness/user/parse-rules.ts';
import { strategyInputs } from '../strategies/traits.ts';
import { findCuts } from '../traffic/cuts/find-cuts.ts';
import { adoptable } from './adopt-release.ts';
import type { Context } from '../release/context.ts';
import { lookFirst, type FirstLook } from '../release/first-look.ts';
import { Report } from '../report/report.ts';
import type { RunReport } from '../report/run-report.ts';
import { changeInputs, command, type OptionsOf } from './command.ts';
import { loadManifests, manifestInputs, type Adapt } from './load-manifests.ts';
import { settle } from '../release/change.ts';
import type { Purpose, RollOutOptions } from './purpose.ts';
import { rollOut } from './roll-out.ts';
import { assertAskable, readChecks } from './verification.ts';

const deployInputs = [
  ...manifestInputs,
  ...strategyInputs,
  'on-low-capacity',
  'longest-request',
  ...changeInputs,
  'await',
  'create-namespace',
  'take-from-release',
  'adopt-release',
  'restart-on-config',
  'force-conflicts',
  'verify',
  'reason',
] as const;

export type DeployOptions = OptionsOf<(typeof deployInputs)[number]>;

export const deploy = command({
  inputs: deployInputs,
  required: ['manifests'],
  rights: [...locking, 'autoscalers'],
  run: deployRelease,
});

/**
 * Applies the manifests and waits until they are what runs; when that fails, brings everything back. Everything that can
 * be wrong about the input is found before the first write.
 * @throws Failure, Failures for problems found before the first write; Cancelled
 */
async function deployRelease(context: Context, options: DeployOptions): Promise<RunReport> {
  const namespace = options.namespace ?? context.client.defaultNamespace;
  const { release, strategy } = options;
  const report = new Report(context, 'deploy', { release, namespace, strategy });
  // What is wrong with these is said before the cluster is asked anything.
  readRules(context, options);
  const look = lookBeside(context, namespace, release);
  const first = await readDeploy(context, options, report);
  tellCuts(first.purpose, options, report);
  if (!first.isHalfDone) return await rollOut(context, first.options, first.purpose, report, look());
  await settle(context, first.options, 'deploy');
  const settled = await readDeploy(context, options, report);
  return await rollOut(context, settled.options, settled.purpose, report);
}

/** How old what was read beside the manifests may be: charts and bases of others may have taken minutes. */
const freshMs = 1000;

/** Begins to look at the release, and answers how to get what was seen: anew, where it is not fresh any more. */
function lookBeside({ client, clock }: Context, namespace: string, release: string): () => FirstLook {
  const from = clock.now();
  const look = lookFirst(client, namespace, release);
  return () => (clock.now() - from < freshMs ? look : lookFirst(client, namespace, release));
}

/** What a deploy is asked to do. */
interface ReadDeploy {
  options: RollOutOptions;
  purpose: Purpose;
  /**
   * A dead run has left something half done that decides which of the user's sides is to serve: once it is undone, it has to be
   * read again.
   */
  isHalfDone: boolean;
}

/** The inputs that are a language of their own. @throws Failures with every line that is wrong */
function readRules(
  context: Context,
  { await: lines = '', verify = '', timeoutMs }: DeployOptions,
): Pick<Required<RollOutOptions>, 'userRules' | 'checks'> {
  return { userRules: parseUserRules(lines), checks: readChecks(context, verify, timeoutMs) };
}

/** Reads manifests and inputs, and finds what is wrong with them. Writes nothing. @throws Failure, Failures */
export async function readDeploy(
  context: Context,
  options: DeployOptions & { adapt?: Adapt },
  report: Report,
): Promise<ReadDeploy> {
  const namespace = options.namespace ?? context.client.defaultNamespace;
  const { release } = options;
  const { userRules, checks } = readRules(context, options);
  const loaded = await context.reporter.group('Load manifests', async () => {
    const found = await loadManifests(context, options, namespace);
    for (const warning of found.warnings) report.warn(warning);
    const objects = found.manifests.map(({ object }) => object);
    await assertAskable(context, checks, found.manifests, namespace);
    if (options.adoptRelease !== undefined) await adoptable(context, { namespace, release }, options.adoptRelease);
    const newNamespaces = await findNewNamespaces(context, options, namespace, objects);
    const inFiles = [...objects, ...found.variants.map(({ object }) => object), ...(found.idle ?? [])];
    vouchForFiles(context, inFiles, newNamespaces);
    return { ...found, newNamespaces };
  });
  const { manifests, variants, idle, newNamespaces, isHalfDone = false } = loaded;
  return {
    options: { ...options, namespace, newNamespaces, checks, userRules },
    purpose: {
      command: 'deploy',
      status: 'deployed',
      manifests,
      commit: context.run.commit,
      strategy: strategyOf(options, variants, idle !== undefined),
      ...(idle === undefined ? {} : { idle }),
      candidate: 'replace',
      surplus: [],
      done: 'live',
      attempt: 'deploy',
    },
    isHalfDone,
  };
}

type CutOptions = Pick<DeployOptions, 'longestRequestMs' | 'strategy' | 'autoPromote' | 'keepOldForMs'>;

/** Warns of what in the manifests would cut long requests. A side that waits for approval is kept by the run that promotes. */
export function tellCuts(
  { manifests }: Pick<Purpose, 'manifests'>,
  { longestRequestMs: longestMs, strategy, autoPromote, keepOldForMs }: CutOptions,
  report: Report,
): void {
  const switches = strategy === 'blue-green' && autoPromote;
  const cuts = findCuts(manifests, { longestMs, ...(switches ? { keepOldForMs } : {}) });
  for (const { text, location } of cuts) report.warn(text, location);
}

/** What the files have is the user's will; and so are the namespaces that they need. */
function vouchForFiles(
  { bounds }: Context,
  objects: readonly KubernetesObject[],
  newNamespaces: ReadonlySet<string>,
): void {
  const made = [...newNamespaces].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', name }));
  bounds?.vouchFor([...objects.map(refOf), ...made]);
}

/** Namespaces that objects need and that are not there. @throws InvalidInput when nobody would make them */
async function findNewNamespaces(
  { client }: Context,
  { createNamespace }: DeployOptions,
  namespace: string,
  objects: readonly KubernetesObject[],
): Promise<Set<string>> {
  const isNamespace = ({ kind, apiVersion }: KubernetesObject) => kind === 'Namespace' && apiVersion === 'v1';
  const brought = new Set(objects.filter(isNamespace).map(({ metadata }) => metadata.name));
  const needed = new Set([namespace, ...objects.flatMap(({ metadata }) => metadata.namespace ?? [])]);
  const found = await Promise.all([...needed].map(async (name) => ({ name, exists: await exists(client, name) })));
  const missing = found.filter((entry) => !entry.exists).map(({ name }) => name);
  const nobodys = missing.find((name) => !brought.has(name) && !(createNamespace && name === namespace));
  if (nobodys !== undefined) {
    throw new InvalidInput(`there is no namespace "${nobodys}" in the cluster`, {
      hint: 'Fix the input "namespace", set "create-namespace: true", or add the Namespace to the manifests.',
    });
  }
  return new Set(missing);
}

async function exists(client: Context['client'], name: string): Promise<boolean> {
  try {
    const found = await client.read({ apiVersion: 'v1', kind: 'Namespace', name });
    if (found !== undefined && isGoing(found)) throw new Failure(nameGoing(found), { hint: goingHint });
    return found !== undefined;
  } catch (error) {
    // A namespaced Role may not look at namespaces: then it is there, or the dry run says so.
    if (isStatus(error, 403)) return true;
    throw error;
  }
}
