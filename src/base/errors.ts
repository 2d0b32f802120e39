/** A place in a file of the user's repository: line and column count from 1. */
export interface Location {
  file: string;
  line?: number;
  column?: number;
}

interface FailureDetails {
  /** What to do next: one imperative sentence. */
  hint?: string;
  /** Where in the user's files the cause stands. */
  location?: Location;
  cause?: unknown;
}

/**
 * The root of every error that a user is meant to read. `message` names the thing in quotes and says why it failed;
 * `hint` says what to do. Anything that is not a Failure reaching the entry point is a bug of this action.
 */
export class Failure extends Error {
  readonly hint: string | undefined;
  readonly location: Location | undefined;
  /** Whether what was done until then is left as it is, and not undone. */
  readonly keepsState: boolean = false;

  constructor(message: string, details: FailureDetails = {}) {
    super(message, { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
    this.location = details.location;
  }
}

/** An input, a manifest or a file of the user's is wrong. Thrown before anything in the cluster has changed. */
export class InvalidInput extends Failure {}

/** Several problems found in one pass, so that the user can mend them all at once. */
export class Failures extends Failure {
  readonly all: readonly Failure[];

  constructor(summary: string, all: readonly Failure[], details: FailureDetails = {}) {
    super(summary, details);
    this.all = all;
  }
}

/** The run was cancelled from outside (SIGINT or SIGTERM). */
export class Cancelled extends Failure {
  constructor() {
    super('the run was cancelled');
  }
}

/** The message of anything that was thrown, without its stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The code of an error or of the errors below it. */
export function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if ('errors' in error && Array.isArray(error.errors)) return errorCode(error.errors[0]);
  return 'cause' in error ? errorCode(error.cause) : '';
}
