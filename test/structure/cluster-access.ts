import ts from 'typescript';

import { pathOf, within } from './sources.ts';

const clientFile = 'src/kubernetes/client.ts';
const writes = new Set(['apply', 'create', 'replace', 'patch', 'delete']);

/** The files of `src/` that call a writing method of the client, dry runs aside. */
export function writersOf(files: readonly ts.SourceFile[], checker: ts.TypeChecker): string[] {
  return files
    .filter((file) => [...within(file)].some((node) => isWrite(node, checker) && !isDryRun(node)))
    .map(pathOf)
    .sort();
}

/** Also where the method is only named, and called by somebody else. */
function isWrite(node: ts.Node, checker: ts.TypeChecker): boolean {
  if (!ts.isPropertyAccessExpression(node) && !ts.isBindingElement(node)) return false;
  const name = ts.isBindingElement(node) ? (node.propertyName ?? node.name) : node.name;
  if (!ts.isIdentifier(name) || !writes.has(name.text)) return false;
  const symbol = ts.isBindingElement(node)
    ? checker.getTypeAtLocation(node.parent).getProperty(name.text)
    : checker.getSymbolAtLocation(name);
  return symbol?.declarations?.some(({ parent }) => isClient(parent)) === true;
}

function isClient(node: ts.Node): boolean {
  return ts.isInterfaceDeclaration(node) && node.name.text === 'KubernetesClient' && isIn(node, clientFile);
}

function isIn(node: ts.Node, path: string): boolean {
  return pathOf(node.getSourceFile()) === path;
}

/** Only where `dryRun: true` stands in the call itself. */
function isDryRun({ parent }: ts.Node): boolean {
  if (!ts.isCallExpression(parent)) return false;
  const options = parent.arguments.at(-1);
  return (
    options !== undefined &&
    ts.isObjectLiteralExpression(options) &&
    options.properties.some(
      (property) =>
        ts.isPropertyAssignment(property) &&
        property.name.getText() === 'dryRun' &&
        property.initializer.kind === ts.SyntaxKind.TrueKeyword,
    )
  );
}

/**
 * Those of the files in which something has a client in its hands, be it inside of something else (`context.client`). What looks is
 * left out: a file `look.ts`, and all that bears a name with `look` in front.
 */
export function holdersOfClient(files: readonly ts.SourceFile[], checker: ts.TypeChecker): string[] {
  return files
    .filter((file) => !pathOf(file).endsWith('/look.ts') && holdsClient(file, checker))
    .map(pathOf)
    .sort();
}

function holdsClient(node: ts.Node, checker: ts.TypeChecker): boolean {
  if (ts.isImportDeclaration(node) || looks(node)) return false;
  if (ts.isIdentifier(node) && carriesClient(checker.getTypeAtLocation(node), checker)) return true;
  return ts.forEachChild(node, (child) => holdsClient(child, checker) || undefined) === true;
}

/** A function, a method or a member of a type that is named `look…`. */
function looks(node: ts.Node): boolean {
  const isNamed = ts.isFunctionLike(node) || ts.isVariableDeclaration(node) || ts.isPropertySignature(node);
  return isNamed && node.name !== undefined && /^look(?![a-z])/.test(node.name.getText());
}

function carriesClient(type: ts.Type, checker: ts.TypeChecker): boolean {
  const types = type.isUnionOrIntersection() ? type.types : [type];
  return types.some(
    (one) =>
      isDeclaredAsClient(one) ||
      one.getProperties().some((property) => property.name === 'client' && isOfClient(property, checker)),
  );
}

function isOfClient(property: ts.Symbol, checker: ts.TypeChecker): boolean {
  return isDeclaredAsClient(checker.getTypeOfSymbol(property));
}

function isDeclaredAsClient(type: ts.Type): boolean {
  // A type without a name has no symbol, whatever its declaration says.
  const symbol = type.symbol as ts.Symbol | undefined;
  return symbol?.declarations?.some(isClient) === true;
}
