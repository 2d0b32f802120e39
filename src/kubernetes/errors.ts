import { Failure, messageOf } from '../base/errors.ts';
import { numberAt, objectsAt, stringAt, type Json } from '../base/json.ts';
import { describeRef, groupOf, type ObjectRef } from './object.ts';

/** What was asked of the API server when it refused. */
export interface Attempt {
  /** The verb as RBAC names it: `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`. */
  verb: string;
  /** Empty for requests that are about no kind, such as discovery. */
  plural: string;
  group: string;
  /** The object, or the namespace and kind, as messages name it. */
  subject: string;
}

/** One entry of `details.causes` of the server's Status. */
export interface StatusCause {
  field: string;
  message: string;
  reason: string;
}

/** The API server's refusal, with its Status read. */
export class ApiError extends Failure {
  readonly status: number;
  /** `NotFound`, `Conflict`, `Invalid`, …: the Status reason, or empty. */
  readonly reason: string;
  /** The server's own words. */
  readonly serverMessage: string;
  readonly causes: readonly StatusCause[];
  readonly attempt: Attempt;

  constructor(status: number, body: Json | undefined, attempt: Attempt) {
    const serverMessage =
      stringAt(body, 'message') ?? (typeof body === 'string' && body !== '' ? body.slice(0, 500) : `HTTP ${status}`);
    const reason = stringAt(body, 'reason') ?? '';
    const causes = objectsAt(body, 'details', 'causes').map((cause) => ({
      field: stringAt(cause, 'field') ?? '',
      message: stringAt(cause, 'message') ?? '',
      reason: stringAt(cause, 'reason') ?? '',
    }));
    const { message, hint } = explainRefusal(status, reason, serverMessage, causes, attempt);
    super(message, { hint });
    this.status = status;
    this.reason = reason;
    this.serverMessage = serverMessage;
    this.causes = causes;
    this.attempt = attempt;
  }

  get isFieldManagerConflict(): boolean {
    return this.status === 409 && this.causes.some((cause) => cause.reason === 'FieldManagerConflict');
  }

  /** Another write came between a read and a guarded write. */
  get isWriteConflict(): boolean {
    return this.status === 409 && this.reason === 'Conflict' && !this.isFieldManagerConflict;
  }

  get isImmutable(): boolean {
    return this.status === 422 && /field is immutable|Forbidden: updates to/i.test(this.serverMessage);
  }
}

export function isStatus(error: unknown, status: number): error is ApiError {
  return error instanceof ApiError && error.status === status;
}

/** The API server could not be reached at all. */
export class ConnectionError extends Failure {}

/** `strict decoding error: unknown field "spec.replcas", duplicate field "spec.x"` → its fields. */
export function strictDecodingProblems(message: string): { kind: 'unknown' | 'duplicate'; field: string }[] {
  return [...message.matchAll(/(?<kind>unknown|duplicate) field "(?<field>[^"]+)"/g)].map(({ groups }) => ({
    kind: groups?.['kind'] === 'duplicate' ? 'duplicate' : 'unknown',
    field: groups?.['field'] ?? '',
  }));
}

/** `conflict with "kubectl-edit" using apps/v1` → the manager; the field stands in the cause. */
export function conflictingManager(cause: StatusCause): string {
  return /conflict with "(?<manager>[^"]*)"/.exec(cause.message)?.groups?.['manager'] ?? 'another manager';
}

export function attemptOn(verb: string, ref: ObjectRef, plural: string): Attempt {
  return { verb, plural, group: groupOf(ref.apiVersion), subject: describeRef(ref, true) };
}

interface Explanation {
  message: string;
  hint?: string;
}

function explainRefusal(
  status: number,
  reason: string,
  serverMessage: string,
  causes: readonly StatusCause[],
  attempt: Attempt,
): { message: string; hint: string } {
  const what = `cannot ${attempt.verb} ${attempt.subject}`;
  const explained = explainStatus(status, reason, serverMessage, causes, attempt);
  return {
    message: `${what}: ${explained.message}`,
    hint: explained.hint ?? 'See the message of the API server for the cause.',
  };
}

