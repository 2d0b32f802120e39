import { ApiError } from '../kubernetes/errors.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import { OutOfBounds } from './bounds.ts';

/** Statuses with which the server refuses the object itself, or the one who asks: 404 is a kind or a namespace that has gone. */
const lastingStatuses = new Set([400, 403, 404, 405, 413, 422]);

/**
 * Whether the server would refuse the same write however often it is asked: a field that can only be set once, a right that is
 * missing, a policy that says no, a kind that is gone. All else passes, or may: a broken connection, an overloaded server, a webhook that is down, a
 * quota that is used up.
 */
export function isLasting(error: unknown): error is ApiError | OutOfBounds | UnknownKind {
  if (error instanceof OutOfBounds || error instanceof UnknownKind) return true;
  return (
    error instanceof ApiError && lastingStatuses.has(error.status) && !error.serverMessage.includes('exceeded quota')
  );
}
