import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../../src/base/errors.ts';
import { configMapsFromFiles, secretsFromFiles } from '../../../../src/manifests/read/config-files.ts';
import { plainFiles } from '../../../../src/manifests/read/files.ts';
import { readSources } from '../../../../src/manifests/read/index.ts';
import { kustomizedFolders } from '../../../../src/manifests/read/kustomize.ts';
import { inFolder, problemsIn } from '../build.ts';
import { cpuTimeOf, SQUARE_MS } from '../../../support/cpu-time.ts';

const object = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;
const files = {
  'k8s/a.yaml': object('a'),
  'base/kustomization.yaml': 'resources: [a.yaml]\n',
  'base/a.yaml': object('a'),
};
const outside = { 'secret.yaml': 'password: hunter2-of-the-runner\n', 'more/b.yaml': object('b') };

const read = (sources: string[], cwd: string) =>
  readSources(sources, cwd, [kustomizedFolders((path) => Promise.resolve(object(basename(path)))), plainFiles]);

/** What is thrown for the sources; each problem of several. */
async function refusal(sources: string[], cwd: string): Promise<Error> {
  const thrown: unknown = await read(sources, cwd).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(InvalidInput);
  return thrown as InvalidInput;
}

describe('what is no file is refused at once', () => {
  const kinds: [string, RegExp, (path: string) => Promise<unknown>][] = [
    [
      'a named pipe',
      /^"k8s\/pipe\.yaml"(?: of the input "\w+")? is a named pipe, not a file$/,
      (path) => Promise.resolve(execFileSync('mkfifo', [path])),
    ],
    [
      'a link to a device',
      /^"k8s\/pipe\.yaml"(?: of the input "\w+")? (?:points outside the workspace|is a device)/,
      (path) => symlink('/dev/zero', path),
    ],
    [
      'a socket',
      /^"k8s\/pipe\.yaml"(?: of the input "\w+")? is a socket, not a file$/,
      async (path) => {
        const server = createServer().listen(path);
        await once(server, 'listening');
        server.unref();
      },
    ],
  ];

  test.each(kinds)('%s', async (_, words, make) => {
    await inFolder({ 'k8s/a.yaml': object('a') }, async (cwd) => {
      await make(join(cwd, 'k8s/pipe.yaml'));
      for (const source of ['k8s', 'k8s/pipe.yaml', 'k8s/*.yaml']) {
        expect((await refusal([source], cwd)).message).toMatch(words);
      }
      for (const from of [configMapsFromFiles, secretsFromFiles]) {
        for (const line of ['c=k8s/pipe.yaml', 'c=key=k8s/pipe.yaml']) {
          await expect(from([line], cwd)).rejects.toThrow(words);
        }
      }
    });
  });

  test('a device that the input names', async () => {
    await inFolder({}, async (cwd) => {
      await expect(read(['/dev/zero'], cwd)).rejects.toThrow('"/dev/zero" is a device, not a file');
      await expect(configMapsFromFiles(['c=/dev/zero'], cwd)).rejects.toThrow('is a device, not a file');
    });
  });
});

