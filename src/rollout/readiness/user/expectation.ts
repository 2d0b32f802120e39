import { at } from '../../../base/json.ts';
import { formatJsonPath, textAt, type JsonPath } from '../../../base/json-path.ts';
import { shortened } from '../../../base/said.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';

export const operators = ['==', '!=', '>=', '<=', '>', '<'] as const;

export type Operator = (typeof operators)[number];

export const conditionStates = ['True', 'False', 'Unknown'] as const;

/** One thing that an object may show, as the user has written it. */
export type Expectation =
  /** `isText`: it stood between quotes, and is no number whatever it looks like. */
  | { about: 'value'; path: JsonPath; operator: Operator; value: string; isText: boolean }
  | { about: 'presence'; path: JsonPath }
  | {
      about: 'condition';
      type: string;
      operator: '==' | '!=';
      status: (typeof conditionStates)[number];
    };

/** Whether it holds, and what is there: undefined where there is nothing, which never holds. */
export interface Finding {
  holds: boolean;
  found: string | undefined;
}

/** The longest value that messages show. */
const shownLength = 80;

/** What the object shows of it. @param generation a condition that names an older one is not there */
export function lookFor(expectation: Expectation, object: KubernetesObject, generation: number): Finding {
  if (expectation.about === 'condition') {
    const now = condition(object, expectation.type);
    if (now === undefined || (now.observedGeneration ?? generation) < generation)
      return { holds: false, found: undefined };
    return { holds: (now.status === expectation.status) === (expectation.operator === '=='), found: now.status };
  }
  const { path } = expectation;
  // A field that is null is one that nobody has set.
  const found = at(object, ...path) === null ? undefined : textAt(object, path);
  if (found === undefined) return { holds: false, found };
  if (expectation.about === 'presence') return { holds: true, found };
  return { holds: compare(found, expectation), found };
}

function compare(
  found: string,
  { operator, value, isText }: Pick<Extract<Expectation, { about: 'value' }>, 'operator' | 'value' | 'isText'>,
): boolean {
  const [left, right] = isText ? [] : [numberOf(found), numberOf(value)];
  const areNumbers = left !== undefined && right !== undefined;
  switch (operator) {
    case '==':
      return found === value || (areNumbers && left === right);
    case '!=':
      return found !== value && !(areNumbers && left === right);
    case '>=':
      return areNumbers && left >= right;
    case '<=':
      return areNumbers && left <= right;
    case '>':
      return areNumbers && left > right;
    case '<':
      return areNumbers && left < right;
  }
}

/** A number as status fields have it, which may stand in a string (argoproj/argo-rollouts#4672); undefined for anything else. */
export function numberOf(text: string): number | undefined {
  return /^-?\d{1,15}(?:\.\d{1,15})?$/.test(text) ? Number(text) : undefined;
}

/** `.status.phase == Running`, `.status.url exists`, `condition Ready == True` */
export function describeExpectation(expectation: Expectation): string {
  if (expectation.about === 'presence') return `${placeOf(expectation)} exists`;
  if (expectation.about === 'condition') return `${placeOf(expectation)} ${expectation.operator} ${expectation.status}`;
  const { operator, value, isText } = expectation;
  return `${placeOf(expectation)} ${operator} ${isText ? JSON.stringify(shown(value)) : shown(value)}`;
}

/** `.status.phase is "Pending"`, `.status.url is not set` */
export function describeFinding(expectation: Expectation, { found }: Finding): string {
  if (found === undefined) return `${placeOf(expectation)} is not set`;
  const value = expectation.about === 'condition' ? found : JSON.stringify(shown(found));
  return `${placeOf(expectation)} is ${value}`;
}

/** Where it is looked for: `.status.phase`, `condition Ready`. */
function placeOf(expectation: Expectation): string {
  return expectation.about === 'condition' ? `condition ${expectation.type}` : formatJsonPath(expectation.path);
}

function shown(text: string): string {
  const whole = shortened(text);
  return whole.length <= shownLength ? whole : `${whole.slice(0, shownLength)}…`;
}
