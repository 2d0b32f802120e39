/** The command line of `roleOf`. */
import { parseArgs } from 'node:util';

import { Failure, Failures, messageOf } from '../../src/base/errors.ts';
import type { Reporter } from '../../src/base/reporter.ts';
import { closest } from '../../src/base/similar.ts';
import type { CommandName } from '../../src/commands/index.ts';
import { askableCommands } from '../../src/commands/rights-of.ts';
import { manifestFrom, type Manifest } from '../../src/manifests/manifest.ts';
import { manifestSources, readSources } from '../../src/manifests/read/index.ts';
import { strategyNames } from '../../src/strategies/traits.ts';
import { parseChecks } from '../../src/verify/parse.ts';
import { kindsNamed, knownKinds } from './kinds.ts';
import { previewCommands, roleOf, type Copied } from './role.ts';

const usage = `usage: script/rights --namespace NAME [options] MANIFESTS…

MANIFESTS are files, folders and globs, as in the input "manifests".

  --namespace NAME           of the release; not for preview and teardown
  --command NAME             ${askableCommands.join(', ')}; may be repeated; default: deploy
  --strategy NAME            ${strategyNames.join(', ')}; may be repeated; default: rolling
  --service-account NAME     who gets the Role: a ServiceAccount of the namespace, or NAMESPACE/NAME of another one
  --user NAME                who gets the Role: a user, as the cluster calls it
  --name NAME                of the Role and its binding; default: gke-rollout
  --configmaps NAME=…        as in the input, where the deploy has it; --secrets likewise
  --verify TEXT              as in the input, where the deploy has it
  --create-namespace         for deploys with "create-namespace": true in a namespace that is not there yet
  --preview-role NAME        of the command preview, as in the input: the run binds this ClusterRole to itself
  --isolation NAME           of the command preview, as in the input: none, default, fork
  --copy-secrets NAMESPACE/NAME          of the command preview, as in the input; --copy-configmaps likewise
  --no-undo                  for deploys with "undo-on-failure: false"
  --resource KIND=PLURAL.GROUP           a custom resource, such as Certificate=certificates.cert-manager.io
  --cluster-resource KIND=PLURAL.GROUP   one that lies in no namespace`;

const many = { type: 'string', multiple: true, default: [] as string[] } as const;

/** What kustomize complains of. */
const reporter: Reporter = {
  group: async (_title, work) => await work(),
  info: () => undefined,
  debug: () => undefined,
  notice: () => undefined,
  warning: (text) => {
    console.error(`warning: ${text}`);
  },
  error: () => undefined,
  mask: () => undefined,
};

/**
 * What to print for these arguments.
 * @param cwd what paths are relative to
 * @throws Failure, Failures for what is wrong with them, or with the manifests
 */
export async function printed(args: readonly string[], cwd: string): Promise<string> {
  const { values: given, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      namespace: { type: 'string' },
      command: many,
      strategy: many,
      'service-account': { type: 'string' },
      user: { type: 'string' },
      name: { type: 'string', default: 'gke-rollout' },
      configmaps: many,
      secrets: many,
      verify: { type: 'string', default: '' },
      'create-namespace': { type: 'boolean', default: false },
      'preview-role': { type: 'string' },
      isolation: { type: 'string', default: 'default' },
      'copy-secrets': many,
      'copy-configmaps': many,
      'no-undo': { type: 'boolean', default: false },
      resource: many,
      'cluster-resource': many,
      help: { type: 'boolean', default: false },
    },
  });
  if (given.help) return `${usage}\n`;
  const { user, name } = given;
  if (user !== undefined && given['service-account'] !== undefined)
    throw new Failure('--user and --service-account exclude each other: a Role is for one of them');
  const [commands, strategies] = [
    chosen('command', given.command, askableCommands, 'deploy'),
    chosen('strategy', given.strategy, strategyNames, 'rolling'),
  ];
  const namespace = namespaceOf(given.namespace, commands);
  const [isolation = 'default'] = chosen('isolation', [given.isolation], isolations, 'default');
  const who = user ?? userOf(given['service-account'], namespace);
  const named = [...kindsNamed(given.resource, true), ...kindsNamed(given['cluster-resource'], false)];
  const copies = [...copiesOf('secrets', given['copy-secrets']), ...copiesOf('configmaps', given['copy-configmaps'])];
  const manifests = commands.every((command) => command === 'teardown')
    ? []
    : [...(await manifestsOf(positionals, given, cwd)), ...copies.map(madeCopy)];
  return roleOf(manifests, {
    commands,
    strategies,
    namespace,
    undoOnFailure: !given['no-undo'],
    checks: parseChecks(given.verify),
    kinds: new Map([...knownKinds, ...named]),
    ...(who === undefined ? {} : { user: who }),
    name,
    createsNamespace: given['create-namespace'],
    ...(given['preview-role'] === undefined ? {} : { previewRole: given['preview-role'] }),
    isolation,
    copies,
  });
}