describe('a symbolic link that leads out of the workspace is refused, and what is there is not read', () => {
  const inBoth = (work: (cwd: string, out: string) => Promise<void>) =>
    inFolder(files, (cwd) => inFolder(outside, (out) => work(cwd, out)));

  test.each(['k8s', 'k8s/x.yaml', 'k8s/*.yaml', '**/x.yaml', './k8s/../k8s/x.yaml'])('as %s', async (source) => {
    await inBoth(async (cwd, out) => {
      await symlink(join(out, 'secret.yaml'), join(cwd, 'k8s/x.yaml'));
      const { message } = await refusal([source], cwd);
      expect(message).toBe(
        `"k8s/x.yaml" points outside the workspace through a symbolic link, to "../${basename(out)}/secret.yaml"`,
      );
    });
  });

  test('by a link to a folder, and by a link to a link', async () => {
    await inBoth(async (cwd, out) => {
      await symlink(out, join(cwd, 'there'));
      await symlink('there', join(cwd, 'again'));
      for (const source of [
        'there',
        'there/more/b.yaml',
        'there/*.yaml',
        'again/more',
        'again/more/*',
        'there/x.yaml',
      ]) {
        const thrown: unknown = await read([source], cwd).catch((error: unknown) => error);
        expect(String(thrown)).toContain('points outside the workspace through a symbolic link');
        expect(String(thrown)).not.toMatch(/hunter2|secret\.yaml$/);
      }
    });
  });

  test('to a neighbour whose name begins like that of the workspace', async () => {
    await inFolder({ 'shop/k8s/a.yaml': object('a'), 'shop-secrets/b.yaml': object('b') }, async (folder) => {
      await symlink('../../shop-secrets/b.yaml', join(folder, 'shop/k8s/b.yaml'));
      const { message } = await refusal(['k8s'], join(folder, 'shop'));
      expect(message).toContain('to "../shop-secrets/b.yaml"');
    });
  });

  test('in a folder of kustomize, wherever in it', async () => {
    await inBoth(async (cwd, out) => {
      await expect(read(['base'], cwd)).resolves.toHaveLength(1);
      await symlink(join(out, 'more'), join(cwd, 'base/more'));
      expect((await refusal(['base'], cwd)).message).toContain('"base/more" points outside the workspace');
    });
  });

  test('as a folder of kustomize', async () => {
    await inBoth(async (cwd, out) => {
      await writeFile(join(out, 'kustomization.yaml'), 'resources: [secret.yaml]\n');
      await symlink(out, join(cwd, 'overlay'));
      expect((await refusal(['overlay'], cwd)).message).toContain('points outside the workspace');
    });
  });

  test('as a source of configmaps and secrets', async () => {
    await inBoth(async (cwd, out) => {
      await symlink(join(out, 'secret.yaml'), join(cwd, 'app.conf'));
      await symlink(join(out, 'more'), join(cwd, 'conf'));
      for (const make of [configMapsFromFiles, secretsFromFiles]) {
        for (const line of ['c=app.conf', 'c=key=app.conf', 'c=conf', 'c=k8s/a.yaml,conf']) {
          await expect(make([line], cwd)).rejects.toThrow('points outside the workspace through a symbolic link');
        }
      }
    });
  });
});

describe('links that stay inside are followed', () => {
  test('also where the workspace itself is reached by a link', async () => {
    await inFolder(files, (real) =>
      inFolder({}, async (other) => {
        const cwd = join(other, 'workspace');
        await symlink(real, cwd);
        await symlink('a.yaml', join(real, 'k8s/link.yaml'));
        await symlink(join(real, 'k8s'), join(real, 'links'));
        await expect(read(['k8s'], cwd)).resolves.toHaveLength(2);
        await expect(read([join(real, 'k8s/a.yaml')], cwd)).resolves.toHaveLength(1);
        await expect(read(['links/a.yaml'], cwd)).resolves.toHaveLength(1);
        await expect(configMapsFromFiles(['c=k8s/link.yaml'], cwd)).resolves.toHaveLength(1);
      }),
    );
  });

  test('in a folder outside that an input names, and not out of that', async () => {
    await inFolder(files, (cwd) =>
      inFolder({ 'out/real/b.yaml': object('b'), 'passwd.yaml': object('p') }, async (temp) => {
        const out = join(temp, 'out');
        await symlink('real/b.yaml', join(out, 'link.yaml'));
        await expect(read([out], cwd)).resolves.toHaveLength(2);
        await expect(read([join(out, 'link.yaml')], cwd)).resolves.toHaveLength(1);
        await symlink('../passwd.yaml', join(out, 'other.yaml'));
        for (const source of [out, join(out, 'other.yaml'), join(out, '*.yaml')]) {
          expect((await refusal([source], cwd)).message).toContain(`points outside "${out}" through a symbolic link`);
        }
      }),
    );
  });

  test('loops end, and a link that leads nowhere is named', async () => {
    await inFolder(files, async (cwd) => {
      await symlink('.', join(cwd, 'k8s/one'));
      await symlink('..', join(cwd, 'k8s/two'));
      await symlink('loop.yaml', join(cwd, 'loop.yaml'));
      await expect(read(['k8s'], cwd)).resolves.toHaveLength(1);
      await expect(read(['k8s/**/*.yaml'], cwd)).resolves.toHaveLength(1);
      expect((await refusal(['loop.yaml'], cwd)).message).toBe(
        'the input "manifests" names "loop.yaml", a broken symbolic link',
      );
    });
  });
});

