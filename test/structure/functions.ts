import ts from 'typescript';

import { pathOf, within } from './sources.ts';

export interface FunctionSize {
  /** `src/commands/roll-out.ts rollOut`; of one without a name the name of what it stands in, with a `>`. */
  name: string;
  /** From its first line to its last, the functions within it included, its docstring not. */
  lines: number;
  parameters: number;
}

export function functionsOf(files: readonly ts.SourceFile[]): FunctionSize[] {
  return files.flatMap((file) => [...functionsIn(file)].map((node) => sizeOf(node, file)));
}

function* functionsIn(file: ts.SourceFile): Iterable<ts.FunctionLikeDeclaration> {
  for (const node of within(file)) if (isFunctionWithBody(node)) yield node;
}

function isFunctionWithBody(node: ts.Node): node is ts.FunctionLikeDeclaration {
  return ts.isFunctionLike(node) && 'body' in node && node.body !== undefined;
}

function sizeOf(node: ts.FunctionLikeDeclaration, file: ts.SourceFile): FunctionSize {
  const line = (position: number) => file.getLineAndCharacterOfPosition(position).line;
  return {
    name: `${pathOf(file)} ${nameOf(node)}`,
    lines: line(node.end) - line(node.getStart(file)) + 1,
    parameters: node.parameters.length,
  };
}

function nameOf(node: ts.Node): string {
  const { parent } = node;
  if (ts.isConstructorDeclaration(node)) return `${nameOf(parent)}.constructor`;
  const name = ts.isFunctionLike(node) || ts.isClassLike(node) ? node.name : undefined;
  if (name !== undefined) return ts.isMethodDeclaration(node) ? `${nameOf(parent)}.${name.getText()}` : name.getText();
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText();
  for (let outer: ts.Node = parent; !ts.isSourceFile(outer); outer = outer.parent) {
    if (isFunctionWithBody(outer)) return `${nameOf(outer)}>`;
  }
  return '>';
}

/** Objects made with `...(x === undefined ? {} : { x })`. */
export function optionalSpreads(files: readonly ts.SourceFile[]): number {
  return files.flatMap((file) => [...within(file)].filter(isOptionalSpread)).length;
}

function isOptionalSpread(node: ts.Node): boolean {
  if (!ts.isSpreadAssignment(node) || !ts.isParenthesizedExpression(node.expression)) return false;
  const { expression } = node.expression;
  const isEmpty = (side: ts.Node) => ts.isObjectLiteralExpression(side) && side.properties.length === 0;
  return ts.isConditionalExpression(expression) && (isEmpty(expression.whenTrue) || isEmpty(expression.whenFalse));
}
