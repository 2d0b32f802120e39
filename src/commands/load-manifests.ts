import { InvalidInput } from '../base/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { secretsOf } from '../kubernetes/secret-values.ts';
import { leftOutOf } from '../manifests/as-meant.ts';
import { configMapsFromFiles, secretsFromFiles } from '../manifests/read/config-files.ts';
import { routeKinds } from '../manifests/kinds.ts';
import { setImages } from '../manifests/images.ts';
import { assertUnique, type Manifest } from '../manifests/manifest.ts';
import { describeImage } from '../manifests/pod-template.ts';
import { setNamespaces } from '../manifests/namespace.ts';
import { setReplicas } from '../manifests/replicas.ts';
import { setSessionAffinity } from '../manifests/session-affinity.ts';
import { readSources } from '../manifests/read/index.ts';
import { matchVariants, selectVariants, variantOf } from '../manifests/variants.ts';
import { refuseAutoscaled } from '../apply/autoscaled.ts';
import { candidateName } from '../strategies/candidate.ts';
import { refuseUnnamedSides } from '../strategies/blue-green/own-sides.ts';
import { strategies } from '../strategies/traits.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import type { OptionsOf } from './command.ts';
import { refuseOtherStrategy, takeTurn, type Turn } from './take-turn.ts';

/** Inputs that say what the objects are. */
export const objectInputs = [
  'manifests',
  'image-tag',
  'images',
  'replicas',
  'configmaps',
  'secrets',
  'session-affinity',
  'session-affinity-services',
  'session-affinity-timeout',
] as const;

/** Inputs of commands that read manifests for a strategy. */
export const manifestInputs = ['strategy', ...objectInputs] as const;

/** Changes manifests of the user's for the place that they go to; it answers new ones. @throws InvalidInput, Failures */
export type Adapt = (manifests: readonly Manifest[]) => Promise<Manifest[]>;

type ManifestOptions = OptionsOf<(typeof manifestInputs)[number]> & {
  /** Before numbers of pods are set; a strategy with files of its own knows none. */
  adapt?: Adapt;
};

interface LoadedManifests {
  manifests: Manifest[];
  /** The user's own candidates for this strategy, from files such as `web-canary.yaml`. */
  variants: Manifest[];
  /** Where the user has written two sides: what the files of the one hold that is not to serve. */
  idle?: KubernetesObject[];
  /** What decides which side is to serve is half done: `Turn` has it. */
  isHalfDone?: boolean;
  /** What the user should know of them. */
  warnings: string[];
}

