import { code } from '../markdown.ts';

/** The image of a container before and after, as short as it can be read: the repository once, digests cut. */
export function imageChange(before: string | undefined, after: string): string {
  const to = split(after);
  if (before === undefined || before === after) return code(`${to.repository}${to.version}`);
  const from = split(before);
  const target = from.repository === to.repository ? to.version.replace(/^:/, '') : `${to.repository}${to.version}`;
  return `${code(`${from.repository}${from.version}`)} → ${code(target === '' ? 'no tag' : target)}`;
}

/** `:1.2`, `@sha256:0123456789ab…`: a digest, or a commit as a tag, says enough with its first twelve digits. */
function split(image: string): { repository: string; version: string } {
  // Longer ones are no references, and nothing that a regular expression should be let loose on.
  if (image.length > 500) return { repository: image, version: '' };
  const parts = /^(?<repository>[^@]+?)(?<tag>:[\w.-]+)?(?<digest>@[a-z0-9]+:[0-9a-f]+)?$/.exec(image)?.groups;
  const { repository = image, tag = '', digest = '' } = parts ?? {};
  return { repository, version: `${tag}${digest}`.replaceAll(/\b([0-9a-f]{12})[0-9a-f]{28,}/g, '$1…') };
}
