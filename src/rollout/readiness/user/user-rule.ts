import { groupOf, type KubernetesObject } from '../../../kubernetes/object.ts';
import type { Expectation } from './expectation.ts';

/** Which objects a line of the input `await` is about. */
export interface Selector {
  kind: string;
  /** Empty for the core group. */
  group: string;
  /** Absent: all of the kind. */
  name?: string;
}

/** When objects are ready or have failed, in the user's words. Made by `parseUserRules`. */
export interface UserRule extends Selector {
  /** Where it begins in the input, from 1. */
  line: number;
  /** It is not waited for; then nothing is expected of it. */
  isNever: boolean;
  /** All of them hold of an object that is ready; without any, the rule of its kind says when it is. */
  ready: readonly Expectation[];
  /** One that holds is enough. */
  failed: readonly Failing[];
}

export interface Failing {
  line: number;
  expectation: Expectation;
  /** For how long it may hold, ms. */
  graceMs: number;
}

/** The rule that an object is judged by: one for its name counts instead of that for its kind. */
export function userRuleFor(
  rules: readonly UserRule[],
  { apiVersion, kind, metadata }: KubernetesObject,
): UserRule | undefined {
  const group = groupOf(apiVersion);
  const ofKind = rules.filter((rule) => rule.kind === kind && rule.group === group);
  return ofKind.find(({ name }) => name === metadata.name) ?? ofKind.find(({ name }) => name === undefined);
}

/** `Widget.example.com`, `Widget.example.com/main` */
export function describeSelector({ kind, group, name }: Selector): string {
  return `${kind}${group === '' ? '' : `.${group}`}${name === undefined ? '' : `/${name}`}`;
}

/** The rules that are about none of these objects. */
export function idleRules(rules: readonly UserRule[], objects: readonly KubernetesObject[]): UserRule[] {
  return rules.filter(
    ({ kind, group, name }) =>
      !objects.some(
        (object) =>
          object.kind === kind &&
          groupOf(object.apiVersion) === group &&
          (name === undefined || object.metadata.name === name),
      ),
  );
}
