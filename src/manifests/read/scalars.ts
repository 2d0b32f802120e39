import { FAILSAFE_SCHEMA, NOT_RESOLVED, defineScalarTag, mergeTag, type Schema } from 'js-yaml';

/**
 * The meaning that kubectl gives a plain scalar (sigs.k8s.io/yaml, a fork of go-yaml v2): YAML 1.1 with octal `0644` and
 * `0o644`, `yes`, `on` and `y` as booleans, and `_` between digits; but times of day and dates stay strings, and so does a
 * number too large for a double.
 */
function resolvePlain(text: string): null | boolean | number | string {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(?:y|Y|yes|Yes|YES|true|True|TRUE|on|On|ON)$/.test(text)) return true;
  if (/^(?:n|N|no|No|NO|false|False|FALSE|off|Off|OFF)$/.test(text)) return false;
  if (!/^[-+.\d]/.test(text)) return text;
  // kubectl refuses these too; as numbers they reach the check for what JSON can hold.
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return NaN;
  const plain = text.replaceAll('_', '');
  return integer(plain) ?? float(plain) ?? text;
}

function integer(text: string): number | undefined {
  const { sign, digits } = /^(?<sign>[-+]?)(?<digits>\w+)$/.exec(text)?.groups ?? {};
  if (digits === undefined) return undefined;
  const factor = sign === '-' ? -1 : 1;
  if (/^0[xX][\da-fA-F]+$|^0[bB][01]+$|^0[oO][0-7]+$/.test(digits)) return factor * Number(digits.toLowerCase());
  if (/^0[0-7]+$/.test(digits)) return factor * Number.parseInt(digits, 8);
  return /^(?:0|[1-9]\d*)$/.test(digits) ? factor * Number(digits) : undefined;
}

function float(text: string): number | undefined {
  if (!/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** A tag that takes those plain scalars whose meaning is of its kind. */
function tag(name: string, accepts: (value: unknown) => boolean) {
  return defineScalarTag(`tag:yaml.org,2002:${name}`, {
    implicit: true,
    resolve: (text: string) => {
      const value = resolvePlain(text);
      return accepts(value) ? value : NOT_RESOLVED;
    },
    identify: () => false,
  });
}

/** Strings, lists and maps as in all of YAML, plain scalars as kubectl reads them, and merge keys (`<<`). */
export const kubectlSchema: Schema = FAILSAFE_SCHEMA.withTags(
  tag('null', (value) => value === null),
  tag('bool', (value) => typeof value === 'boolean'),
  tag('int', (value) => Number.isInteger(value)),
  tag('float', (value) => typeof value === 'number'),
  mergeTag,
);
