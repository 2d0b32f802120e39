/** What repositories and runners of Windows bring: CRLF, a byte order mark, backslashes, `.exe`. */
import { join, win32 } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { findProgram } from '../../../../src/action/find-program.ts';
import { readInputs } from '../../../../src/action/inputs.ts';
import { InvalidInput } from '../../../../src/base/errors.ts';
import { readKubeconfig } from '../../../../src/kubernetes/connect/kubeconfig.ts';
import { configMapsFromFiles } from '../../../../src/manifests/read/config-files.ts';
import { plainFiles } from '../../../../src/manifests/read/files.ts';
import { readSources } from '../../../../src/manifests/read/index.ts';
import { nameOf } from '../../../../src/manifests/read/inside.ts';
import { parseManifests } from '../../../../src/manifests/read/yaml.ts';
import { parseChecks } from '../../../../src/verify/parse.ts';
import { inFolder } from '../build.ts';

const crlf = (text: string) => text.replaceAll('\n', '\r\n');

const manifests = `# two objects
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data:
  kept: |
    one
    two
  folded: >-
    three
    four
  quoted: "five
    six"
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: b
data:
  number: "1"
`;

describe('line ends of Windows', () => {
  test('manifests hold the same, values of several lines too', () => {
    const objects = (text: string) => parseManifests(text, 'a.yaml').map(({ object }) => object);
    expect(objects(`\ufeff${crlf(manifests)}`)).toEqual(objects(manifests));
  });

  test('an error is at the same line', () => {
    const broken = manifests.replace('"1"', '1');
    const problem = (text: string) => {
      try {
        return parseManifests(text, 'a.yaml');
      } catch (error) {
        return error instanceof InvalidInput ? { message: error.message, location: error.location } : error;
      }
    };
    expect(problem(crlf(broken))).toEqual(problem(broken));
    expect(problem(crlf(broken))).toMatchObject({ location: { line: 21 } });
  });

  test.each([
    ['lines', '/healthz\n# the version\nservice/web:80/version json .version == {version}\n'],
    ['a list', '- /healthz\n- path: /predict\n  headers:\n    X-Team: shop\n  send: |\n    a\n    b\n'],
  ])('checks of "verify" are the same, as %s', (_, text) => {
    expect(JSON.stringify(parseChecks(crlf(text)))).toBe(JSON.stringify(parseChecks(text)));
  });

  test('inputs of several lines are the same', () => {
    const lists = {
      INPUT_MANIFESTS: 'a/\nb/\n',
      INPUT_IMAGES: 'acme/web:1\nacme/worker:2\n',
      INPUT_REPLICAS: 'a=1\nb=2',
    };
    const wrapped = Object.fromEntries(Object.entries(lists).map(([name, text]) => [name, crlf(text)]));
    expect(readInputs(wrapped)).toEqual(readInputs(lists));
  });

  test('a kubeconfig is read, as a text and as a file', async () => {
    const text = crlf(
      'clusters:\n  - name: one\n    cluster: { server: "https://203.0.113.7" }\ncontexts: [{ name: here }]\n',
    );
    const expected = [{ name: 'one', cluster: { server: 'https://203.0.113.7' } }];
    expect(readKubeconfig(text, '/nowhere').clusters).toEqual(expected);
    await inFolder({ config: text }, (cwd) => {
      expect(readKubeconfig('config', cwd).clusters).toEqual(expected);
      return Promise.resolve();
    });
  });

  test('a config file stays what it is, byte for byte, as with kubectl', async () => {
    await inFolder({ 'app.conf': 'a=1\r\nb=2\r\n' }, async (cwd) => {
      const [made] = await configMapsFromFiles(['app=app.conf'], cwd);
      expect(made?.object['data']).toEqual({ 'app.conf': 'a=1\r\nb=2\r\n' });
    });
  });
});

describe('paths of Windows', () => {
  test('a file is named with slashes, as annotations and messages need it', () => {
    const cwd = String.raw`D:\a\shop\shop`;
    expect(nameOf(String.raw`D:\a\shop\shop\k8s\web.yaml`, cwd, win32)).toBe('k8s/web.yaml');
    expect(nameOf(cwd, cwd, win32)).toBe('.');
    expect(nameOf(String.raw`D:\a\_temp\out.yaml`, cwd, win32)).toBe('D:/a/_temp/out.yaml');
    expect(nameOf(String.raw`C:\out.yaml`, cwd, win32)).toBe('C:/out.yaml');
  });

  test('a name on Linux keeps its backslash', () => {
    expect(nameOf('/work/a\\b.yaml', '/work')).toBe('a\\b.yaml');
  });

  test.each([
    ['manifests', (cwd: string) => readSources([String.raw`k8s\deep\web.yaml`], cwd, [plainFiles])],
    ['configmaps', (cwd: string) => configMapsFromFiles([String.raw`web=k8s\deep\web.yaml`], cwd)],
  ])('a path with backslashes in %s is told how to be written on this runner', async (_, read) => {
    await inFolder({ 'k8s/deep/web.yaml': manifests }, async (cwd) => {
      await expect(read(cwd)).rejects.toMatchObject({ hint: 'Did you mean "k8s/deep/web.yaml"?' });
    });
  });

  test('a program is found with the ending that it has there', async () => {
    await inFolder({ 'bin/plugin.exe': '', 'bin/plugin.txt': '' }, (cwd) => {
      const folders = [join(cwd, 'none'), join(cwd, 'bin')];
      expect(findProgram('plugin', { PATH: folders.join(';') }, 'win32')).toBe(join(cwd, 'bin', 'plugin.exe'));
      expect(findProgram('other', { PATH: folders.join(';') }, 'win32')).toBeUndefined();
      return Promise.resolve();
    });
  });
});
