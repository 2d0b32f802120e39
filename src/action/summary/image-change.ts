import { partsOfImage } from '../../report/image-words.ts';
import { code } from '../markdown.ts';

/** The image of a container before and after, as short as it can be read: the repository once, digests cut. */
export function imageChange(before: string | undefined, after: string): string {
  const to = partsOfImage(after);
  if (before === undefined || before === after) return code(`${to.repository}${to.version}`);
  const from = partsOfImage(before);
  const target = from.repository === to.repository ? to.version.replace(/^:/, '') : `${to.repository}${to.version}`;
  return `${code(`${from.repository}${from.version}`)} → ${code(target === '' ? 'no tag' : target)}`;
}
