import { chmod, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../../src/base/errors.ts';
import { plainFiles } from '../../../../src/manifests/read/files.ts';
import { manifestSources, readSources } from '../../../../src/manifests/read/index.ts';
import { kustomizedFolders } from '../../../../src/manifests/read/kustomize.ts';
import type { ManifestSource } from '../../../../src/manifests/read/source.ts';
import { silentReporter } from '../../../support/silent-reporter.ts';
import { inFolder, problemsIn } from '../build.ts';

const sample = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

const files = {
  'k8s/b.yaml': sample('b'),
  'k8s/a.yml': sample('a'),
  'k8s/deep/c.json': JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' } }),
  'k8s/README.md': '# no manifest',
  'k8s/.hidden.yaml': sample('hidden'),
  'k8s/.git/d.yaml': sample('git'),
  'apps/one/e.yaml': sample('e'),
  'apps/two/f.yaml': sample('f'),
  'apps/none/readme.txt': 'nothing',
  'odd [1].yaml': sample('odd'),
  'template.tpl': sample('t'),
  'empty.yaml': '# nothing\n---\n',
  'empty/g.yaml': '',
};

/** What kustomize makes of a folder: an object that is called like it. */
const read = (lines: string[], cwd: string) =>
  readSources(lines, cwd, [
    kustomizedFolders((path) => Promise.resolve(sample(`built-${basename(path)}`))),
    plainFiles,
  ]);

const namesOf = (sources: string[], more: Record<string, string> = {}) =>
  inFolder({ ...files, ...more }, async (cwd) => (await read(sources, cwd)).map(({ object }) => object.metadata.name));

const kustomized = { 'base/kustomization.yaml': 'resources: [d.yaml]\n', 'base/d.yaml': sample('d') };

describe('readSources reads', () => {
  test.each(['base', 'base/', 'base/kustomization.yaml'])(
    'what kustomize builds: %s (k8s-deploy R19)',
    async (source) => {
      await inFolder(kustomized, async (cwd) => {
        const [built, ...more] = await read([source], cwd);
        expect(built?.object.metadata.name).toBe('built-base');
        expect(built?.source.file).toBe('base/kustomization.yaml (as built)');
        expect(more).toEqual([]);
      });
    },
  );

  test.each<[string, string[], string[]]>([
    ['a file', ['k8s/b.yaml'], ['b']],
    ['a file of any extension, when it is named', ['template.tpl'], ['t']],
    ['a file with brackets in its name', ['odd [1].yaml'], ['odd']],
    ['a folder and those below it, by path, without hidden files', ['k8s/'], ['a', 'b', 'c']],
    ['a hidden folder, when it is named', ['k8s/.git'], ['git']],
    ['a glob, by path (Azure/k8s-deploy#9)', ['k8s/*.y*ml'], ['a', 'b']],
    ['a glob through folders', ['k8s/**/*.json'], ['c']],
    ['a glob that matches files and folders', ['k8s/*'], ['a', 'b', 'c']],
    ['a glob that matches folders', ['apps/*'], ['e', 'f']],
    ['a glob without what is hidden', ['k8s/**/*.yaml'], ['b']],
    ['a glob with what is hidden, when it names that', ['k8s/.*/*.yaml'], ['git']],
    ['alternatives', ['apps/{two,one}/*.yaml'], ['e', 'f']],
    [
      'sources in the given order, each file once',
      ['k8s/b.yaml', './k8s', 'k8s/*.yaml', 'apps/one'],
      ['b', 'a', 'c', 'e'],
    ],
    ['past files without objects, as long as there are some', ['empty.yaml', 'k8s/a.yml', 'empty/'], ['a']],
    ['lines with blanks around them', ['  k8s/a.yml ', ''], ['a']],
  ])('%s', async (_, sources, expected) => {
    await expect(namesOf(sources)).resolves.toStrictEqual(expected);
  });

  test('files outside of the workspace (Azure/k8s-deploy#553)', async () => {
    await inFolder({ 'out.yaml': sample('out') }, async (temp) => {
      await inFolder({}, async (cwd) => {
        const [byName] = await read([join(temp, 'out.yaml')], cwd);
        expect(byName?.source.file).toBe(join(temp, 'out.yaml'));
        await expect(read([join(temp, '*.yaml')], cwd)).resolves.toHaveLength(1);
        await expect(read([temp], cwd)).resolves.toHaveLength(1);
      });
    });
  });

  test('links to files, but goes through none to a folder and past those that lead nowhere', async () => {
    await inFolder({ 'k8s/a.yaml': sample('a'), 'other/b.yaml': sample('b') }, async (cwd) => {
      await symlink(join(cwd, 'other/b.yaml'), join(cwd, 'k8s/link.yaml'));
      await symlink(cwd, join(cwd, 'k8s/loop'));
      await symlink(join(cwd, 'nowhere'), join(cwd, 'k8s/broken.yaml'));
      await expect(read(['k8s'], cwd)).resolves.toHaveLength(2);
      await expect(read(['k8s/*.yaml'], cwd)).resolves.toHaveLength(2);
    });
  });

  test('paths as annotations need them', async () => {
    await inFolder(files, async (cwd) => {
      const [found] = await read(['./apps/../k8s/b.yaml'], cwd);
      expect(found?.source.locate(['metadata', 'name'])).toStrictEqual({ file: 'k8s/b.yaml', line: 4, column: 3 });
    });
  });
});

describe('readSources refuses', () => {
  test.each<[string, string[], RegExp, RegExp]>([
    [
      'a file that is not there (Azure/k8s-deploy#33)',
      ['k8s/d.yml'],
      /^the input "manifests" names "k8s\/d\.yml", which matches no file: "k8s" has .*a\.yml, b\.yaml, deep$/,
      /^Did you mean "k8s\/a\.yml"\?$/,
    ],
    ['a folder that is not there', ['kates/web/'], /there is no folder "kates"$/, /checks out the repository\.$/],
    [
      'a glob without match (Azure/k8s-deploy#9)',
      ['k8s/*.toml'],
      /"k8s\/\*\.toml", which matches no file: "k8s" has .*README\.md, a\.yml/,
      /./,
    ],
    ['a glob below a folder that is not there', ['kates/**/*.yaml'], /there is no folder "kates"$/, /./],
    [
      'a folder without manifests',
      ['apps/none'],
      /the folder "apps\/none" has no \.yaml, \.yml or \.json files: it has readme\.txt$/,
      /./,
    ],
    [
      'sources without any object (Azure/k8s-deploy#33)',
      ['empty.yaml', 'empty'],
      /there are no Kubernetes objects in "empty\.yaml", "empty\/g\.yaml"$/,
      /./,
    ],
    ['no sources at all', ['', ' '], /there are no Kubernetes objects in the input "manifests"$/, /./],
    ['a URL', ['https://r.test/a.yaml'], /names the URL "https:\/\/r\.test\/a\.yaml"/, /Download it/],
  ])('%s', async (_, sources, message, hint) => {
    await inFolder(files, async (cwd) => {
      const error = await read(sources, cwd).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InvalidInput);
      expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.stringMatching(hint) });
    });
  });

  test.each(['base/*.yaml', '*', '.'])('what may be meant to be built or not: %s (k8s-deploy R19)', async (source) => {
    await inFolder(kustomized, async (cwd) => {
      await expect(read([source], cwd)).rejects.toMatchObject({
        message: `"${source}" holds "base/kustomization.yaml", and it is not clear whether to build it`,
        hint: expect.stringContaining('Use the folder itself ("base")'),
      });
    });
  });

  test('all broken files together', async () => {
    await inFolder({ 'a.yaml': 'a: b: c', 'b.yaml': '- x\n---\n5\n', 'c.yaml': sample('c') }, async (cwd) => {
      const error = await read(['.'], cwd).catch((thrown: unknown) => thrown);
      expect(problemsIn(error).map(({ location }) => `${location?.file ?? ''}:${location?.line ?? 0}`)).toStrictEqual([
        'a.yaml:1',
        'b.yaml:1',
        'b.yaml:3',
      ]);
    });
  });

  test('a file that is a folder of that name without manifests', async () => {
    await inFolder({ 'a.yaml/.keep': '' }, async (cwd) => {
      await chmod(join(cwd, 'a.yaml'), 0o755);
      await expect(read(['a.yaml'], cwd)).rejects.toThrow('has no .yaml, .yml or .json files: it has no files');
    });
  });
});

