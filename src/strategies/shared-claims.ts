import { InvalidInput } from '../base/errors.ts';
import { at, objectsAt, stringAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { PlanContext } from '../plan/plan.ts';

/** Two versions that are to run side by side. */
interface SideBySide {
  serving: KubernetesObject;
  candidate: KubernetesObject;
}

/**
 * A volume that only one node, or one pod, may write to is mounted by both versions: the candidate's pods may then wait for the
 * volume for ever, or two versions write to it at once. Said before the first write.
 * @param manifests the claims that are to come are among these
 * @throws InvalidInput for a claim that one pod alone may use
 */
export async function judgeSharedClaims(
  { client, reporter }: Pick<PlanContext, 'client' | 'reporter'>,
  pairs: readonly SideBySide[],
  manifests: readonly KubernetesObject[],
): Promise<void> {
  for (const { serving, candidate } of pairs) {
    for (const ref of sharedClaims(serving, candidate)) {
      const { namespace } = candidate.metadata;
      const isIt = ({ kind, metadata }: KubernetesObject) =>
        kind === ref.kind && metadata.name === ref.name && metadata.namespace === namespace;
      // Without the right to see it nothing is known, and nothing is said.
      const claim = manifests.find(isIt) ?? (await client.read(ref).catch(() => undefined));
      const problem = claim === undefined ? undefined : problemOf(claim, serving, candidate);
      if (problem === undefined) continue;
      if (problem.state === 'warn') reporter.warning(`${problem.message}. ${problem.hint}`);
      else throw new InvalidInput(problem.message, { hint: problem.hint });
    }
  }
}

/** Claims that the pods of both mount under one name. */
export function sharedClaims(serving: KubernetesObject, candidate: KubernetesObject): ObjectRef[] {
  const own = new Set(claimsOf(serving));
  const { namespace } = candidate.metadata;
  return [...new Set(claimsOf(candidate))]
    .filter((name) => own.has(name))
    .map((name) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      name,
      ...(namespace === undefined ? {} : { namespace }),
    }));
}

function claimsOf(workload: KubernetesObject): string[] {
  return objectsAt(workload, 'spec', 'template', 'spec', 'volumes').flatMap(
    (volume) => stringAt(volume, 'persistentVolumeClaim', 'claimName') ?? [],
  );
}

interface Problem {
  state: 'refuse' | 'warn';
  message: string;
  hint: string;
}

/** By what the volume can do: with several modes, the one that lets most pods in. */
export function problemOf(
  claim: KubernetesObject,
  serving: KubernetesObject,
  candidate: KubernetesObject,
): Problem | undefined {
  const modes = at(claim, 'spec', 'accessModes');
  if (!Array.isArray(modes) || modes.includes('ReadWriteMany') || modes.includes('ReadOnlyMany')) return undefined;
  const name = describeRef(refOf(claim));
  const both = `${serving.metadata.name} and ${candidate.metadata.name}`;
  if (modes.includes('ReadWriteOnce')) {
    return {
      state: 'warn',
      message: `the pods of ${both} mount the same ${name}, which is ReadWriteOnce: they can only run side by side on one node, and both versions write to it`,
      hint: 'Use a volume that is ReadWriteMany, or deploy with "strategy: rolling" and the update strategy Recreate.',
    };
  }
  if (!modes.includes('ReadWriteOncePod')) return undefined;
  return {
    state: 'refuse',
    message: `the pods of ${both} would mount the same ${name}, which is ReadWriteOncePod: only one pod may use it, and two versions cannot run side by side`,
    hint: 'Deploy with "strategy: rolling" and the update strategy Recreate, or use a volume that is ReadWriteMany.',
  };
}
