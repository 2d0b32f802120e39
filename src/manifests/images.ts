import { InvalidInput } from '../base/errors.ts';
import { describeRef, refOf, type ObjectRef } from '../kubernetes/object.ts';
import { trimmed } from './lines.ts';
import { throwAll, type Manifest } from './manifest.ts';
import { isWorkload } from './kinds.ts';
import { describeImage, imagesOf, writeImage, type ImageAt } from './pod-template.ts';
import { formatReference, parseReference, sameRepository, withVersion, type Reference } from './reference.ts';

/** What became of the image of one container or volume; equal images when nothing did. */
interface ImageChange {
  workload: ObjectRef;
  /** Its name as `ImageAt` has it. */
  container: string;
  before: string;
  after: string;
}

/** An image while the inputs are applied to it. */
interface Use {
  workload: ObjectRef;
  at: ImageAt;
  before: Reference;
  after: Reference;
  /** Whether the input `images` gave it a version, so that `image-tag` is not meant for it. */
  settled: boolean;
}

/**
 * Sets images in place, in every pod template among the manifests. First each line of `images` goes to all containers and
 * volumes of its repository; then the tag goes to the containers that are left and not pinned by digest, when all of these
 * use one repository, and to the volumes of it.
 * @param tag a tag or a digest
 * @param images lines `REPOSITORY:TAG`, `REPOSITORY@DIGEST`, or `OLD=NEW` to replace a repository, with or without a version
 * @throws InvalidInput when a line or the tag reaches no container, or the tag could be meant for several repositories;
 *   and, at its line, for an image in the manifests that no node could pull
 */
export function setImages(
  manifests: readonly Manifest[],
  tag: string | undefined,
  images: readonly string[],
): ImageChange[] {
  const uses = usesOf(manifests);
  const lines = trimmed(images).map(readLine);
  for (const [index, line] of lines.entries()) applyLine(line, lines.slice(0, index), uses);
  if (tag !== undefined) applyTag(tag.trim(), uses);
  for (const use of uses) refuseBareDigest(use);
  return uses.map(({ workload, at, before, after }) => {
    writeImage(at, formatReference(after));
    return { workload, container: at.name, before: formatReference(before), after: formatReference(after) };
  });
}

/** @throws InvalidInput for a digest without a tag where the kind has a field for the tag alone */
function refuseBareDigest({ workload, at: { key }, after: { tag, digest } }: Use): void {
  if (key !== 'repository' || digest === undefined || tag !== undefined) return;
  throw new InvalidInput(
    `the image of ${describeRef(workload)} is pinned by digest, but this kind has a field for the tag only`,
    {
      hint: 'Use a tag, or TAG@sha256:DIGEST.',
    },
  );
}

interface Line {
  text: string;
  repository: Reference;
  replacement: Reference;
}

function readLine(text: string): Line {
  const [left = '', right, ...rest] = text.split('=').map((part) => part.trim());
  const wrong = (why: string, hint: string) => new InvalidInput(`the input "images" has "${text}", ${why}`, { hint });
  if (rest.length > 0) throw wrong('which has more than one "="', 'Write OLD=NEW.');
  const read = (part: string): Reference => {
    try {
      return parseReference(part);
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
      throw wrong(`but ${error.message}`, error.hint ?? 'Write REPOSITORY:TAG.');
    }
  };
  const replacement = read(right ?? left);
  const repository = right === undefined ? replacement : read(left);
  if (right === undefined && !hasVersion(replacement)) {
    throw wrong('which has neither tag nor digest', 'Write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST.');
  }
  if (right !== undefined && hasVersion(repository)) {
    throw wrong('which has a version before the "="', 'Write the old repository without a tag or digest.');
  }
  return { text, repository, replacement };
}

