import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

import { describe, expect, test } from '@jest/globals';

const root = join(import.meta.dirname, '../../..');

/** Every page that a reader may come to, from the root of the repository. */
const pages = [
  '.',
  'docs',
  'docs/adr',
  'examples/ctwoc',
  'examples/ctwoc/server',
  'examples/ctwoc/tls',
  'examples/model-server',
  'test/cluster',
]
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(folder, name)))
  .filter((path) => path.endsWith('.md'));

const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
/** Without code, in which nothing is a link or a heading. */
const prose = (text: string) =>
  text
    .replaceAll(/^( *)(`{3,}).*\n[\s\S]*?^\1\2$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, '_'));

/** The anchors of a page, by GitHub's rule for headings. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replaceAll(/^( *)(`{3,}).*\n[\s\S]*?^\1\2$/gm, '').matchAll(/^#+ (.+)$/gm)) {
    const anchor = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    anchors.add(anchors.has(anchor) ? `${anchor}-1` : anchor);
  }
  return anchors;
}

describe('links within the repository lead somewhere', () => {
  test.each(pages)('%s', (page) => {
    const targets = [...prose(textOf(page)).matchAll(/\]\((?<target>[^)\s]+)\)/g)]
      .map(({ groups }) => groups?.['target'] ?? '')
      .filter((target) => !/^[a-z]+:/.test(target));
    const broken = targets.filter((target) => {
      const [path = '', anchor] = target.split('#', 2);
      const file = path === '' ? page : relative(root, join(root, dirname(page), path));
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(textOf(file)).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});

test('every page of docs/ stands in its index', () => {
  const index = textOf('docs/README.md');
  const missing = readdirSync(join(root, 'docs')).filter(
    (name) => name.endsWith('.md') && name !== 'README.md' && !index.includes(`(${name})`),
  );
  expect(missing).toEqual([]);
});

describe('docs/troubleshooting.md', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(root, 'src', name), 'utf8'))
    .join('\n');
  const seen = textOf('docs/troubleshooting.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split(' | ')[0] ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));

  test.each(seen)('quotes what the code says: %s', (text) => {
    const parts = text.split('…').map((part) => part.trim().replaceAll(/^"|"$/g, '').trim());
    expect(parts.filter((part) => !sources.includes(part))).toEqual([]);
  });
});
