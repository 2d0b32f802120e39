/** The parts of a reference to an image, as short as they can be read. */
export interface ImageParts {
  repository: string;
  /** `:1.2`, `@sha256:0123456789ab…`; empty where it has neither. */
  version: string;
}

/** `:1.2`, `@sha256:0123456789ab…`: a digest, or a commit as a tag, says enough with its first twelve digits. */
export function partsOfImage(image: string): ImageParts {
  // Longer ones are no references, and nothing that a regular expression should be let loose on.
  if (image.length > 500) return { repository: image, version: '' };
  const parts = /^(?<repository>[^@]+?)(?<tag>:[\w.-]+)?(?<digest>@[a-z0-9]+:[0-9a-f]+)?$/.exec(image)?.groups;
  const { repository = image, tag = '', digest = '' } = parts ?? {};
  return { repository, version: `${tag}${digest}`.replaceAll(/\b([0-9a-f]{12})[0-9a-f]{28,}/g, '$1…') };
}

/** `1.2`; without a tag or digest the last part of its name: `web`. */
export function versionOf(image: string): string {
  const { repository, version } = partsOfImage(image);
  return version === '' ? lastPart(repository) : version.replace(/^[:@]/, '');
}

/** What a container ran and what it is to run: `1.0 → 2.0`, with the names where these differ: `nginx:1.27 → caddy:2`. */
export function versionChange(before: string, after: string): string {
  const [from, to] = [partsOfImage(before), partsOfImage(after)];
  if (from.repository === to.repository) return `${versionOf(before)} → ${versionOf(after)}`;
  const [short, other] = [shortImage(before), shortImage(after)];
  return short === other ? `${from.repository}${from.version} → ${to.repository}${to.version}` : `${short} → ${other}`;
}

/** `web:1.2`: without the registry and the folders in it. */
export function shortImage(image: string): string {
  const { repository, version } = partsOfImage(image);
  return `${lastPart(repository)}${version}`;
}

function lastPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}