function applyLine(line: Line, earlier: readonly Line[], uses: readonly Use[]): void {
  const double = earlier.find((other) => sameRepository(other.repository, line.repository));
  if (double !== undefined) {
    throw new InvalidInput(
      `the input "images" has "${double.text}" and "${line.text}", which are for the same repository`,
      { hint: 'Remove one of them.' },
    );
  }
  const matching = uses.filter((use) => sameRepository(use.before, line.repository));
  if (matching.length === 0) {
    throw new InvalidInput(
      `the input "images" has "${line.text}", but no container uses this repository: ${listed(uses)}`,
      {
        hint: 'Fix the repository, or use OLD=NEW to replace one repository with another.',
      },
    );
  }
  for (const use of matching) {
    const { tag, digest } = hasVersion(line.replacement) ? line.replacement : use.before;
    const { registry, repository, written } = line.replacement;
    use.after = {
      registry,
      repository,
      // `docker.io/library/nginx:2` for a container that says `nginx` leaves the name as the manifest has it.
      written: sameRepository(use.before, line.replacement) ? use.before.written : written,
      ...(tag === undefined ? {} : { tag }),
      ...(digest === undefined ? {} : { digest }),
    };
    use.settled = hasVersion(line.replacement);
  }
}

function applyTag(tag: string, uses: readonly Use[]): void {
  const open = uses.filter((use) => !use.settled && use.after.digest === undefined);
  // A volume of another repository, such as that of a model, has versions of its own.
  const containers = open.filter(({ at }) => at.key === 'image');
  const all = containers.length > 0 ? containers : open;
  // The tag is that of the application; beside it, a custom resource may run a server of somebody else.
  const own = all.filter(({ workload }) => isWorkload(workload));
  const free = own.length > 0 ? own : all;
  const [first, ...others] = free;
  if (first === undefined) {
    throw new InvalidInput(
      `the input "image-tag" is "${tag}", but there is no container to set it on: ${listed(uses)}`,
      {
        hint: 'Images pinned by digest stay pinned: list them in the input "images", or remove "image-tag".',
      },
    );
  }
  if (others.some((use) => !sameRepository(use.after, first.after))) {
    const candidates = new Set(free.map((use) => formatReference(withTag(use.after, tag))));
    throw new InvalidInput(
      `the input "image-tag" is "${tag}", but the containers use several repositories: ${listed(free)}`,
      { hint: `Use the input "images" instead, one line per repository: ${[...candidates].join(', ')}.` },
    );
  }
  for (const use of open) if (sameRepository(use.after, first.after)) use.after = withTag(use.after, tag);
}

function withTag(reference: Reference, tag: string): Reference {
  try {
    return withVersion(reference, tag);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    throw new InvalidInput(`the input "image-tag" is wrong: ${error.message}`, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}

function usesOf(manifests: readonly Manifest[]): Use[] {
  const problems: InvalidInput[] = [];
  const uses = manifests.flatMap((manifest) =>
    imagesOf(manifest.object).flatMap((at): Use[] => {
      if (at.image === undefined) return [];
      try {
        const reference = parseReference(at.image);
        return [{ workload: refOf(manifest.object), at, before: reference, after: reference, settled: false }];
      } catch (error) {
        if (!(error instanceof InvalidInput)) throw error;
        problems.push(unreadable(error, at, manifest));
        return [];
      }
    }),
  );
  throwAll(problems);
  return uses;
}

function unreadable(error: InvalidInput, at: ImageAt, { object, source }: Manifest): InvalidInput {
  return new InvalidInput(
    `the image of ${describeImage(at)} in ${object.kind} "${object.metadata.name}": ${error.message}`,
    {
      location: source.locate(at.path),
      hint: error.hint ?? 'Fix it.',
    },
  );
}

function hasVersion({ tag, digest }: Reference): boolean {
  return tag !== undefined || digest !== undefined;
}

function listed(uses: readonly Use[]): string {
  const names = new Set(uses.map((use) => `"${use.after.written}"`));
  return names.size === 0 ? 'the manifests have no containers' : `the containers use ${[...names].sort().join(', ')}`;
}
