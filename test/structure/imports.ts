import { dirname, join } from 'node:path';

import ts from 'typescript';

import { pathOf, within } from './sources.ts';

/** Which files of `src/` each of them imports from, whatever it takes from there: types count like everything else. */
export function importsOf(files: readonly ts.SourceFile[]): Map<string, string[]> {
  return new Map(files.map((file) => [pathOf(file), [...new Set(specifiersIn(file))].flatMap(inside(file)).sort()]));
}

function* specifiersIn(file: ts.SourceFile): Iterable<string> {
  for (const node of within(file)) {
    const specifier = specifierOf(node);
    if (specifier !== undefined && ts.isStringLiteral(specifier)) yield specifier.text;
  }
}

/** `import … from`, `export … from`, `import(…)` of a value and of a type. */
function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier;
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  const isImport = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
  return isImport ? node.arguments[0] : undefined;
}

function inside(file: ts.SourceFile): (specifier: string) => string[] {
  return (specifier) => (specifier.startsWith('.') ? [join(dirname(pathOf(file)), specifier)] : []);
}

/** Whether it reads code when it runs, by `import(…)`, `require(…)` or `createRequire(…)`. */
export function loadsLate(file: ts.SourceFile): boolean {
  const calls = [...within(file)].filter(ts.isCallExpression);
  return calls.some(
    ({ expression }) =>
      expression.kind === ts.SyntaxKind.ImportKeyword ||
      (ts.isIdentifier(expression) && ['require', 'createRequire'].includes(expression.text)),
  );
}

/** Whether it has an `await` outside of all functions. */
export function waitsAtTop(file: ts.SourceFile): boolean {
  return [...within(file)].some((node) => isWait(node) && ts.findAncestor(node, ts.isFunctionLike) === undefined);
}

function isWait(node: ts.Node): boolean {
  return ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined);
}

/** The shortest way from each file back to itself, each circle once: `a.ts → b.ts → a.ts`. */
export function circlesOf(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const known = new Set<string>();
  const circles: string[] = [];
  for (const start of imports.keys()) {
    const circle = wayBack(start, imports);
    const members = [...new Set(circle)].sort().join(' ');
    if (circle === undefined || known.has(members)) continue;
    known.add(members);
    circles.push(circle.join(' → '));
  }
  return circles;
}

function wayBack(start: string, imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const seen = new Set<string>();
  const ways = [[start]];
  for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
    for (const next of imports.get(way.at(-1) ?? '') ?? []) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      ways.push([...way, next]);
    }
  }
  return undefined;
}
