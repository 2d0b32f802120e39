import { describe, expect, test } from '@jest/globals';

import { InvalidInput, type Failure } from '../../../../src/base/errors.ts';
import { configMapsFromFiles, secretsFromFiles } from '../../../../src/manifests/read/config-files.ts';
import { plainFiles } from '../../../../src/manifests/read/files.ts';
import { readSources } from '../../../../src/manifests/read/index.ts';
import { parseManifests } from '../../../../src/manifests/read/yaml.ts';
import { inFolder, problemsIn as problemsOf, thrownBy } from '../build.ts';

function problemsIn(work: () => unknown): readonly Failure[] {
  const thrown = thrownBy(work);
  return thrown instanceof InvalidInput ? [thrown] : problemsOf(thrown);
}

const configMap = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: c\ndata:\n${data}\n`;

async function problemOfFile(content: Uint8Array): Promise<string[]> {
  return await inFolder({ 'a.yaml': content }, async (cwd) => {
    try {
      await readSources(['a.yaml'], cwd, [plainFiles]);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const { location, hint } = error as { location?: { file: string; line?: number }; hint?: string };
      return [error.message, `${location?.file ?? ''}:${location?.line ?? ''}`, hint ?? ''];
    }
    return [];
  });
}

describe('a file that is not UTF-8', () => {
  const utf16 = (text: string) => Buffer.from(text, 'utf16le');
  test.each<[string, Buffer]>([
    ['little endian', Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(configMap('  a: b'))])],
    ['big endian', Buffer.concat([Buffer.from([0xfe, 0xff]), utf16(configMap('  a: b')).swap16()])],
    ['without a mark', utf16(configMap('  a: b'))],
    ['big endian without a mark', utf16(configMap('  a: b')).swap16()],
  ])('is named when it is UTF-16, %s', async (_, content) => {
    expect(await problemOfFile(content)).toEqual([
      '"a.yaml" is UTF-16, but manifests are read as UTF-8',
      'a.yaml:',
      expect.stringContaining('Save it as UTF-8'),
    ]);
  });

  test('is named with the line of the first byte that is no text, and no letter is put in its place', async () => {
    const content = Buffer.concat([Buffer.from(configMap('  a: caf')).subarray(0, -1), Buffer.from([0xe9, 0x0a])]);
    expect(await problemOfFile(content)).toEqual([
      '"a.yaml" is not UTF-8 text: it has the byte 0xe9',
      'a.yaml:6',
      expect.stringContaining('Save it as UTF-8'),
    ]);
    expect(await problemOfFile(Buffer.from([0xc3]))).toContain('"a.yaml" is not UTF-8 text: it has the byte 0xc3');
  });

  test('may begin with the mark of UTF-8, and may hold the letter that stands for others', async () => {
    await inFolder({ 'a.yaml': `\ufeff${configMap('  a: "b\ufffd"')}` }, async (cwd) => {
      const [manifest] = await readSources(['a.yaml'], cwd, [plainFiles]);
      expect(manifest?.object).toMatchObject({ apiVersion: 'v1', data: { a: 'b\ufffd' } });
    });
  });
});

describe('a List', () => {
  const list = (rest: string, kind = 'List') => `apiVersion: v1\nkind: ${kind}\n${rest}`;
  test.each<[string, string, string]>([
    ['items that are a number', 'items: 5', 'items of a List in "f.yaml" must be a list, but is the number 5'],
    ['items that are a map', 'items: {}', 'items of a List in "f.yaml" must be a list, but is a map'],
    ['items that are a text', 'items: ""', 'items of a List in "f.yaml" must be a list, but is a string'],
    ['no items', 'item: []', 'a List in "f.yaml" has no items'],
    [
      'a list inside with such items',
      'items: [{apiVersion: v1, kind: List, items: true}]',
      'items of a List in "f.yaml" must be a list, but is the boolean true',
    ],
  ])('with %s is an error at its line', (_, rest, message) => {
    const [problem, ...others] = problemsIn(() => parseManifests(list(rest), 'f.yaml'));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ message, location: { file: 'f.yaml' } });
    expect(problem?.hint).toContain('"items:"');
  });

  test('of one kind is one as well', () => {
    const [problem] = problemsIn(() => parseManifests(list('items: 5', 'ConfigMapList'), 'f.yaml'));
    expect(problem?.message).toBe('items of a ConfigMapList in "f.yaml" must be a list, but is the number 5');
  });

  test('with an entry that is empty is an error, and all others are looked at', () => {
    const found = problemsIn(() => parseManifests(list('items:\n- \n- 5\n- {}'), 'f.yaml'));
    expect(found.map(({ location }) => location?.line)).toEqual([4, 5, 6]);
  });

  test('without entries holds nothing', () => {
    expect(parseManifests(list('items: []'), 'f.yaml')).toEqual([]);
    expect(parseManifests(list('items: null'), 'f.yaml')).toEqual([]);
  });
});

describe('a value that no field of Kubernetes can have', () => {
  test.each<[string, string, string]>([
    ['!!binary', '!!binary aGVsbG8=', '"binaryData"'],
    ['!!set', '!!set {x, y}', 'Remove the tag'],
    ['!!timestamp', '!!timestamp 2001-01-01', 'Remove the tag'],
    ['!!js/function', '!!js/function "x"', 'Remove the tag'],
    ['a tag of somebody', '!Ref x', 'Remove the tag'],
  ])('%s is an error at its line with what to do', (_, value, hint) => {
    const [problem, ...others] = problemsIn(() => parseManifests(configMap(`  a: ${value}`), 'f.yaml'));
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ location: { file: 'f.yaml', line: 6 }, hint: expect.stringContaining(hint) });
    expect(problem?.message).toContain('tag');
  });

  test('half of a letter is an error, and the whole is none', () => {
    const half = problemsIn(() => parseManifests(configMap('  a: "\\ud83d"'), 'f.yaml'));
    expect(half).toHaveLength(1);
    expect(half[0]).toMatchObject({
      message: 'data.a of ConfigMap "c" has half a character, such as a lone "\\ud83d"',
      location: { line: 6 },
    });
    expect(problemsIn(() => parseManifests(configMap('  "\\ud83d": a'), 'f.yaml'))).toHaveLength(1);
    expect(parseManifests(configMap('  a: "\\ud83d\\ude00"'), 'f.yaml')[0]?.object).toMatchObject({
      data: { a: '😀' },
    });
  });

  test('a namespace that is a number is an error', () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: c, namespace: 5 }\n';
    expect(problemsIn(() => parseManifests(text, 'f.yaml'))[0]?.message).toContain('metadata.namespace');
  });
});

describe('the inputs "configmaps" and "secrets"', () => {
  const files = { 'f.txt': 'text', 'k=v.txt': 'equal', 'u16.txt': new Uint8Array([0xff, 0xfe, 0x61, 0]) };
  const textOf = (value: unknown) => JSON.stringify(value);

  test('keep keys that every object of JavaScript inherits', async () => {
    await inFolder(files, async (cwd) => {
      const line = 'c=__proto__=f.txt,constructor=f.txt,toString=u16.txt';
      const [config] = await configMapsFromFiles([line], cwd);
      expect(textOf(config?.object['data'])).toBe('{"__proto__":"text","constructor":"text"}');
      expect(textOf(config?.object['binaryData'])).toBe('{"toString":"//5hAA=="}');
      const [secret] = await secretsFromFiles(['c=__proto__=f.txt'], cwd);
      expect(textOf(secret?.object['data'])).toBe('{"__proto__":"dGV4dA=="}');
    });
  });

  test('read all behind the first "=" of a source as the path of the file', async () => {
    await inFolder(files, async (cwd) => {
      const [config] = await configMapsFromFiles(['c=key=k=v.txt'], cwd);
      expect(config?.object['data']).toEqual({ key: 'equal' });
    });
  });

  test('say how to name a file with a "=" in its name', async () => {
    await inFolder(files, async (cwd) => {
      await expect(configMapsFromFiles(['c=k=v.txt'], cwd)).rejects.toMatchObject({
        message:
          'the input "configmaps" names "k=v.txt", which means the file "v.txt" with the key "k", and there is no such file',
        hint: 'For the file "k=v.txt" give the key as well: "KEY=k=v.txt".',
      });
    });
  });
});
