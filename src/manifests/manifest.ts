import { Failures, InvalidInput, type Location } from '../base/errors.ts';
import type { Path } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';

/** One object of the user's, and where it stands. */
export interface Manifest {
  object: KubernetesObject;
  source: Source;
  /** It states a few fields of an object that is in the cluster, and says nothing of the others. */
  part?: true;
}

export interface Source {
  /** As the user wrote it: relative to the workspace, or absolute when it lies elsewhere. */
  file: string;
  /** The line at which the object begins, from 1. */
  line: number;
  /** Where the value at a path of the object stands, or the nearest thing around it that stands in the file. */
  locate(path: Path): Location;
}

/**
 * An object that stands in no manifest, so that there is no line to point at.
 * @param file what is said instead: `the cluster`
 */
export function manifestFrom(object: KubernetesObject, file: string): Manifest {
  return { object, source: { file, line: 1, locate: () => ({ file }) } };
}

/**
 * Two objects of one group, kind, namespace and name would overwrite each other. Call it once namespaces are set: until
 * then an object without a namespace may turn out to be another one's double.
 * @throws InvalidInput naming both places; Failures when there are several such pairs
 */
export function assertUnique(manifests: readonly Manifest[]): void {
  const first = new Map<string, Manifest>();
  const problems: InvalidInput[] = [];
  for (const manifest of manifests) {
    const ref = refOf(manifest.object);
    const earlier = first.get(keyOf(ref));
    if (earlier === undefined) {
      first.set(keyOf(ref), manifest);
      continue;
    }
    problems.push(
      new InvalidInput(
        `${describeRef(ref, true)} is defined twice: at ${placeOf(earlier)} and at ${placeOf(manifest)}`,
        {
          location: manifest.source.locate([]),
          hint: 'Remove one of them, or give it a different name or namespace.',
        },
      ),
    );
  }
  throwAll(problems);
}

/** How messages name the place of a manifest: `deployments/web.yaml:12`. */
export function placeOf({ source }: Manifest): string {
  const { file, line } = source.locate([]);
  return line === undefined ? file : `${file}:${line}`;
}

/** Throws what was found in one pass over the manifests: a single problem as itself, several as Failures. */
export function throwAll(problems: readonly InvalidInput[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new Failures(`the manifests have ${problems.length} problems`, problems);
}