function explainStatus(
  status: number,
  reason: string,
  serverMessage: string,
  causes: readonly StatusCause[],
  attempt: Attempt,
): Explanation {
  const webhook = /admission webhook "(?<name>[^"]+)" denied the request:? ?(?<why>.*)/s.exec(serverMessage)?.groups;
  if (webhook !== undefined) {
    return {
      message: `admission webhook "${webhook['name'] ?? ''}" denied it: ${webhook['why'] ?? ''}`,
      hint: 'Change the object so that this policy accepts it, or ask the owner of the policy.',
    };
  }
  if (serverMessage.includes('failed calling webhook')) {
    return {
      message: serverMessage,
      hint: 'The webhook itself does not answer: see whether its pods are running, then run the deploy again.',
    };
  }
  switch (status) {
    case 401:
      return {
        message: 'the API server does not accept the credentials',
        hint: 'See whether the token or certificate of the kubeconfig has expired, and sign in again.',
      };
    case 403:
      return explainForbidden(serverMessage, attempt);
    case 404:
      return {
        message: serverMessage,
        hint: serverMessage.startsWith('the server could not find the requested resource')
          ? 'The cluster does not serve this kind or version: see "kubectl api-resources", or install its CustomResourceDefinition first.'
          : 'Create it first; for a namespace set "create-namespace: true".',
      };
    case 409:
      if (causes.some((cause) => cause.reason === 'FieldManagerConflict')) {
        const fields = causes.map((cause) => `"${conflictingManager(cause)}" owns ${cause.field}`);
        return {
          message: `other managers own fields that the manifest sets: ${fields.join('; ')}`,
          hint: 'Remove these fields from the manifest, or take them over with "force-conflicts: true".',
        };
      }
      return { message: serverMessage, hint: 'Somebody else changed it at the same moment: run the deploy again.' };
    case 413:
      return { message: 'the object is too large for the API server', hint: 'Split it into smaller objects.' };
    case 422:
      return explainInvalid(serverMessage, causes);
    case 400: {
      const problems = strictDecodingProblems(serverMessage);
      if (problems.length === 0) return { message: serverMessage, hint: 'Correct the manifest.' };
      return {
        message: problems.map(({ kind, field }) => `${kind} field "${field}"`).join(', '),
        hint: 'Correct or remove these fields in the manifest.',
      };
    }
    case 429:
      return {
        message: 'the API server is overloaded and asked us to come back later',
        hint: 'Run it again in a few minutes.',
      };
    default:
      return {
        message: serverMessage + (reason === '' ? '' : ` (${reason})`),
        ...(status >= 500 ? { hint: 'The API server has a problem: see its health, then run it again.' } : {}),
      };
  }
}

function explainForbidden(serverMessage: string, { verb, plural, group }: Attempt): Explanation {
  if (serverMessage.includes('exceeded quota')) {
    return { message: serverMessage, hint: 'Free some of the quota, or have it raised.' };
  }
  const user = /User "(?<user>[^"]*)" cannot/.exec(serverMessage)?.groups?.['user'];
  if (user === undefined) return { message: serverMessage, hint: 'Change the object so that the policy accepts it.' };
  return {
    message: `user "${user}" may not ${verb} ${plural}${group === '' ? '' : `.${group}`}`,
    hint: `Add this rule to its Role: {apiGroups: ["${group}"], resources: ["${plural}"], verbs: ["${verb}"]}.`,
  };
}

function explainInvalid(serverMessage: string, causes: readonly StatusCause[]): Explanation {
  const message =
    causes.length === 0 ? serverMessage : causes.map(({ field, message: why }) => `${field}: ${why}`).join('; ');
  const immutable = /field is immutable|Forbidden: updates to/i.test(serverMessage);
  return {
    message,
    hint: immutable
      ? 'This field cannot be changed: give the object another name, or delete the old one yourself first.'
      : 'Correct these fields in the manifest.',
  };
}

/** Turns what the HTTP client threw into a sentence about the server. */
export function connectionError(error: unknown, server: string): ConnectionError {
  const code = errorCode(error);
  const host = new URL(server).host;
  const known: Record<string, [string, string]> = {
    ECONNREFUSED: [
      'nothing listens there',
      'See whether the address of the kubeconfig is right and the cluster is running.',
    ],
    ENOTFOUND: [`the name does not resolve`, 'See whether the server name of the kubeconfig is right.'],
    EAI_AGAIN: [`the name does not resolve just now`, 'See whether this runner has a working DNS.'],
    ETIMEDOUT: [
      'no answer',
      'See whether this runner has a route to it: a private endpoint needs a runner inside the network.',
    ],
    UND_ERR_CONNECT_TIMEOUT: [
      'no answer',
      'See whether this runner has a route to it: a private endpoint needs a runner inside the network.',
    ],
    UND_ERR_HEADERS_TIMEOUT: ['the connection stands, but no answer came', 'See whether the API server is overloaded.'],
    ECONNRESET: [
      'the connection was reset',
      'Run it again; if it stays so, see whether a proxy or firewall cuts the connection.',
    ],
    UND_ERR_SOCKET: [
      'the connection broke',
      'Run it again; if it stays so, see whether a proxy or firewall cuts the connection.',
    ],
    DEPTH_ZERO_SELF_SIGNED_CERT: [
      'its certificate is self-signed',
      'Put the certificate authority of the cluster into the kubeconfig.',
    ],
    SELF_SIGNED_CERT_IN_CHAIN: [
      'its certificate authority is not known',
      'Put the certificate authority of the cluster into the kubeconfig.',
    ],
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
      'its certificate authority is not known',
      'Put the certificate authority of the cluster into the kubeconfig.',
    ],
    CERT_HAS_EXPIRED: ['its certificate has expired', 'Renew the certificate of the API server.'],
    ERR_TLS_CERT_ALTNAME_INVALID: [
      'its certificate is for another name',
      'Use the name that the certificate has, or set tls-server-name in the kubeconfig.',
    ],
  };
  const [why, hint] = known[code] ?? [messageOf(error), 'See whether this runner can reach the cluster.'];
  return new ConnectionError(`cannot reach the API server at ${host}: ${why}`, { cause: error, hint });
}

/** The code of an error or of the errors below it. */
export function errorCode(error: unknown): string {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if ('code' in current && typeof current.code === 'string') return current.code;
    if (current instanceof AggregateError && current.errors.length > 0) return errorCode(current.errors[0]);
  }
  return '';
}

/** The Status of an ERROR event of a watch. */
export function statusOf(value: Json | undefined): { code: number; message: string } {
  return {
    code: numberAt(value, 'code') ?? 0,
    message: stringAt(value, 'message') ?? stringAt(value, 'reason') ?? '',
  };
}
