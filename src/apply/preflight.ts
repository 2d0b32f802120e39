import { mapConcurrently } from '../base/concurrency.ts';
import { Failure, Failures } from '../base/errors.ts';
import { equal, objectAt, stringAt } from '../base/json.ts';
import type { KubernetesClient, Resource, Written } from '../kubernetes/client.ts';
import { ApiError, conflictingManager } from '../kubernetes/errors.ts';
import { goingHint, isGoing, nameGoing } from '../kubernetes/going.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { isConfig, isScalable, isWorkload, renewsPods } from '../manifests/kinds.ts';
import { hashIn, hashPath, withHash } from '../manifests/config-hash.ts';
import { needsOf } from '../manifests/needs.ts';
import { hasPods, isCustomWorkload, podContentOf } from '../manifests/pod-template.ts';
import { concurrency, withFreshObject } from './apply.ts';
import { contentOf, isApplied } from './comparison.ts';
import { chooseHash, type ConfigChanges, type ConfigEffect } from './config-change.ts';
import { problemsOfCustomResource, definitionsOf, type Definition } from './custom-resource.ts';
import { fieldManager } from './field-manager.ts';
import { marked, sameButMark, withoutMark } from './mark.ts';
import type { Owners } from './owners.ts';
import { autoscalersIn, isAutoscaler, leaveReplicasToAutoscaler, scaledTargets } from './hpa.ts';
import { applyEntry, entriesOf, isPredecessor, owns, sameEntries } from './managed-fields.ts';
import { decidedConflicts } from './decided-conflicts.ts';
import { cannotBeTried, problemsOfRefusal } from './problems.ts';
import { preparePart } from './prepare-part.ts';
import { simulateTakeover } from './simulate.ts';
import { canBeRemade, tryRemaking } from './remake.ts';
import { isRolledBackByKubectl, needsTakeover, type Claims } from './takeover.ts';
import { placesOfRefusal, placesOfStringData, unownedAt, type Places } from './unowned.ts';
import type { StatusCause } from '../kubernetes/attempt.ts';
import type { Prepared } from './prepared.ts';

interface PreflightOptions {
  /** Take fields over from other managers. */
  force: boolean;
  /** Paths that the apply is to own alone, whoever has written there. */
  claims?: Claims;
  /** Config that cannot be changed any more may be deleted and made anew. */
  remake?: boolean;
  /** Namespaces that do not exist yet and will be made before the objects. */
  newNamespaces: ReadonlySet<string>;
  /**
   * Whether pods are made anew when config changes that they read; for manifests that `withConfigHashes` has made. Without it
   * pod templates stay as they are given.
   */
  restartOnConfig?: boolean;
  /** Whose objects they are and may become; absent where nothing changes hands. */
  ownership?: Owners;
}

/** From this many objects of one kind and namespace on, one LIST is cheaper than a GET for each. */
const listFrom = 4;

/**
 * Reads what is there and lets the server try every object without storing it, all before the first write.
 * @throws Failures with every problem of every object, each at its file and line
 */
export async function preflight(
  client: KubernetesClient,
  manifests: readonly Manifest[],
  options: PreflightOptions,
): Promise<Prepared[]> {
  const definitions = definitionsOf(manifests.map(({ object }) => object));
  const [live, autoscaled] = await Promise.all([
    readLive(client, manifests, options.newNamespaces),
    autoscaledTargets(client, manifests),
  ]);
  await options.ownership?.refuseOthers(
    manifests.map((manifest) => ({ manifest, live: live.get(keyOf(refOf(manifest.object))) })),
  );
  const needs = needsOf(manifests);
  const found = new Map<Manifest, Prepared | { problems: Failure[] }>();
  const prepareEach = async (some: readonly Manifest[], changes: ConfigChanges = new Map()) => {
    await mapConcurrently(some, concurrency, async (manifest) => {
      const current = live.get(keyOf(refOf(manifest.object)));
      if (manifest.part === true && current !== undefined && !isGoing(current)) {
        found.set(manifest, await preparePart(client, manifest, current, options.ownership?.mark));
        return;
      }
      const missing = [...(needs.get(manifest) ?? [])].filter((needed) => !live.has(keyOf(refOf(needed.object))));
      const object = leaveReplicasToAutoscaler(manifest.object, current, autoscaled);
      const meant = object === manifest.object ? manifest : { ...manifest, object };
      const attempt = async (one: Manifest) =>
        await prepare(client, one, { live: current, missing, definitions }, claimingHash(one, current, options));
      found.set(manifest, await withChosenHash(meant, current, { attempt, changes, options }));
    });
  };
  // What becomes of config decides about the pods there are that read it; all else is tried beside it.
  const hasConfig = options.restartOnConfig !== undefined && manifests.some(({ object }) => isConfig(object));
  const isLast = ({ object }: Manifest) => hasConfig && hasPods(object) && live.has(keyOf(refOf(object)));
  await prepareEach(manifests.filter((manifest) => !isLast(manifest)));
  await prepareEach(
    manifests.filter(isLast),
    configChanges([...found].flatMap(([{ object }, one]) => (isConfig(object) ? [one] : []))),
  );
  const results = manifests.flatMap((manifest) => found.get(manifest) ?? []);
  const problems = results.flatMap((result) => ('problems' in result ? result.problems : []));
  if (problems.length === 1 && problems[0] !== undefined) throw problems[0];
  if (problems.length > 1) throw new Failures(`${problems.length} problems in the manifests`, problems);
  return results.flatMap((result) => ('problems' in result ? [] : [result]));
}

