import { InvalidInput } from '../base/errors.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { configMapsFromFiles, secretValues, secretsFromFiles } from '../manifests/config-files.ts';
import { setImages } from '../manifests/images.ts';
import { assertUnique, type Manifest } from '../manifests/manifest.ts';
import { setNamespaces } from '../manifests/namespace.ts';
import { setReplicas } from '../manifests/replicas.ts';
import { setSessionAffinity } from '../manifests/session-affinity.ts';
import { readSources } from '../manifests/sources.ts';
import { matchVariants, selectVariants, variantOf, type Strategy } from '../manifests/variants.ts';
import { refuseUnnamedSides } from '../strategies/own-sides.ts';
import type { ChangeOptions, Context } from './context.ts';
import { refuseOtherStrategy, takeTurn } from './take-turn.ts';

export interface ManifestOptions {
  /** Files, folders (of kustomize too) and globs. */
  manifests: readonly string[];
  imageTag?: string;
  images: readonly string[];
  replicas: readonly string[];
  configmaps: readonly string[];
  secrets: readonly string[];
  strategy: Strategy;
  sessionAffinity?: string;
  sessionAffinityTimeoutMs: number;
}

export interface LoadedManifests {
  manifests: Manifest[];
  /** The user's own candidates for this strategy, from files such as `web-canary.yaml`. */
  variants: Manifest[];
  /** Where the user has written two sides: what the files of the one hold that is not to serve. */
  idle?: KubernetesObject[];
}

/** From the inputs to the objects as they are meant for the cluster. @throws InvalidInput, Failures */
export async function loadManifests(
  context: Context,
  options: ManifestOptions & ChangeOptions,
  namespace: string,
): Promise<LoadedManifests> {
  const { client, reporter, cwd, kustomize } = context;
  const read = options.manifests.length === 0 ? [] : await readSources(options.manifests, cwd, kustomize);
  const { taken, left } = selectVariants(read, options.strategy);
  for (const { source, object } of left) {
    reporter.info(`${source.file}: ${describeRef(refOf(object))} is for another strategy and left out`);
  }
  await refuseOtherStrategy(context, { ...options, namespace }, left);
  const variants = taken.filter((manifest) => variantOf(manifest) !== undefined);
  const own = [
    ...(await configMapsFromFiles(options.configmaps, cwd)),
    ...(await secretsFromFiles(options.secrets, cwd)),
    ...taken.filter((manifest) => variantOf(manifest) === undefined),
  ];
  const manifests = [...own, ...variants];
  const isSided = options.strategy === 'blue-green' && variants.length > 0;
  if (own.length === 0 && !isSided) {
    throw new InvalidInput('there is nothing to deploy', {
      hint: 'Set the input "manifests" to files that hold Kubernetes objects for this strategy.',
    });
  }
  for (const value of secretValues(manifests)) reporter.mask(value);
  const images = setImages(manifests, options.imageTag, options.images);
  setSessionAffinity(manifests, options.sessionAffinity, options.sessionAffinityTimeoutMs);
  const kinds = await client.resources();
  setNamespaces(manifests, namespace, (apiVersion, kind) => {
    const resource = kinds.find(
      (known) =>
        known.kind === kind && apiVersion === (known.group === '' ? known.version : `${known.group}/${known.version}`),
    );
    return resource?.namespaced;
  });
  if (options.strategy === 'blue-green') refuseUnnamedSides(own);
  const turn = isSided ? await takeTurn(context, { ...options, namespace }, own, variants) : undefined;
  const wanted = turn?.manifests ?? own;
  setReplicas(wanted, options.replicas);
  assertUnique(turn === undefined ? manifests : wanted);
  for (const { object, source } of manifests) {
    reporter.debug(`${describeRef(refOf(object), true)} of ${source.file}:${source.line}`);
  }
  for (const { workload, container, before, after } of images) {
    if (before !== after) reporter.info(`${describeRef(workload)}: container "${container}": ${before} → ${after}`);
  }
  if (options.strategy === 'canary') matchVariants(own, variants);
  return turn === undefined ? { manifests: own, variants } : { ...turn, variants: [] };
}
