import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { notAFile, readBoundedFile } from '../../base/bounded-file.ts';
import { InvalidInput } from '../../base/errors.ts';
import { describeLimit, limits } from '../../base/limits.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { assertInside, boundsOf, nameOf, withSlashes } from './inside.ts';
import { trimmed } from '../lines.ts';
import { manifestFrom, type Manifest } from '../manifest.ts';
import { textOf } from './text.ts';

/**
 * A ConfigMap for each line `NAME=SOURCE[,SOURCE…]`, where a source is a file, a folder (its files) or `KEY=FILE`, as
 * `kubectl create configmap --from-file` makes it.
 * @throws InvalidInput when a file is missing, a key is not valid, or it is too large
 */
export async function configMapsFromFiles(lines: readonly string[], cwd: string): Promise<Manifest[]> {
  return await Promise.all(
    trimmed(lines).map(async (line) => {
      const { name, entries } = await readLine(line, 'configmaps', cwd);
      const texts = [...entries].map(([key, content]) => [key, textOf(content)] as const);
      const data = Object.fromEntries(texts.filter(([, text]) => text !== undefined));
      const binaryData = Object.fromEntries(
        texts.flatMap(([key, text]) => (text === undefined ? [[key, entries.get(key)?.toString('base64')]] : [])),
      );
      return manifest({
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name },
        ...(Object.keys(data).length === 0 ? {} : { data }),
        ...(Object.keys(binaryData).length === 0 ? {} : { binaryData }),
      });
    }),
  );
}

/** The same for Secrets; `NAME:TYPE=…` sets the type, as in `tls-certs:kubernetes.io/tls=tls/tls.crt,tls/tls.key`. */
export async function secretsFromFiles(lines: readonly string[], cwd: string): Promise<Manifest[]> {
  return await Promise.all(
    trimmed(lines).map(async (line) => {
      const { name, type, entries } = await readLine(line, 'secrets', cwd);
      const data = Object.fromEntries([...entries].map(([key, content]) => [key, content.toString('base64')]));
      return manifest({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, type: type ?? 'Opaque', data });
    }),
  );
}

async function readLine(
  line: string,
  input: string,
  cwd: string,
): Promise<{ name: string; type?: string; entries: Map<string, Buffer> }> {
  const match = /^(?<name>[a-z0-9][a-z0-9.-]*)(?::(?<type>[\w./-]+))?=(?<sources>.+)$/.exec(line)?.groups;
  const { name, type, sources } = match ?? {};
  if (name === undefined || sources === undefined || (type !== undefined && input === 'configmaps')) {
    throw new InvalidInput(`the input "${input}" has "${line}", which is not valid`, {
      hint: 'Write NAME=FILE, NAME=FOLDER or NAME=KEY=FILE, several sources separated by commas.',
    });
  }
  const entries = new Map<string, Buffer>();
  for (const source of sources.split(',').map((text) => text.trim())) {
    for (const [key, path] of await filesOf(source, input, cwd)) {
      if (entries.has(key)) {
        throw new InvalidInput(`the input "${input}" has two files for key "${key}" of "${name}"`, {
          hint: 'Set a different key for one of them with KEY=FILE.',
        });
      }
      await assertInside(path, await boundsOf(pathIn(source), cwd));
      entries.set(key, readBoundedFile(path, `"${nameOf(path, cwd)}" of the input "${input}"`, limits.configFiles));
    }
  }
  const bytes = [...entries.values()].reduce((sum, content) => sum + content.length, 0);
  if (bytes > limits.configFiles.value) {
    throw new InvalidInput(
      `the files of "${name}" in the input "${input}" have ${bytes} bytes: ${describeLimit(limits.configFiles)}`,
      {
        hint: 'Remove large files, or put them on a volume.',
      },
    );
  }
  return { name, entries, ...(type === undefined ? {} : { type }) };
}

async function filesOf(source: string, input: string, cwd: string): Promise<[string, string][]> {
  // No key has a "=", but a path may.
  const [, left = '', right] = /^([^=]*)(?:=(.*))?$/.exec(source) ?? [];
  if (source === '' || left === '' || right === '') {
    throw new InvalidInput(`the input "${input}" has an empty source or key in "${source}"`, {
      hint: 'Write NAME=FILE, NAME=FOLDER or NAME=KEY=FILE, several sources separated by commas.',
    });
  }
  const path = resolve(cwd, right ?? left);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    const parent = dirname(path);
    await assertInside(parent, await boundsOf(pathIn(source), cwd));
    const names = await readdir(parent).catch(() => []);
    if (right !== undefined && (await stat(resolve(cwd, source)).catch(() => undefined)) !== undefined) {
      throw new InvalidInput(
        `the input "${input}" names "${source}", which means the file "${right}" with the key "${left}", and there is no such file`,
        { hint: `For the file "${source}" give the key as well: "KEY=${source}".` },
      );
    }
    const listed = names.length === 0 ? 'is empty or missing' : `has ${names.sort().slice(0, 10).join(', ')}`;
    const meant = await withSlashes(right ?? left, cwd);
    throw new InvalidInput(
      `the input "${input}" names "${source}", but there is no such file: "${relative(cwd, parent) || '.'}" ${listed}`,
      {
        hint: meant === undefined ? 'Fix the path; it is relative to the workspace.' : `Did you mean "${meant}"?`,
      },
    );
  }
  if (found.isFile()) return [[validKey(right === undefined ? basename(path) : left, input), path]];
  if (right !== undefined && found.isDirectory()) {
    throw new InvalidInput(`the input "${input}" has "${source}", but "${right}" is a folder`, {
      hint: 'Give one file after KEY=, or drop the key to use all files in the folder.',
    });
  }
  if (!found.isDirectory()) throw notAFile(`"${nameOf(path, cwd)}" of the input "${input}"`, found);
  await assertInside(path, await boundsOf(pathIn(source), cwd));
  const entries = await readdir(path, { withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  if (files.length === 0) {
    throw new InvalidInput(`the input "${input}" points to the folder "${source}", which has no files`, {
      hint: 'Give the folder that has the files; its subfolders are not read.',
    });
  }
  return files.map((entry): [string, string] => [validKey(entry.name, input), join(path, entry.name)]).sort();
}

/** `KEY=FILE` → `FILE` */
function pathIn(source: string): string {
  return source.split('=', 2)[1] ?? source;
}

function validKey(key: string, input: string): string {
  if (/^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== '.' && !key.startsWith('..')) return key;
  throw new InvalidInput(`the input "${input}" would create the key "${key}", which is not allowed`, {
    hint: 'A key has letters, digits, "-", "_" and ".", and does not start with ".."; set a different one with KEY=FILE.',
  });
}

function manifest(object: KubernetesObject): Manifest {
  return manifestFrom(object, `${object.kind.toLowerCase()} "${object.metadata.name}" from files`);
}