interface HashAttempt {
  attempt: (manifest: Manifest) => Promise<Prepared | { problems: Failure[] }>;
  changes: ConfigChanges;
  options: PreflightOptions;
}

/** Prepares a workload with the hash in its pod template that becomes its pods; all else as it is. */
async function withChosenHash(
  manifest: Manifest,
  live: KubernetesObject | undefined,
  { attempt, changes, options: { restartOnConfig } }: HashAttempt,
): Promise<Prepared | { problems: Failure[] }> {
  if (live === undefined || restartOnConfig === undefined || !hasPods(manifest.object)) return await attempt(manifest);
  const entry = applyEntry(live, fieldManager);
  const isOurs = entry !== undefined && owns(entry, hashPath);
  const { kept, fresh, effect } = chooseHash(manifest, live, { changes, isOurs, restart: restartOnConfig });
  if (!renewsPods(manifest.object)) return withEffect(await attempt(manifest), effect);
  const prepared = await attempt(withHash(manifest, kept));
  if (kept === fresh || 'problems' in prepared || !changesPods(prepared)) return withEffect(prepared, effect);
  return await attempt(withHash(manifest, fresh));
}

/** The hash is nobody else's, also where `kubectl rollout undo` has brought back another one and owns it since. */
function claimingHash(
  { object }: Manifest,
  live: KubernetesObject | undefined,
  options: PreflightOptions,
): PreflightOptions {
  const wanted = hashIn(object);
  if (options.restartOnConfig === undefined || wanted === undefined || wanted === hashIn(live)) return options;
  return { ...options, claims: [...(options.claims ?? []), hashPath] };
}

function withEffect<T extends object>(prepared: T, effect: ConfigEffect | undefined): T {
  return effect === undefined ? prepared : { ...prepared, config: effect };
}

/** What the apply makes of the ConfigMaps and Secrets among these. */
function configChanges(results: readonly (Prepared | { problems: Failure[] })[]): ConfigChanges {
  return new Map(
    results.flatMap((result) => {
      if ('problems' in result || result.change === 'unchanged') return [];
      const { manifest, live, predicted, takeover, claims, places = [] } = result;
      const { object } = manifest;
      const isInherited = takeover && live !== undefined;
      const after = isInherited
        ? simulateTakeover(live, object, claims, unownedAt(live, object, places))
        : (predicted ?? object);
      return [[keyOf(refOf(manifest.object)), { before: live, after }] as const];
    }),
  );
}

interface Known {
  live: KubernetesObject | undefined;
  /** What it names and what does not exist yet. */
  missing: readonly Manifest[];
  definitions: readonly Definition[];
}

async function prepare(
  client: KubernetesClient,
  manifest: Manifest,
  known: Known,
  options: PreflightOptions,
): Promise<Prepared | { problems: Failure[] }> {
  const result = await compared(client, manifest, known, options);
  const { ownership } = options;
  return ownership === undefined || 'problems' in result ? result : { ...result, mark: ownership.mark };
}

