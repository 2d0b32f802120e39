import { InvalidInput } from '../base/errors.ts';
import { refOf, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from './manifest.ts';
import { containersOf } from './pod-template.ts';
import { assertVersion, parseReference, repositoryOf, withVersion, type Reference } from './reference.ts';

export interface ImageChange {
  workload: ObjectRef;
  container: string;
  before: string;
  after: string;
}

interface Use {
  manifest: Manifest;
  container: string;
  reference: Reference;
  image: string;
  /** The list entry that holds `image`. */
  target: { image?: unknown };
  path: (string | number)[];
}

/**
 * Sets the images of all containers in place.
 * @param tag a tag or digest for the one repository that the containers use (those pinned by digest aside)
 * @param lines `REPOSITORY:TAG`, `REPOSITORY@DIGEST` for every container of that repository, or `OLD=NEW` to replace the repository too
 * @throws InvalidInput when a line matches no container, or the tag could be meant for several repositories
 */
export function setImages(
  manifests: readonly Manifest[],
  tag: string | undefined,
  lines: readonly string[],
): ImageChange[] {
  const uses = manifests.flatMap(usesOf);
  const after = new Map<Use, string>();
  for (const line of lines) {
    const { repository, image } = readLine(line);
    const matching = uses.filter((use) => repositoryOf(use.reference) === repository);
    if (matching.length === 0) {
      throw new InvalidInput(
        `the input "images" has "${line}", but no container uses that repository: ${listUses(uses)}`,
        {
          hint: 'Correct the repository, or write OLD=NEW to replace one repository by another.',
        },
      );
    }
    for (const use of matching) after.set(use, image);
  }
  if (tag !== undefined) {
    const free = uses.filter((use) => !after.has(use) && use.reference.digest === undefined);
    for (const use of chosenByTag(tag, free, uses)) after.set(use, withVersion(use.reference, tag));
  }
  return uses.map((use) => {
    const image = after.get(use) ?? use.image;
    use.target.image = image;
    return { workload: refOf(use.manifest.object), container: use.container, before: use.image, after: image };
  });
}

function chosenByTag(tag: string, free: readonly Use[], all: readonly Use[]): readonly Use[] {
  assertVersion(tag, 'image-tag');
  const repositories = new Set(free.map((use) => repositoryOf(use.reference)));
  if (repositories.size === 1) return free;
  if (repositories.size === 0) {
    throw new InvalidInput(
      `the input "image-tag" is "${tag}", but there is no container to give it to: ${listUses(all)}`,
      {
        hint: 'Images that are pinned by digest keep it: name them in the input "images".',
      },
    );
  }
  const written = new Set(free.map((use) => use.reference.written));
  throw new InvalidInput(
    `the input "image-tag" is "${tag}", but the containers use several repositories: ${listUses(free)}`,
    {
      hint: `Use the input "images" instead, with the lines that you mean of: ${[...written].map((name) => `${name}:${tag}`).join(', ')}`,
    },
  );
}

function readLine(line: string): { repository: string; image: string } {
  const [left = '', right] = line.split('=', 2);
  const image = right ?? left;
  const reference = parseReference(image);
  if (reference.tag === undefined && reference.digest === undefined) {
    throw new InvalidInput(`the input "images" has "${line}", which has neither tag nor digest`, {
      hint: 'Write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST.',
    });
  }
  return { repository: repositoryOf(right === undefined ? reference : parseReference(left)), image };
}

function usesOf(manifest: Manifest): Use[] {
  return containersOf(manifest.object)
    .filter(({ image }) => image !== '')
    .map(({ container, name, image, path }) => {
      try {
        return { manifest, container: name, reference: parseReference(image), image, target: container, path };
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error;
        throw new InvalidInput(
          `container "${name}" of ${manifest.object.kind} "${manifest.object.metadata.name}": ${error.message}`,
          {
            location: manifest.source.locate([...path, 'image']),
            ...(error.hint === undefined ? {} : { hint: error.hint }),
          },
        );
      }
    });
}

function listUses(uses: readonly Use[]): string {
  const names = new Set(uses.map((use) => `"${use.reference.written}"`));
  return names.size === 0 ? 'the manifests have no containers' : `they use ${[...names].join(', ')}`;
}