describe('what is too much is refused with the limit', () => {
  test('a file of gigabytes, which is not read', async () => {
    await inFolder({ 'a.yaml': '' }, async (cwd) => {
      await truncate(join(cwd, 'a.yaml'), 5_000_000_000);
      expect((await refusal(['a.yaml'], cwd)).message).toBe(
        '"a.yaml" is too large (4768.4 MiB): the limit for one file of manifests is 16 MiB',
      );
      await expect(configMapsFromFiles(['c=a.yaml'], cwd)).rejects.toThrow(/is too large .* is 1 MiB$/);
    });
  });

  test('files that are too much together', async () => {
    const text = `${object('a')}data:\n${`  # ${'x'.repeat(100)}\n`.repeat(115_000)}`;
    await inFolder({ 'a.yaml': text, 'b.yaml': text, 'c.yaml': text }, async (cwd) => {
      const { message } = await refusal(['.'], cwd);
      expect(message).toMatch(
        /^the manifests up to "c\.yaml" have 3\d(?:\.\d)? MiB: the limit for all manifests together is 32 MiB$/,
      );
    });
  });

  // Millions of values are copied: what is a few seconds alone takes a minute beside everything else.
  test('aliases that are too much only together', async () => {
    const laugh = (name: string) =>
      `${object(name)}x0: &x0 [${'l,'.repeat(10)}l]\n` +
      Array.from({ length: 4 }, (_, index) => `x${index + 1}: &x${index + 1} [${`*x${index},`.repeat(20)}l]`).join(
        '\n',
      );
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}.yaml`, laugh(`f${index}`)]));
    await inFolder(many, async (cwd) => {
      await expect(read(['f0.yaml'], cwd)).resolves.toHaveLength(1);
      const thrown: unknown = await read(['.'], cwd).catch((error: unknown) => error);
      expect(problemsIn(thrown)[0]?.message).toContain(
        'its aliases make it too large: the limit for manifests with their aliases expanded is 128 MiB',
      );
    });
  }, 180_000);

  test('one long text by many aliases', async () => {
    const text = `${object('a')}data:\n  a: &a "${'x'.repeat(1_000_000)}"\n${Array.from({ length: 500 }, (_, index) => `  k${index}: *a\n`).join('')}`;
    await inFolder({ 'a.yaml': text }, async (cwd) => {
      expect((await refusal(['a.yaml'], cwd)).message).toContain('the limit for manifests with their aliases expanded');
    });
  });

  test('nesting without end', async () => {
    await inFolder({ 'a.yaml': `${object('a')}x: ${'['.repeat(100_000)}` }, async (cwd) => {
      expect((await refusal(['a.yaml'], cwd)).message).toContain('nesting exceeded maxDepth (100)');
    });
  });

  test('too many objects', async () => {
    const items = Array.from({ length: 10_001 }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `c${index}` },
    }));
    await inFolder({ 'a.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) }, async (cwd) => {
      expect((await refusal(['a.json'], cwd)).message).toBe(
        'the manifests hold 10001 objects: the limit for objects in the manifests is 10,000',
      );
    });
  });

  test.each(['{a,b}'.repeat(18), '{1..1000000}', '{1..2000}/{1..2000}.yaml', '{'.repeat(30) + 'a,b' + '}'.repeat(30)])(
    'a pattern that stands for too many: %s',
    async (pattern) => {
      await inFolder(files, async (cwd) => {
        expect((await refusal([`${pattern}.yaml`], cwd)).message).toContain(
          'is too broad: the limit for the patterns that one with braces expands to is 1,000',
        );
      });
    },
  );

  test('the places of many objects in a file of millions of lines are found in time', async () => {
    const items = Array.from({ length: 5_000 }, (_, index) => object(`c${index}`)).join('---\n');
    await inFolder({ 'a.yaml': `${items}${'\n'.repeat(10_000_000)}` }, async (cwd) => {
      const took = await cpuTimeOf(async () => {
        expect((await read(['a.yaml'], cwd)).at(-1)?.source.line).toBe(1 + 4_999 * 5);
      });
      expect(took).toBeLessThan(SQUARE_MS);
    });
  });
});