const isolations = ['none', 'default', 'fork'] as const;

/** @throws Failure where it is missing, or cannot be */
function namespaceOf(given: string | undefined, commands: readonly CommandName[]): string {
  const others = commands.filter((command) => !previewCommands.includes(command));
  if (others.length > 0 && others.length < commands.length)
    throw new Failure(
      'previews have namespaces and roles of their own: ask for preview and teardown without other commands',
    );
  if (others.length > 0 && given === undefined)
    throw new Failure('--namespace is missing: script/rights --namespace shop k8s/');
  return given ?? 'preview';
}

/** `staging/registry-pull as pull` @throws Failure for a line of another form */
function copiesOf(resource: Copied['resource'], lines: readonly string[]): (Copied & { as: string })[] {
  return lines.map((line) => {
    const { namespace, name, as } =
      /^(?<namespace>[a-z0-9-]+)\/(?<name>[a-z0-9.-]+)(?: +as +(?<as>[a-z0-9.-]+))?$/.exec(line)?.groups ?? {};
    if (namespace === undefined || name === undefined)
      throw new Failure(`"--copy-${resource} ${line}" is not of the form NAMESPACE/NAME`);
    return { resource, namespace, name, as: as ?? name };
  });
}

function madeCopy({ resource, as }: Copied & { as: string }): Manifest {
  const kind = resource === 'secrets' ? 'Secret' : 'ConfigMap';
  return manifestFrom({ apiVersion: 'v1', kind, metadata: { name: as } }, `--copy-${resource}`);
}

/** @throws Failure, Failures when there are none, or they cannot be read */
async function manifestsOf(
  lines: readonly string[],
  { configmaps, secrets }: { configmaps: readonly string[]; secrets: readonly string[] },
  cwd: string,
): Promise<Manifest[]> {
  const config = [...madeOf('ConfigMap', configmaps), ...madeOf('Secret', secrets)];
  if (lines.length === 0 && config.length === 0)
    throw new Failure('no manifests are named: script/rights --namespace shop k8s/');
  if (lines.length === 0) return config;
  const sources = manifestSources({ env: process.env, reporter });
  return [...(await readSources(lines, cwd, sources)), ...config];
}

/** What the inputs "configmaps" and "secrets" make; their files need not be there yet. */
function madeOf(kind: string, lines: readonly string[]): Manifest[] {
  return lines.map((line) => {
    const [name = ''] = line.split(/[=:]/);
    return manifestFrom({ apiVersion: 'v1', kind, metadata: { name } }, line);
  });
}

/** Each of the values once. @throws Failure for one that there is not */
function chosen<Name extends string>(
  option: string,
  values: readonly string[],
  known: readonly Name[],
  otherwise: Name,
): Name[] {
  if (values.length === 0) return [otherwise];
  return [...new Set(values)].map((value) => {
    const found = known.find((one) => one === value);
    if (found !== undefined) return found;
    const meant = closest(value, known);
    const list = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
    throw new Failure(`--${option} ${value}: there is no such ${option}; ${list}`);
  });
}

/** A ServiceAccount as the API server calls it. */
function userOf(account: string | undefined, namespace: string): string | undefined {
  if (account === undefined) return undefined;
  const [place, name] = account.includes('/') ? account.split('/') : [namespace, account];
  return `system:serviceaccount:${place ?? ''}:${name ?? ''}`;
}

/** Each problem on a line of its own. */
export function describe(error: unknown): string {
  if (error instanceof Failures) return error.all.map(describe).join('\n');
  if (!(error instanceof Failure)) return `error: ${messageOf(error).split('\n')[0] ?? ''}`;
  const { file, line } = error.location ?? {};
  const at = file === undefined ? '' : `${[file, line].filter((part) => part !== undefined).join(':')}: `;
  return error.message
    .split('\n')
    .map((text) => `error: ${at}${text}`)
    .join('\n');
}
