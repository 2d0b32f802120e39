import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../../src/base/errors.ts';
import { configMapsFromFiles, secretsFromFiles } from '../../../../src/manifests/read/config-files.ts';
import { inFolder } from '../build.ts';

const files = {
  'app.conf': 'a=1\n',
  'conf/one.txt': 'eins ä',
  'conf/two.bin': new Uint8Array([0xff, 0xfe, 0]),
  'conf/deep/three.txt': 'drei',
  'tls/tls.crt': 'certificate',
  'tls/tls.key': 'private',
  'odd name': 'x',
};

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('configMapsFromFiles makes of', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['a file: its name is the key', 'web=app.conf', { data: { 'app.conf': 'a=1\n' } }],
    ['a file with a key', 'web=main=app.conf', { data: { main: 'a=1\n' } }],
    [
      'a folder: its files, not those in folders inside; what is no UTF-8 text becomes binaryData',
      'web=conf',
      { data: { 'one.txt': 'eins ä' }, binaryData: { 'two.bin': '//4A' } },
    ],
    [
      'several sources',
      'web = app.conf, b=conf/one.txt'.replace(' = ', '='),
      { data: { 'app.conf': 'a=1\n', b: 'eins ä' } },
    ],
  ])('%s', async (_, line, content) => {
    await inFolder(files, async (cwd) => {
      const [made, ...others] = await configMapsFromFiles([` ${line} `, ''], cwd);
      expect(others).toStrictEqual([]);
      expect(made?.object).toStrictEqual({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'web' },
        ...content,
      });
    });
  });
});

describe('secretsFromFiles makes', () => {
  test.each([
    ['an Opaque Secret', 'certs=tls/tls.crt,tls/tls.key', 'Opaque'],
    ['a Secret of the given type', 'certs:kubernetes.io/tls=tls', 'kubernetes.io/tls'],
  ])('%s', async (_, line, type) => {
    await inFolder(files, async (cwd) => {
      const [made] = await secretsFromFiles([line], cwd);
      expect(made?.object).toStrictEqual({
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'certs' },
        type,
        data: { 'tls.crt': base64('certificate'), 'tls.key': base64('private') },
      });
    });
  });
});

describe('both refuse', () => {
  test.each<[string, string, RegExp]>([
    [
      'a file that is not there',
      'web=conf/three.txt',
      /names "conf\/three\.txt", but there is no such file: "conf" has deep, one\.txt, two\.bin$/,
    ],
    ['a folder without files', 'web=empty', /points to the folder "empty", which has no files$/],
    ['a key for a folder', 'web=all=conf', /"conf" is a folder$/],
    ['a name that cannot be a key', 'web=odd name', /would create the key "odd name", which is not allowed$/],
    ['a key that begins with dots', 'web=..a=app.conf', /would create the key "\.\.a"/],
    ['two files for one key', 'web=app.conf,app.conf', /two files for key "app\.conf" of "web"$/],
    ['a line without source', 'web=', /has "web=", which is not valid$/],
    ['a line without name', 'app.conf', /has "app\.conf", which is not valid$/],
    ['a comma too many', 'web=app.conf,', /empty source or key/],
    ['an empty key', 'web==app.conf', /empty source or key/],
    ['a name that is no name of an object', 'Web=app.conf', /which is not valid$/],
    [
      'a file that is larger than what the server stores',
      'web=big',
      /"big" of the input "\w+" is too large \(1\.1 MiB\): the limit for the values of one ConfigMap or Secret is 1 MiB$/,
    ],
    [
      'files that are more than the server stores',
      'web=half,other=half',
      /the files of "web" in the input "\w+" have 1048578 bytes: the limit for the values of one ConfigMap or Secret is 1 MiB$/,
    ],
  ])('%s', async (_, line, message) => {
    const [big, half] = ['x'.repeat(1024 * 1024 + 1), 'x'.repeat(512 * 1024 + 1)];
    await inFolder({ ...files, 'empty/deep/x': '', big, half }, async (cwd) => {
      for (const make of [configMapsFromFiles, secretsFromFiles]) {
        const error = await make([line], cwd).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(InvalidInput);
        expect(error).toMatchObject({ message: expect.stringMatching(message), hint: expect.stringMatching(/\.$/) });
      }
    });
  });

  test('a type for a ConfigMap', async () => {
    await expect(configMapsFromFiles(['web:Opaque=app.conf'], '.')).rejects.toThrow(/is not valid/);
  });
});
