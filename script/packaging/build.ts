/**
 * Bundles `src/index.ts` and everything it needs into `dist/`, which is what runs on a runner.
 * `--check` builds into a temporary folder instead and fails when the committed `dist/` differs.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { minifySync } from '@swc/core';

import { licenseFile, packageFolders, readPackage } from './licenses.ts';

const root = join(import.meta.dirname, '../..');
const dist = join(root, 'dist');

/** What both entry points together may weigh. */
const maxBytes = 1_050_000;

/**
 * It does not declare itself free of side effects, although it is; without that word the bundler keeps an HTTP client that the
 * toolkit needs for a function which we do not call.
 */
const freeOfSideEffects = ['@actions/core'];

function allowTreeShaking(): void {
  for (const name of freeOfSideEffects) {
    const path = join(root, 'node_modules', name, 'package.json');
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (manifest['sideEffects'] === false) continue;
    writeFileSync(path, JSON.stringify({ ...manifest, sideEffects: false }, undefined, 2));
  }
}

function build(target: string): void {
  allowTreeShaking();
  rmSync(target, { recursive: true, force: true });
  const ncc = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js');
  const options = ['--transpile-only', '--no-cache', '--source-map', '--no-source-map-register'];
  const run = spawnSync(process.execPath, [ncc, 'build', 'src/index.ts', '--out', target, ...options], {
    cwd: root,
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`ncc failed:\n${run.stdout}${run.stderr}`);
  writeFileSync(join(target, 'licenses.txt'), licenses(takeSourceMaps(target)));
  refuseLateParts(target);
  minify(target);
  // The other entry: the same program, which knows its role by the name of the file (ADR 2).
  writeFileSync(join(target, 'post.js'), "import './index.js';\n");
}

/** Removes the source maps of a bundle, with the lines that lead to them, and returns the modules that they name. */
function takeSourceMaps(folder: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.js.map'))
    .flatMap((file) => {
      const map = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { sources: string[] };
      rmSync(join(folder, file));
      const script = join(folder, file.slice(0, -'.map'.length));
      writeFileSync(script, readFileSync(script, 'utf8').replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, ''));
      return map.sources;
    });
}

function licenses(sources: readonly string[]): string {
  return licenseFile(packageFolders(sources).map((folder) => readPackage(root, folder)));
}

/** The bundler makes a script of its own for each `import()`, and an undo might not find it any more: ADR 2. */
function refuseLateParts(folder: string): void {
  const late = readdirSync(folder).filter((file) => file.endsWith('.js') && file !== 'index.js');
  if (late.length > 0) throw new Error(`${late.join(', ')} would be loaded late; import statically what is in there`);
}

/** ncc's own way only shortens names, a sixth less. Errors are told by the names of their classes: those stay. */
function minify(folder: string): void {
  const kept = { keep_classnames: true };
  const options = { module: true, compress: { ...kept, ecma: 2020 }, mangle: kept } as const;
  const path = join(folder, 'index.js');
  writeFileSync(path, minifySync(readFileSync(path, 'utf8'), options).code);
}

function contents(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    names
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]),
  );
}

function differences(left: Map<string, string>, right: Map<string, string>): string[] {
  return [...new Set([...left.keys(), ...right.keys()])].filter((name) => left.get(name) !== right.get(name));
}

function codeBytes(folder: string): number {
  return [...contents(folder)]
    .filter(([name]) => name.endsWith('.js'))
    .reduce((sum, [, text]) => sum + Buffer.byteLength(text), 0);
}

function checkSize(folder: string): void {
  const bytes = codeBytes(folder);
  console.log(`figure bundle-bytes ${bytes}`);
  if (bytes > maxBytes) throw new Error(`dist/ holds ${bytes} bytes of code; at most ${maxBytes} are allowed`);
}

try {
  if (process.argv.includes('--check')) {
    const target = mkdtempSync(join(tmpdir(), 'gke-rollout-dist-'));
    try {
      build(target);
      const changed = differences(contents(target), contents(dist));
      if (changed.length > 0) {
        throw new Error(
          `dist/ does not come from src/: ${changed.join(', ')} differ. Run "npm run build" and commit dist/.`,
        );
      }
      checkSize(dist);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  } else {
    build(dist);
    checkSize(dist);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
