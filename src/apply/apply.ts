import { mapConcurrently } from '../base/concurrency.ts';
import { Failure, Failures } from '../base/errors.ts';
import type { KubernetesClient, Written } from '../kubernetes/client.ts';
import { ApiError } from '../kubernetes/errors.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { marked } from './mark.ts';
import { applyPersistently } from './persistent-apply.ts';
import { cannotBeTried, problemsOfRefusal } from './problems.ts';
import { makeRoom } from './remake.ts';
import { takeOver } from './takeover.ts';
import { unownedAt } from './unowned.ts';
import type { Prepared } from './prepared.ts';
import type { PlannedWrite, WriteAhead } from './write-ahead.ts';

/** Requests under way at once. */
export const concurrency = 16;
const maxRaces = 5;

/**
 * Applies the objects of one layer side by side, the journal written before and after. Unchanged objects cost nothing.
 * @param isFollowed whether another layer follows at once: then its plan says what has become of this one
 * @throws Failure, Failures at the line for the first object that the server refuses; what was written by then stands in the journal
 */
export async function applyLayer(
  client: KubernetesClient,
  layer: readonly Prepared[],
  journal: WriteAhead,
  force: boolean,
  isFollowed = false,
): Promise<Map<Prepared, KubernetesObject>> {
  const changing = layer.filter((prepared) => prepared.change !== 'unchanged');
  if (changing.length === 0) return new Map();
  await journal.plan(
    changing.map((prepared) => ({
      ref: refOf(prepared.manifest.object),
      before: prepared.live ?? null,
      after: prepared.predicted ?? null,
      done: false,
      ...(prepared.remake === true ? { remade: true as const } : {}),
    })),
  );
  const versions = await takeOverAll(client, changing, journal, force);
  const results = new Map<Prepared, KubernetesObject>();
  const written = () => [...results].map(([prepared, after]) => ({ ref: refOf(prepared.manifest.object), after }));
  try {
    await mapConcurrently(changing, concurrency, async (prepared) => {
      results.set(prepared, (await applyOne(client, atVersion(prepared, versions.get(prepared)), force)).object);
    });
  } catch (error) {
    // The others are in the cluster.
    await journal.done(written());
    throw error;
  }
  if (isFollowed) journal.note(written());
  else await journal.done(written());
  return results;
}

/**
 * Takes fields over from our predecessors first, and only then learns from the server what the apply will do: before, it
 * could not say which fields will go.
 * @returns the versions that guards on what was read have to hold for from then on
 */
async function takeOverAll(
  client: KubernetesClient,
  layer: readonly Prepared[],
  journal: WriteAhead,
  force: boolean,
): Promise<Map<Prepared, string>> {
  const versions = new Map<Prepared, string>();
  const inherited = layer.filter((prepared) => prepared.takeover);
  if (inherited.length === 0) return versions;
  const predicted = await mapConcurrently(inherited, concurrency, async (prepared): Promise<PlannedWrite> => {
    const { manifest, live, claims, mark, places = [], force: isDecided } = prepared;
    const ref = refOf(manifest.object);
    await withFreshObject(client, ref, live, async (object) => {
      const taken = await takeOver(client, object, claims, unownedAt(object, manifest.object, places));
      const { resourceVersion: guard } = manifest.object.metadata;
      // A guard on what was read holds for what we have just made of it.
      if (guard !== undefined && guard === object.metadata.resourceVersion)
        versions.set(prepared, taken.metadata.resourceVersion ?? guard);
    });
    const guarded = atVersion(prepared, versions.get(prepared)).manifest.object;
    const after = await client
      .apply(marked(guarded, mark), { fieldManager, force: force || isDecided === true, dryRun: true })
      .then(({ object }) => object)
      .catch((error: unknown) => {
        if (cannotBeTried(error)) return null;
        throw error;
      });
    return { ref, before: live ?? null, after, done: false };
  });
  await journal.plan(predicted);
  return versions;
}

/** The same with a guard on another version of what is there. */
function atVersion(prepared: Prepared, resourceVersion: string | undefined): Prepared {
  if (resourceVersion === undefined) return prepared;
  const { manifest } = prepared;
  const { object } = manifest;
  return {
    ...prepared,
    manifest: { ...manifest, object: { ...object, metadata: { ...object.metadata, resourceVersion } } },
  };
}

async function applyOne(
  client: KubernetesClient,
  { manifest, live, mark, remake, force: isDecided }: Prepared,
  force: boolean,
): Promise<Written> {
  try {
    if (remake === true && live !== undefined) await makeRoom(client, live);
    return await applyPersistently(client, marked(manifest.object, mark), {
      fieldManager,
      force: force || isDecided === true,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const problems = await problemsOfRefusal(client, manifest, error);
    if (problems.length === 1 && problems[0] !== undefined) throw problems[0];
    throw new Failures(error.message, problems, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

/** Repeats a guarded write with a fresh object when somebody else wrote in between. */
export async function withFreshObject<T>(
  client: KubernetesClient,
  ref: ObjectRef,
  first: KubernetesObject | undefined,
  write: (object: KubernetesObject) => Promise<T>,
): Promise<T> {
  let object = first;
  for (let race = 0; ; race += 1) {
    object ??= await client.read(ref);
    if (object === undefined) {
      throw new Failure(`${describeRef(ref, true)} was deleted while this run changed it`, {
        hint: 'Find out who deleted it, then run it again.',
      });
    }
    try {
      return await write(object);
    } catch (error) {
      if (!(error instanceof ApiError && error.isWriteConflict) || race >= maxRaces) throw error;
      object = undefined;
    }
  }
}
