import type { StatusCause } from './attempt.ts';

interface FieldProblem {
  kind: 'unknown' | 'duplicate';
  /** `spec.replcas`, or `spec.containers[name="web"].imge` in answers to an apply. */
  field: string;
}

/**
 * Reads unknown and duplicate fields out of a refusal. Creates are answered with `strict decoding error: unknown field
 * "spec.replcas", duplicate field "spec.x"`, applies with lines such as `.spec.replcas: field not declared in schema` and
 * `.spec.containers[name="c"].env: duplicate entries for key [name="A"]`.
 */
export function strictDecodingProblems(message: string): FieldProblem[] {
  const decoding = [...message.matchAll(/(?<kind>unknown|duplicate) field "(?<field>[^"]+)"/g)];
  const undeclared = [...message.matchAll(/(?<!\S)\.(?<field>(?:[^\s"]|"[^"\n]*")+): field not declared in schema/g)];
  const twice = [
    ...message.matchAll(
      /(?<!\S)\.(?<field>(?:[^\s"]|"[^"\n]*")+): duplicate entries for key (?<key>\[[^\n]{0,500}\])/g,
    ),
  ];
  return [
    ...decoding.map(({ groups }): FieldProblem => ({
      kind: groups?.['kind'] === 'duplicate' ? 'duplicate' : 'unknown',
      field: groups?.['field'] ?? '',
    })),
    ...undeclared.map(({ groups }): FieldProblem => ({ kind: 'unknown', field: groups?.['field'] ?? '' })),
    ...twice.map(({ groups }): FieldProblem => ({
      kind: 'duplicate',
      field: `${groups?.['field'] ?? ''}${groups?.['key'] ?? ''}`,
    })),
  ];
}

/** `.spec.replicas: expected numeric (int or float), got string` in the answer to an apply, as causes of a Status have it. */
export function typeMismatches(message: string): StatusCause[] {
  const mismatches = message.matchAll(
    /(?<!\S)\.(?<field>(?:[^\s"]|"[^"\n]*")+): (?<why>expected [^,\n]{1,200}, got [^\n]+)/g,
  );
  return [...mismatches].map(({ groups }) => ({
    field: groups?.['field'] ?? '',
    message: groups?.['why'] ?? '',
    reason: 'FieldValueTypeInvalid',
  }));
}

/** `conflict with "kubectl-edit" using apps/v1` → the manager; the field stands in the cause. */
export function conflictingManager(cause: StatusCause): string {
  return /conflict with "(?<manager>[^"]*)"/.exec(cause.message)?.groups?.['manager'] ?? 'another manager';
}