describe('a source of another kind', () => {
  /** What a folder with a recipe comes to: an object that is called like it. */
  const recipes: ManifestSource = {
    matches: (file) => basename(file) === 'recipe.yaml',
    isWholeFolder: true,
    read: ({ path, name }) => ({ text: sample(basename(dirname(path))), name: `${name} (cooked)` }),
  };
  const recipeFolder = { 'soup/recipe.yaml': 'a: b', 'soup/parts/carrot.yaml': sample('carrot') };
  const cook = (lines: string[], more: Record<string, string> = {}) =>
    inFolder({ ...recipeFolder, ...more }, (cwd) => readSources(lines, cwd, [recipes, plainFiles]));

  test.each(['soup', 'soup/recipe.yaml'])('reads its folder as a whole: %s', async (line) => {
    const found = await cook([line]);
    expect(found.map(({ object, source }) => [object.metadata.name, source.file])).toEqual([
      ['soup', 'soup/recipe.yaml (cooked)'],
    ]);
  });

  test('leaves other files to the others, in the order in which they are named', async () => {
    const found = await cook(['b.yaml', 'soup', 'a.yaml'], { 'a.yaml': sample('a'), 'b.yaml': sample('b') });
    expect(found.map(({ object }) => object.metadata.name)).toEqual(['b', 'soup', 'a']);
  });

  test.each(['.', '*'])('is not guessed at among other files: %s', async (line) => {
    await expect(cook([line], { 'a.yaml': sample('a') })).rejects.toThrow(
      `"${line}" holds "soup/recipe.yaml", and it is not clear whether to build it`,
    );
  });
});

test.each([
  ['overlay/kustomization.yaml', true],
  ['overlay/kustomization.yml', true],
  ['overlay/Kustomization', true],
  ['overlay/web.yaml', false],
  ['overlay/WEB.JSON', false],
])('of the sources that there are, the first that matches %s reads a whole folder: %s', (file, isWhole) => {
  const sources = manifestSources({ env: {}, reporter: silentReporter });
  expect(sources.find((source) => source.matches(file))?.isWholeFolder).toBe(isWhole);
  expect(sources.find((source) => source.matches('README.md'))).toBeUndefined();
});
