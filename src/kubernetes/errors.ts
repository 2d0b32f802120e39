import { Failure } from '../base/errors.ts';
import { numberAt, objectsAt, stringAt, type Json } from '../base/json.ts';
import { saidAt, shortened } from '../base/said.ts';
import { strictDecodingProblems, typeMismatches } from './field-problems.ts';
import { describeRef, groupOf, type ObjectRef } from './object.ts';
import { explainRefusal, mentionsImmutable } from './refusal.ts';
import { serverWords } from './server-words.ts';
import type { Attempt, StatusCause } from './attempt.ts';

export { AnswerBrokeOff, connectionError, ConnectionError, ForeignAnswer } from './connection-error.ts';
export { conflictingManager, strictDecodingProblems } from './field-problems.ts';

interface ErrorDetails {
  retryAfterMs?: number;
  afterLostAnswer?: boolean;
  /** What to do, from whoever knows more than the answer says. */
  advice?: string;
  /** What the message must not repeat: the values of Secrets and variables in what was sent. */
  values?: readonly string[];
}

/** The API server's refusal, with its Status read. */
export class ApiError extends Failure {
  /**
   * The HTTP status, except that an apply which does not fit the schema counts as 400 (unknown fields) or 422 (wrong
   * types), as for a create: the server answers it with 500, and repeating it would be of no use.
   */
  readonly status: number;
  /** `NotFound`, `Conflict`, `Invalid`, …: the Status reason, or empty. */
  readonly reason: string;
  /** The server's own words, without the values that it quotes. */
  readonly serverMessage: string;
  readonly causes: readonly StatusCause[];
  readonly attempt: Attempt;
  /** How long the server asked to wait before the next attempt. */
  readonly retryAfterMs: number | undefined;
  /** An earlier attempt of the same call broke off before its answer came: it may have been carried out. */
  readonly afterLostAnswer: boolean;

  constructor(
    httpStatus: number,
    body: Json | undefined,
    attempt: Attempt,
    { retryAfterMs, afterLostAnswer = false, advice, values = [] }: ErrorDetails = {},
  ) {
    const hiding = { values, isSecret: attempt.plural === 'secrets' && attempt.group === '' };
    const words = (text: string, field?: string) =>
      serverWords(text, { ...hiding, ...(field === undefined ? {} : { field }) });
    const serverMessage = words(saidAt(body, 'message') ?? textOf(body) ?? `HTTP ${httpStatus}`);
    const reason = stringAt(body, 'reason') ?? '';
    const stated = objectsAt(body, 'details', 'causes').map((cause) => {
      const field = words(saidAt(cause, 'field') ?? '');
      return {
        field,
        message: words(saidAt(cause, 'message') ?? '', field),
        reason: stringAt(cause, 'reason') ?? '',
      };
    });
    const unfit = isUnfit(httpStatus, serverMessage);
    const causes = unfit ? typeMismatches(serverMessage) : stated;
    const hasUnknown = strictDecodingProblems(serverMessage).length > 0;
    const status = !unfit ? httpStatus : causes.length > 0 && !hasUnknown ? 422 : 400;
    const { message, hint } = explainRefusal({ status, reason, serverMessage, causes, attempt });
    super(message, { hint: advice ?? hint });
    this.status = status;
    this.reason = reason;
    this.serverMessage = serverMessage;
    this.causes = causes;
    this.attempt = attempt;
    this.retryAfterMs = retryAfterMs;
    this.afterLostAnswer = afterLostAnswer;
  }

  get isFieldManagerConflict(): boolean {
    return this.status === 409 && this.causes.some((cause) => cause.reason === 'FieldManagerConflict');
  }

  /** Another write came between a read and a guarded write. */
  get isWriteConflict(): boolean {
    return this.status === 409 && this.reason === 'Conflict' && !this.isFieldManagerConflict;
  }

  /** A create found an object of that name. */
  get isAlreadyExists(): boolean {
    return this.status === 409 && this.reason === 'AlreadyExists';
  }

  /** A field would change that can only be set once. */
  get isImmutable(): boolean {
    return this.status === 422 && mentionsImmutable(this.serverMessage);
  }
}

/** Seen in 1.36: an apply whose fields do not fit the schema, or do not decode, is answered with a 500 without a reason. */
function isUnfit(status: number, message: string): boolean {
  return status === 500 && /^failed to (create typed patch object|convert new object)/.test(message);
}

/** Load balancers and proxies answer with text or a web page; what its title says is enough. */
function textOf(body: Json | undefined): string | undefined {
  if (typeof body !== 'string' || body.trim() === '') return undefined;
  const title = /<title>(?<title>[^<]*)<\/title>/i.exec(body)?.groups?.['title'];
  return shortened(title ?? body)
    .trim()
    .replaceAll(/\s+/g, ' ')
    .slice(0, 300);
}

export function isStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}

export function attemptOn(verb: string, ref: ObjectRef, plural: string): Attempt {
  return { verb, plural, group: groupOf(ref.apiVersion), subject: describeRef(ref, true) };
}

/** The Status of an ERROR event of a watch. */
export function statusOf(value: Json | undefined): { code: number; message: string } {
  return {
    code: numberAt(value, 'code') ?? 0,
    message: saidAt(value, 'message') ?? stringAt(value, 'reason') ?? '',
  };
}
