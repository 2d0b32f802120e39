import type { ObjectRef } from '../../kubernetes/object.ts';
import { code, prose } from '../markdown.ts';

/** How a summary names an object. */
export function name(ref: ObjectRef): string {
  return `${prose(ref.kind)} ${code(ref.name)}`;
}
