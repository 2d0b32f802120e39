/**
 * Who wrote what `dist/` holds, and the terms under which it may be passed on. What is in there comes from the source maps of the
 * bundle, for the bundler's own list knows CommonJS modules only.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package with the texts that its licence wants to see wherever it is passed on. */
export interface BundledPackage {
  name: string;
  version: string;
  /** SPDX, as the package says it. */
  license: string;
  texts: readonly string[];
}

/** Packages that another one carries within its own files, where no source map tells of them. */
const carried: Readonly<Record<string, readonly string[]>> = {
  'jsonpath-plus': ['jsep', '@jsep-plugin/assignment', '@jsep-plugin/regex'],
};

/** The folders, from the root of the repository, of the packages whose modules a source map names; sorted by name. */
export function packageFolders(sources: readonly string[]): string[] {
  const folders = sources.flatMap((source) => {
    const found = /(?:^|\/)(?<folder>node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(source);
    return found?.groups?.['folder'] ?? [];
  });
  return [...new Set(folders.flatMap((folder) => [folder, ...carriedBy(folder)]))].sort();
}

function carriedBy(folder: string): string[] {
  const inlined = carried[folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length)] ?? [];
  return inlined.map((name) => `node_modules/${name}`);
}

/**
 * What a package says of itself, and the texts of its licence and notices.
 * @throws when it has no such text: somebody must find it before the package can be passed on.
 */
export function readPackage(root: string, folder: string): BundledPackage {
  const path = join(root, folder);
  const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Record<string, unknown>;
  const { name, version, license } = manifest;
  if (typeof name !== 'string' || typeof version !== 'string' || typeof license !== 'string') {
    throw new Error(`"${folder}/package.json" lacks a name, a version or a license`);
  }
  const files = existsSync(path) ? readdirSync(path) : [];
  const texts = files
    .filter((file) => /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i.test(file))
    .sort()
    .map((file) => readFileSync(join(path, file), 'utf8').replaceAll('\r\n', '\n').trim());
  if (texts.length === 0) throw new Error(`"${folder}" has no text of its license; it cannot be bundled without one`);
  return { name, version, license, texts };
}

/** One part for each package: a line with its name, version and license, and its texts. */
export function licenseFile(packages: readonly BundledPackage[]): string {
  return packages
    .map(({ name, version, license, texts }) => `${rule}\n${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`)
    .join('\n');
}

/** The names of the packages of such a file. */
export function packagesOf(text: string): string[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => (lines[at - 1] === rule ? line.replace(/ .*$/, '') : []));
}

const rule = '='.repeat(80);
