import { Failures, InvalidInput } from '../../base/errors.ts';
import { limits, sizeOf } from '../../base/limits.ts';
import { holdYoungGeneration, isLarge } from '../../base/young-generation.ts';
import { trimmed } from '../lines.ts';
import { throwAll, type Manifest } from '../manifest.ts';
import { plainFiles } from './files.ts';
import { assertWithin, filesOf } from './find.ts';
import { assertInside, boundsOf, nameOf, type Bounds } from './inside.ts';
import { kustomizedFolders, kustomizeOf } from './kustomize.ts';
import type { ManifestSource, ManifestText, Tools } from './source.ts';
import { Budget } from './unshare.ts';
import { parseManifests } from './yaml.ts';

/** What the input `manifests` can name, in this order: of those that match a file the first one reads it. */
export function manifestSources(tools: Tools): readonly ManifestSource[] {
  return [kustomizedFolders(kustomizeOf(tools)), plainFiles];
}

/**
 * The objects of all sources, in the order in which they are given: files, folders (recursive, by path, without hidden
 * files) and globs (by path). A file that is named twice is read once; it may lie anywhere, such as in RUNNER_TEMP, but no link
 * of the workspace may lead out of it.
 * @param lines one of these each, relative to `cwd` (the workspace)
 * @throws InvalidInput when a source holds nothing, saying what was found instead; Failures for several broken files
 */
export async function readSources(
  lines: readonly string[],
  cwd: string,
  sources: readonly ManifestSource[],
): Promise<Manifest[]> {
  const files = new Map<string, Bounds>();
  for (const line of trimmed(lines)) {
    const bounds = await boundsOf(line, cwd);
    for (const file of await filesOf(line, cwd, sources)) files.set(file, files.get(file) ?? bounds);
  }
  assertWithin(files.size, limits.manifestFiles, `the input "manifests" names ${files.size} files`);
  const manifests: Manifest[] = [];
  const problems: InvalidInput[] = [];
  const budget = new Budget(limits.expandedManifests);
  let size = 0;
  for (const [file, bounds] of files) {
    try {
      const { text, name } = await textOf(file, bounds, sources);
      size += Buffer.byteLength(text);
      assertWithin(size, limits.manifestsInAll, `the manifests up to "${name}" have ${sizeOf(size)}`);
      if (isLarge(size)) holdYoungGeneration();
      for (const manifest of parseManifests(text, name, budget)) manifests.push(manifest);
    } catch (error) {
      const found = error instanceof Failures ? error.all : [error];
      for (const problem of found) {
        if (!(problem instanceof InvalidInput)) throw problem;
        problems.push(problem);
      }
    }
  }
  throwAll(problems);
  assertWithin(manifests.length, limits.objects, `the manifests hold ${manifests.length} objects`);
  if (manifests.length === 0) {
    const listed = [...files.keys()].map((file) => `"${nameOf(file, cwd)}"`).join(', ');
    throw new InvalidInput(`there are no Kubernetes objects in ${listed === '' ? 'the input "manifests"' : listed}`, {
      hint: 'Set the input "manifests" to files that have some.',
    });
  }
  return manifests;
}

/** What a file holds. One that is no source by its name is one that was named itself. */
async function textOf(path: string, bounds: Bounds, sources: readonly ManifestSource[]): Promise<ManifestText> {
  await assertInside(path, bounds);
  const source = sources.find((one) => one.matches(path)) ?? plainFiles;
  return await source.read({ path, name: nameOf(path, bounds.cwd), bounds });
}