async function compared(
  client: KubernetesClient,
  manifest: Manifest,
  { live, missing, definitions }: Known,
  options: PreflightOptions,
): Promise<Prepared | { problems: Failure[] }> {
  const { object } = manifest;
  if (live !== undefined && isGoing(live)) return { problems: [vanishing(live, manifest)] };
  const isMarkDue = live !== undefined && (await options.ownership?.needsMark(live)) === true;
  if (live !== undefined && isApplied(object, live) && !needsTakeover(live, options.claims) && !isMarkDue) {
    return { manifest, live, predicted: live, change: 'unchanged', takeover: false, warnings: [] };
  }
  const resource = await client.resource(object.apiVersion, object.kind);
  if (resource === undefined) {
    const problems = problemsOfCustomResource(manifest, definitions);
    if (problems === undefined)
      return { problems: await problemsOfRefusal(client, manifest, await unknownKind(client, object)) };
    if (problems.length > 0) return { problems };
    return { manifest, live: undefined, predicted: undefined, change: 'created', takeover: false, warnings: [] };
  }
  const { namespace } = object.metadata;
  const isNew = namespace !== undefined && options.newNamespaces.has(namespace);
  try {
    if (isNew) return await prepareInNewNamespace(client, manifest);
    return await tryApply(client, manifest, live, options, isMarkDue).catch(async (error: unknown) => {
      const decided = options.force ? undefined : decidedConflicts(error, live);
      if (decided === undefined) throw error;
      const forced = await tryApply(client, manifest, live, { ...options, force: true }, isMarkDue);
      return { ...forced, force: true as const, warnings: [...forced.warnings, ...decided] };
    });
  } catch (error) {
    if (options.remake === true && live !== undefined && canBeRemade(live, error)) {
      return await prepareRemaking(client, manifest, live);
    }
    if (cannotBeTried(error) || missing.some((needed) => isRefusedWithout(needed, error))) {
      const change = live === undefined ? 'created' : 'configured';
      return { manifest, live, predicted: undefined, change, takeover: needsTakeover(live), warnings: [] };
    }
    return { problems: await problemsOfRefusal(client, manifest, error) };
  }
}

/** A pod without its account or priority, and a binding without its role, are refused; both will be there by then. */
function isRefusedWithout({ object }: Manifest, error: unknown): boolean {
  if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) return false;
  return /not found|was found/.test(error.serverMessage) && error.serverMessage.includes(object.metadata.name);
}

async function prepareRemaking(
  client: KubernetesClient,
  manifest: Manifest,
  live: KubernetesObject,
): Promise<Prepared | { problems: Failure[] }> {
  try {
    const { warnings } = await tryRemaking(client, manifest.object, { fieldManager });
    const predicted = undefined;
    return { manifest, live, predicted, change: 'configured', takeover: false, remake: true, warnings };
  } catch (error) {
    return { problems: await problemsOfRefusal(client, manifest, error) };
  }
}

/** It may be just as the manifest wants it, or an apply would succeed; and it would be gone a moment later. */
function vanishing(live: KubernetesObject, { source }: Manifest): Failure {
  return new Failure(nameGoing(live), { location: source.locate([]), hint: goingHint });
}

async function tryApply(
  client: KubernetesClient,
  manifest: Manifest,
  live: KubernetesObject | undefined,
  { force, claims = [], ownership }: PreflightOptions,
  isMarkDue: boolean,
): Promise<Prepared> {
  const meant = marked(manifest.object, ownership?.mark);
  const { object, warnings, places } = await dryRunWithout(client, meant, live, force, claims);
  const takeover = needsTakeover(live, claims) || places.length > 0;
  const isUnchanged = live !== undefined && !isMarkDue && !takeover && isSame(live, object);
  if (isUnchanged) return { manifest, live, predicted: live, change: 'unchanged', takeover, claims, warnings };
  const change = live === undefined ? 'created' : 'configured';
  const predicted = takeover && live !== undefined ? await withTemplateOf(client, object, meant, live, claims) : object;
  if (isRolledBackByKubectl(live))
    warnings.push(
      '"kubectl rollout undo" restored an earlier pod template; the one in the manifest replaces it entirely',
    );
  return { manifest, live, predicted, change, takeover, claims, places, warnings };
}

/**
 * What a dry run has answered, with the pod template that there will be after a takeover. Before it, the server leaves what
 * others have set and the manifest lacks, so that pods which get something less would seem to stay as they are. Without the right
 * to replace the object, the first answer stands.
 */
