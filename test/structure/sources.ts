import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import ts from 'typescript';

export const root = join(import.meta.dirname, '../..');

/** The files of `src/`, as `src/base/json.ts`. */
export const sourcePaths: readonly string[] = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => `src/${path.split(sep).join('/')}`)
  .sort();

/** They are read, not checked: that is fast, and enough for all that needs no types. */
export function parseSources(): ts.SourceFile[] {
  return sourcePaths.map((path) =>
    ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest, true),
  );
}

/** The files of `src/` with what the compiler knows about their types. */
export function checkSources(): { files: ts.SourceFile[]; checker: ts.TypeChecker } {
  const config = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, include: [] }, ts.sys, root);
  const program = ts.createProgram(
    sourcePaths.map((path) => join(root, path)),
    options,
  );
  const own = new Set(sourcePaths);
  return { files: program.getSourceFiles().filter((file) => own.has(pathOf(file))), checker: program.getTypeChecker() };
}

/** `src/base/json.ts` */
export function pathOf(file: ts.SourceFile): string {
  return file.fileName.startsWith('src/') ? file.fileName : relative(root, file.fileName).split(sep).join('/');
}

/** All nodes below this one, parents first. */
export function* within(node: ts.Node): Iterable<ts.Node> {
  const children: ts.Node[] = [];
  node.forEachChild((child) => {
    children.push(child);
  });
  for (const child of children) {
    yield child;
    yield* within(child);
  }
}
