/**
 * The texts of the code that a user may come to read: string and template literals that hold words, wherever they go
 * (errors, hints, notes, lines of the log, the summary, action.yml). Found by TypeScript's own parser, by their form: a
 * literal with a letter and a space that is not an import, a type, a key or a debug line.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

import ts from 'typescript';

/** One text: where it starts, and what it says, with `${…}` for what is filled in by an expression. */
export interface UserText {
  file: string;
  line: number;
  text: string;
}

/** All texts of the files below `folder`, by file and line; file names are relative to `root`. */
export function userTexts(root: string, folder: string): UserText[] {
  return sourceFiles(join(root, folder)).flatMap((path) =>
    textsOf(relative(root, path).replaceAll('\\', '/'), readFileSync(path, 'utf8')),
  );
}

/** The texts of one file of TypeScript. */
export function textsOf(file: string, source: string): UserText[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true);
  const found: UserText[] = [];
  const visit = (node: ts.Node): void => {
    if (isLeftOut(node)) return;
    const text = textOf(node);
    if (text !== undefined && hasWords(text)) {
      found.push({ file, line: parsed.getLineAndCharacterOfPosition(node.getStart()).line + 1, text });
    }
    // A sum is one text, so its parts are not listed again; what a template fills in may hold texts of its own.
    if (text === undefined) ts.forEachChild(node, visit);
    else for (const expression of filledIn(node)) visit(expression);
  };
  visit(parsed);
  return found;
}

/** One line of the list. */
export function line({ file, line: number, text }: UserText): string {
  return `${file}:${number}\t${text.replaceAll('\n', String.raw`\n`)}`;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .map((name) => join(folder, name));
}

function isLeftOut(node: ts.Node): boolean {
  return ts.isImportDeclaration(node) || ts.isExportDeclaration(node) || ts.isTypeNode(node) || isDebugLine(node);
}

function isDebugLine(node: ts.Node): boolean {
  return (
    ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'debug'
  );
}

/** What a literal says, or a sum with a literal in it; nothing of any other node. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (ts.isTemplateExpression(node)) {
    return node.head.text + node.templateSpans.map((span) => `\${…}${span.literal.text}`).join('');
  }
  if (!isSum(node)) return undefined;
  const [left, right] = [textOf(node.left), textOf(node.right)];
  if (left === undefined && right === undefined) return undefined;
  return `${left ?? '${…}'}${right ?? '${…}'}`;
}

/** The expressions of a text, which may hold texts themselves. */
function filledIn(node: ts.Node): readonly ts.Expression[] {
  if (ts.isTemplateExpression(node)) return node.templateSpans.map((span) => span.expression);
  if (!isSum(node)) return [];
  return [node.left, node.right].flatMap((part) => (textOf(part) === undefined ? [part] : filledIn(part)));
}

function isSum(node: ts.Node): node is ts.BinaryExpression {
  return ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
}

function hasWords(text: string): boolean {
  return /\p{L}/u.test(text.replaceAll('${…}', '')) && /\S\s+\S|^\s\S|\S\s$/u.test(text);
}