async function withTemplateOf(
  client: KubernetesClient,
  predicted: KubernetesObject,
  manifest: KubernetesObject,
  live: KubernetesObject,
  claims: Claims,
): Promise<KubernetesObject> {
  if (!renewsPods(manifest)) return predicted;
  const tried = await withFreshObject(client, refOf(live), live, (current) =>
    client.replace(simulateTakeover(current, manifest, claims), { fieldManager, dryRun: true }),
  ).catch(() => undefined);
  const { template } = objectAt(tried?.object, 'spec');
  return template === undefined ? predicted : { ...predicted, spec: { ...objectAt(predicted, 'spec'), template } };
}

/**
 * What nobody owns may stand in the way: of another update strategy the defaults of the old one do
 * (apache/dolphinscheduler#16388, kubernetes/kubernetes#24198). Then it is tried without them.
 */
async function dryRunWithout(
  client: KubernetesClient,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  force: boolean,
  claims: Claims,
): Promise<Written & { places: Places }> {
  try {
    const places = placesOfStringData(live);
    return { ...(await dryRun(client, object, live, force, claims)), places };
  } catch (error) {
    if (live === undefined || !(error instanceof ApiError) || error.status !== 422) throw error;
    const places = placesOfRefusal(error.causes, live);
    const unowned = unownedAt(live, object, places);
    if (Object.keys(unowned).length === 0) throw error;
    const replaced = await withFreshObject(client, refOf(object), live, (current) =>
      client.replace(simulateTakeover(current, object, claims, unowned), { fieldManager, dryRun: true }),
    ).catch(() => undefined);
    if (replaced === undefined) throw error;
    return { ...replaced, places };
  }
}

/**
 * Conflicts with predecessors are none: their fields will be ours by the time of the real apply. And what is invalid only
 * because a predecessor's field still stands beside ours is valid by then.
 */
async function dryRun(
  client: KubernetesClient,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  force: boolean,
  claims: Claims,
): Promise<Written> {
  try {
    return await client.apply(object, { fieldManager, force, dryRun: true });
  } catch (error) {
    if (live === undefined || !needsTakeover(live, claims) || !(error instanceof ApiError)) throw error;
    if (error.status === 422) {
      return await withFreshObject(client, refOf(object), live, (current) =>
        client.replace(simulateTakeover(current, object, claims), { fieldManager, dryRun: true }),
      );
    }
    const inherited = new Set(
      entriesOf(live)
        .filter(isPredecessor)
        .map((entry) => entry.manager),
    );
    const isClaimed = ({ field }: StatusCause) => claims.some((path) => `${field}.`.startsWith(`.${path.join('.')}.`));
    const isInherited = error.causes.every((cause) => inherited.has(conflictingManager(cause)) || isClaimed(cause));
    if (force || !error.isFieldManagerConflict || !isInherited) throw error;
    return await dryRun(client, object, live, true, claims);
  }
}

/**
 * A namespace that does not exist refuses every dry run, so the object is tried in the one of the kubeconfig. What the
 * other namespace alone says about it (quota, policies, rights) is no problem of the manifest.
 */
async function prepareInNewNamespace(client: KubernetesClient, manifest: Manifest): Promise<Prepared> {
  const { object } = manifest;
  const elsewhere = { ...object, metadata: { ...object.metadata, namespace: client.defaultNamespace } };
  const prepared: Prepared = {
    manifest,
    live: undefined,
    predicted: undefined,
    change: 'created',
    takeover: false,
    warnings: [],
  };
  try {
    // An object of the same name there would be merged with it, or found immutable.
    const isFree = (await client.read(refOf(elsewhere))) === undefined;
    const { warnings } = isFree
      ? await client.apply(elsewhere, { fieldManager, dryRun: true })
      : await client.create(elsewhere, { fieldManager, dryRun: true });
    return { ...prepared, warnings };
  } catch (error) {
    const isAboutManifest =
      error instanceof ApiError && (error.status === 400 || error.status === 422) && !cannotBeTried(error);
    if (isAboutManifest) throw error;
    return prepared;
  }
}