/** From the inputs to the objects as they are meant for the cluster. @throws InvalidInput, Failures */
export async function loadManifests(
  context: Context,
  options: ManifestOptions & ChangeOptions,
  namespace: string,
): Promise<LoadedManifests> {
  const { client, reporter, cwd, sources } = context;
  const read = options.manifests.length === 0 ? [] : await readSources(options.manifests, cwd, sources);
  const { taken, left } = selectVariants(read, strategies[options.strategy].variants);
  for (const { source, object } of left) {
    reporter.info(`${source.file}: ${describeRef(refOf(object))} is for another strategy and is skipped`);
  }
  await refuseOtherStrategy(context, { ...options, namespace }, left);
  const variants = taken.filter((manifest) => variantOf(manifest) !== undefined);
  const given = [
    ...(await configMapsFromFiles(options.configmaps, cwd)),
    ...(await secretsFromFiles(options.secrets, cwd)),
    ...taken.filter((manifest) => variantOf(manifest) === undefined),
  ];
  const manifests = [...given, ...variants];
  const isSided = options.strategy === 'blue-green' && variants.length > 0;
  if (given.length === 0 && !isSided) {
    throw new InvalidInput('there is nothing to deploy', {
      hint: 'Set the input "manifests" to files with Kubernetes objects for this strategy.',
    });
  }
  for (const { object } of [...read, ...manifests]) {
    for (const secret of secretsOf(object)) reporter.mask(secret);
  }
  const warnings = leftOutOf(manifests);
  const images = setImages(manifests, options.imageTag, options.images);
  const kinds = await client.resources();
  setNamespaces(manifests, namespace, (apiVersion, kind) => {
    const resource = kinds.find(
      (known) =>
        known.kind === kind && apiVersion === (known.group === '' ? known.version : `${known.group}/${known.version}`),
    );
    return resource?.namespaced;
  });
  await setAffinity(context, options, manifests, namespace);
  const own = options.adapt === undefined ? given : await options.adapt(given);
  if (options.strategy === 'blue-green') refuseUnnamedSides(own);
  const turn = isSided ? await takeTurn(context, { ...options, namespace }, own, variants) : undefined;
  const wanted = turn?.manifests ?? own;
  await setNumbers(context, { ...options, namespace }, wanted, turn);
  assertUnique(turn === undefined ? [...own, ...variants] : wanted);
  for (const { object, source } of manifests) {
    reporter.debug(`${describeRef(refOf(object), true)} of ${source.file}:${source.line}`);
  }
  for (const { workload, container: name, before, after } of images) {
    if (before !== after) reporter.info(`${describeRef(workload)}: ${describeImage({ name })}: ${before} → ${after}`);
  }
  if (options.strategy === 'canary') matchVariants(own, variants);
  if (turn === undefined) return { manifests: own, variants, warnings };
  const { idle, isHalfDone } = turn;
  return { manifests: wanted, idle, isHalfDone, variants: [], warnings };
}

/** @throws InvalidInput for numbers that fit no workload, or that an autoscaler would change back */
async function setNumbers(
  { client }: Context,
  { namespace, replicas }: ManifestOptions & Required<Pick<ChangeOptions, 'namespace'>>,
  wanted: readonly Manifest[],
  turn: Turn | undefined,
): Promise<void> {
  // Which side is to serve is known once what is half done is undone: until then what fits either of them is no mistake.
  const choices = turn?.isHalfDone === true ? [wanted, turn.others] : [wanted];
  const scaled = setReplicasIn(choices, replicas).map(({ workload }) => workload);
  // An autoscaler goes by the side that serves.
  const sides = scaled.map((ref) => ({ ...ref, name: candidateName(ref.name, 'green') }));
  const objects = wanted.map(({ object }) => object);
  await refuseAutoscaled(client, namespace, [...scaled, ...sides], objects);
}

/** Sets numbers in the first of these that they fit. @throws what the first one throws, where they fit none */
function setReplicasIn(
  choices: readonly (readonly Manifest[])[],
  lines: readonly string[],
): ReturnType<typeof setReplicas> {
  let problem: unknown;
  for (const manifests of choices) {
    try {
      return setReplicas(manifests, lines);
    } catch (error) {
      problem ??= error;
    }
  }
  throw problem;
}

async function setAffinity(
  { client, reporter }: Context,
  options: ManifestOptions,
  manifests: readonly Manifest[],
  namespace: string,
): Promise<void> {
  const { sessionAffinity: affinity, sessionAffinityServices: services, sessionAffinityTimeoutMs: timeoutMs } = options;
  if (affinity === undefined) return;
  const routes = services.length > 0 ? [] : await routesIn(client, namespace);
  const names = setSessionAffinity(manifests, { affinity, services, timeoutMs }, routes);
  reporter.info(`session affinity of the Services ${names.join(', ')}: ${affinity}`);
}

/** What leads to Services of a namespace; kinds that may not be listed, or are not served, lead nowhere. */
async function routesIn(client: Context['client'], namespace: string): Promise<KubernetesObject[]> {
  const lists = await Promise.all(
    routeKinds.map(async ({ apiVersion, kind }) => {
      const resource = await client.resource(apiVersion, kind);
      if (resource === undefined) return [];
      const { items } = await client.list(resource, { namespace }).catch(() => ({ items: [] }));
      return items;
    }),
  );
  return lists.flat();
}
