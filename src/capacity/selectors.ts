import { listAt, objectsAt, stringAt, stringsAt, type JsonObject } from '../base/json.ts';

export type Labels = Readonly<Record<string, string>>;

/** Whether a label selector matches; an empty one matches everything, one that is missing nothing. */
export function matchesLabels(selector: JsonObject | undefined, labels: Labels): boolean {
  if (selector === undefined) return false;
  const pairs = Object.entries(stringsAt(selector, 'matchLabels'));
  return (
    pairs.every(([key, value]) => labels[key] === value) &&
    objectsAt(selector, 'matchExpressions').every((expression) => matchesExpression(expression, labels))
  );
}

/** One requirement of a label selector or of a node selector; an operator that nobody knows matches nothing. */
export function matchesExpression(expression: JsonObject, labels: Labels): boolean {
  const value = labels[stringAt(expression, 'key') ?? ''];
  const values = listAt(expression, 'values');
  switch (stringAt(expression, 'operator')) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
