import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../../..');

/** The fences of the README that its quick starts are made of: the mark `<!-- newcomer: NAME -->` stands before each. */
export function quickStarts(): ReadonlyMap<string, string> {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const marked = /<!-- newcomer: (?<name>[a-z-]+) -->\n+```(?:sh|yaml)\n(?<text>[\s\S]*?)\n```/g;
  return new Map([...readme.matchAll(marked)].map(({ groups }) => [groups?.['name'] ?? '', groups?.['text'] ?? '']));
}

/** Lines for a shell that a page shows. */
export interface ShellFence {
  /** The page and the first line: `docs/gke.md: PROJECT=acme-shop`. */
  name: string;
  text: string;
}

/** All of them, of the README, the other pages at the root, and docs/. */
export function shellFences(): ShellFence[] {
  const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
  const inDocs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return [...atRoot, ...inDocs].sort().flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/^(?<indent> *)```(?:sh|bash|shell|console)\n(?<body>[\s\S]*?)\n *```$/gm)].map(
      ({ groups = {} }) => {
        const { indent = '', body = '' } = groups;
        const lines = body.split('\n').map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
        return { name: `${page}: ${(lines[0] ?? '').trim()}`, text: lines.join('\n') };
      },
    );
  });
}
