import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createContext, Script } from 'node:vm';

import { RegExpParser, type AST } from '@eslint-community/regexpp';
import ts from 'typescript';

const root = join(import.meta.dirname, '../..');

export interface Expression {
  /** `src/http/proxy.ts:45` */
  place: string;
  expression: RegExp;
}

/** Every regular expression that is written in `src/`; those that are put together at run time are not among them. */
export function expressionsOfSource(): Expression[] {
  return globSync('src/**/*.ts', { cwd: root })
    .sort()
    .flatMap((file) => expressionsIn(join(root, file)));
}

function expressionsIn(path: string): Expression[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true);
  const found: Expression[] = [];
  const visit = (node: ts.Node) => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
      found.push({
        place: `${relative(root, path)}:${line}`,
        expression: new RegExp(node.text.slice(1, end), node.text.slice(end + 1)),
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Texts of this length in characters, made of what the expression asks for: each part of it again and again. */
export function pumpedTexts(expression: RegExp, length: number): string[] {
  const pattern = new RegExpParser().parsePattern(expression.source, undefined, undefined, {
    unicode: expression.unicode,
  });
  const pumps = new Set<string>(['.a', ' ', '\n', 'a', '"\\', '://']);
  for (const { elements } of alternativesIn(pattern)) {
    const samples = elements.map(sampleOf);
    for (let from = 0; from < samples.length; from += 1) {
      pumps.add(samples.slice(from).join(''));
      for (const size of [1, 2, 3]) pumps.add(samples.slice(from, from + size).join(''));
    }
    for (let to = 1; to < samples.length; to += 1) pumps.add(samples.slice(0, to).join(''));
  }
  const whole = sampleOf(pattern);
  return [...pumps]
    .filter((pump) => pump !== '')
    .flatMap((pump) => {
      const many = pump.repeat(Math.ceil(length / pump.length)).slice(0, length);
      return [many, `${whole}${many}\u0000`];
    });
}

function alternativesIn(node: AST.Pattern | AST.Element | AST.Alternative): AST.Alternative[] {
  switch (node.type) {
    case 'Alternative':
      return [node, ...node.elements.flatMap(alternativesIn)];
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return node.alternatives.flatMap(alternativesIn);
    case 'Assertion':
      return 'alternatives' in node ? node.alternatives.flatMap(alternativesIn) : [];
    case 'Quantifier':
      return alternativesIn(node.element);
    default:
      return [];
  }
}

/** The shortest text that an expression takes, by its first alternatives. */
function sampleOf(node: AST.Pattern | AST.Element): string {
  switch (node.type) {
    case 'Pattern':
    case 'Group':
    case 'CapturingGroup':
      return (node.alternatives[0]?.elements ?? []).map(sampleOf).join('');
    case 'Quantifier':
      return sampleOf(node.element).repeat(Math.max(1, node.min));
    case 'Character':
      return String.fromCodePoint(node.value);
    case 'CharacterSet':
    case 'CharacterClass':
      return memberOf(node.raw);
    default:
      return '';
  }
}

function memberOf(raw: string): string {
  const taken = new RegExp(`^${raw}$`);
  const all = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code));
  return ['a', '0', ' ', ...all].find((character) => taken.test(character)) ?? '';
}

const judged = createContext({ text: '', expression: /x/ });
const judging = new Script("text.replace(expression, '')");

/** How long the expression takes for the text, in milliseconds of computing; infinite where that is over the limit. */
export function timeTaken(expression: RegExp, text: string, limitMs: number): number {
  Object.assign(judged, { text, expression });
  const before = process.cpuUsage();
  try {
    judging.runInContext(judged, { timeout: limitMs });
  } catch {
    return Infinity;
  }
  return process.cpuUsage(before).user / 1000;
}