/** What there is of these objects, by key. */
export async function readLive(
  client: KubernetesClient,
  manifests: readonly Manifest[],
  newNamespaces: ReadonlySet<string>,
): Promise<Map<string, KubernetesObject>> {
  const refs = manifests.map(({ object }) => refOf(object));
  return await readRefs(
    client,
    refs.filter(({ namespace }) => namespace === undefined || !newNamespaces.has(namespace)),
  );
}

/** The same of what these names mean. */
export async function readRefs(
  client: KubernetesClient,
  wantedRefs: readonly ObjectRef[],
): Promise<Map<string, KubernetesObject>> {
  const groups = new Map<string, { resource: Resource; namespace: string | undefined; refs: ObjectRef[] }>();
  for (const ref of wantedRefs) {
    const { apiVersion, kind, namespace } = ref;
    const resource = await client.resource(apiVersion, kind);
    if (resource === undefined) continue;
    const key = `${apiVersion}/${kind}/${namespace ?? ''}`;
    const group = groups.get(key) ?? { resource, namespace, refs: [] };
    group.refs.push(ref);
    groups.set(key, group);
  }
  const found = await mapConcurrently([...groups.values()], concurrency, async ({ resource, namespace, refs }) => {
    const readEach = async () => {
      const read = await mapConcurrently(refs, concurrency, (ref) => client.read(ref));
      return read.filter((object) => object !== undefined);
    };
    if (refs.length < listFrom) return await readEach();
    const wanted = new Set(refs.map(({ name }) => name));
    try {
      const { items } = await client.list(resource, namespace === undefined ? {} : { namespace });
      return items.filter((item) => wanted.has(item.metadata.name));
    } catch (error) {
      // A Role may give the objects by name only, an API may know no lists, and one broken object ends the list of all.
      if (error instanceof ApiError) return await readEach();
      throw error;
    }
  });
  return new Map(found.flat().map((object) => [keyOf(refOf(object)), object]));
}

/** Autoscalers of the manifests and of the cluster; without the right to list them only the former are known. */
async function autoscaledTargets(client: KubernetesClient, manifests: readonly Manifest[]): Promise<Set<string>> {
  const inSet = manifests.map(({ object }) => object).filter(isAutoscaler);
  const namespaces = new Set(
    manifests.flatMap(({ object }) =>
      isScalable(object) || (isWorkload(object) && object.kind !== 'Pod') ? (object.metadata.namespace ?? []) : [],
    ),
  );
  const lists = await Promise.all([...namespaces].map((namespace) => autoscalersIn(client, namespace)));
  return scaledTargets([...inSet, ...lists.flat()]);
}

/** Whether new pods come of it: another pod template, as the server would store it. */
export function changesPods({ live, predicted, manifest, change }: Prepared): boolean {
  if (live === undefined || change === 'unchanged') return false;
  const next = predicted ?? manifest.object;
  if (isCustomWorkload(next)) return !equal(podContentOf(next), podContentOf(live));
  const template = objectAt(next, 'spec', 'template');
  return !equal(template, objectAt(live, 'spec', 'template'));
}

/** Nothing that anybody would notice: neither content nor owners. A mark is not written for its own sake. */
function isSame(live: KubernetesObject, predicted: KubernetesObject): boolean {
  if (!equal(withoutMark(contentOf(live)), withoutMark(contentOf(predicted)))) return false;
  const own = (object: KubernetesObject) => applyEntry(object, fieldManager);
  const [left, right] = [own(live), own(predicted)];
  if (left === undefined || right === undefined) return false;
  const fields = sameButMark(left.fieldsV1 ?? {}, right.fieldsV1 ?? {});
  return fields && sameEntries([{ ...left, fieldsV1: {} }], [{ ...right, fieldsV1: {} }]);
}

async function unknownKind(client: KubernetesClient, object: KubernetesObject): Promise<unknown> {
  try {
    await client.read(refOf(object));
    return new Failure(`${describeRef(refOf(object))} is of a kind that the cluster does not serve`);
  } catch (error) {
    return error;
  }
}

/** The texts of all warnings of the server, each once, with the object that it is about. */
export function warningsOf(prepared: readonly Prepared[]): string[] {
  return [
    ...new Set(
      prepared.flatMap(({ manifest, warnings }) =>
        warnings.map(
          (text) =>
            `${describeRef(refOf(manifest.object))}: ${text} (${stringAt(manifest.object, 'apiVersion') ?? ''})`,
        ),
      ),
    ),
  ];
}
