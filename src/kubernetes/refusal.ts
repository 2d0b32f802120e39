import { conflictingManager, strictDecodingProblems } from './field-problems.ts';
import type { Attempt, StatusCause } from './attempt.ts';

/** What the server answered, taken apart. */
interface Refusal {
  status: number;
  reason: string;
  serverMessage: string;
  causes: readonly StatusCause[];
  attempt: Attempt;
}

interface Explanation {
  message: string;
  hint: string;
}

/** A sentence that says what was attempted and why it was refused, and what to do. */
export function explainRefusal(refusal: Refusal): Explanation {
  const { verb, subject } = refusal.attempt;
  const { message, hint } = explain(refusal);
  return { message: `cannot ${verb} ${subject}: ${message}`, hint };
}

/** Whether the message says that a field can only be set once; the API servers have many words for that. */
export function mentionsImmutable(message: string): boolean {
  return /immutable|Forbidden: updates to|may not change once set|cannot change roleRef|may not change fields other than/i.test(
    message,
  );
}

function explain(refusal: Refusal): Explanation {
  const { status, serverMessage } = refusal;
  const webhook = explainWebhook(serverMessage);
  if (webhook !== undefined) return webhook;
  switch (status) {
    case 400:
      return explainBadRequest(refusal);
    case 401:
      return {
        message: 'the API server rejected the credentials',
        hint: 'Check whether the token or certificate in the kubeconfig has expired, and sign in again.',
      };
    case 403:
      return explainForbidden(refusal);
    case 404:
      return explainNotFound(serverMessage);
    case 409:
      return explainConflict(refusal);
    case 410:
      return { message: serverMessage, hint: 'Run it again: the API server no longer has that state.' };
    case 413:
      return {
        message: `the object is too large for the API server (${serverMessage})`,
        hint: 'Split it into smaller objects, or put large files into the image.',
      };
    case 422:
      return explainInvalid(refusal);
    case 429:
      return {
        message: `the API server is overloaded and asked to retry later (${serverMessage})`,
        hint: 'Run it again in a few minutes.',
      };
    default:
      return explainOther(refusal);
  }
}

function explainWebhook(serverMessage: string): Explanation | undefined {
  const denied = /admission webhook "(?<name>[^"]+)" denied the request:? ?(?<why>.*)/s.exec(serverMessage)?.groups;
  if (denied !== undefined) {
    return {
      message: `admission webhook "${denied['name'] ?? ''}" denied it: ${denied['why'] ?? ''}`,
      hint: 'Change the object to comply with this policy, or ask its owner.',
    };
  }
  const policy = /ValidatingAdmissionPolicy '(?<name>[^']+)'.{0,500} denied request: (?<why>.*)/s.exec(
    serverMessage,
  )?.groups;
  if (policy !== undefined) {
    return {
      message: `admission policy "${policy['name'] ?? ''}" denied it: ${policy['why'] ?? ''}`,
      hint: 'Change the object to comply with this policy, or ask its owner.',
    };
  }
  const failed = /failed calling webhook "(?<name>[^"]+)": (?<why>.*)/s.exec(serverMessage)?.groups;
  if (failed === undefined) return undefined;
  return {
    message: `the API server could not call webhook "${failed['name'] ?? ''}": ${failed['why'] ?? ''}`,
    hint: 'Check that the pods behind this webhook are running and reachable, then run it again.',
  };
}

function explainBadRequest({ serverMessage, causes, attempt }: Refusal): Explanation {
  const problems = strictDecodingProblems(serverMessage);
  if (problems.length > 0) {
    return {
      message: [
        ...problems.map(({ kind, field }) => `${kind} field "${field}"`),
        ...causes.map(({ field, message }) => `${field}: ${message}`),
      ].join(', '),
      hint: 'Fix or remove these fields in the manifest.',
    };
  }
  // `ContainerCreating`, `no previous container`: about a log, not about a manifest.
  if (serverMessage.startsWith('container "') || serverMessage.startsWith('previous terminated container')) {
    return {
      message: serverMessage,
      hint: 'Wait until the container has started; its events say what it is waiting for.',
    };
  }
  // Discovery holds nothing of the user's: something else than the API of a cluster answers there.
  if (attempt.plural === '') {
    return { message: serverMessage, hint: 'Check that the server in the kubeconfig is an API server.' };
  }
  return { message: serverMessage, hint: 'Fix the manifest.' };
}

/** Which rule is missing stands in the server's words: an apply also needs `create`, a log needs `pods/log`. */
const missingRule =
  /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)" (?:in the namespace "(?<namespace>[^"]*)"|at the cluster scope)/;

/** Whom the server's words refuse something for lack of a right; undefined when it was refused for another reason. */
export function userWithoutRight(serverMessage: string): string | undefined {
  return missingRule.exec(serverMessage)?.groups?.['user'];
}

function explainForbidden({ serverMessage, causes, attempt }: Refusal): Explanation {
  if (causes.some((cause) => cause.reason === 'NamespaceTerminating')) {
    return { message: serverMessage, hint: 'Wait until the namespace is gone, or deploy to another one.' };
  }
  if (serverMessage.includes('exceeded quota')) {
    return { message: serverMessage, hint: 'Free up quota, or have it raised.' };
  }
  if (serverMessage.includes('attempting to grant RBAC permissions not currently held')) {
    return {
      message: serverMessage,
      hint: 'Users can only grant what they have: give this user the same permissions, or the verb "escalate".',
    };
  }
  const rule = missingRule.exec(serverMessage)?.groups;
  if (rule === undefined) {
    const isPolicy = serverMessage.includes(' is forbidden: ');
    return {
      message: serverMessage,
      hint: isPolicy
        ? 'Change the object to comply with the policy.'
        : `The user needs permission to ${attempt.verb} it; a proxy in front of the API server may also have refused.`,
    };
  }
  const { user = '', verb = '', resource = '', group = '', namespace } = rule;
  const where = namespace === undefined ? 'in the whole cluster' : `in namespace "${namespace}"`;
  const yaml = `{apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]}`;
  const role = namespace === undefined ? 'ClusterRole' : `Role in namespace "${namespace}"`;
  // GKE's own authorizer asks IAM after RBAC and names the permission that would have been enough.
  const iam = /requires one of \["(?<permission>[^"]+)"/.exec(serverMessage)?.groups?.['permission'];
  return {
    message: `user "${user}" is not allowed to ${verb} ${resource}${group === '' ? '' : `.${group}`} ${where}`,
    hint: `Add this rule to its ${role}: ${yaml}${iam === undefined ? '.' : `, or grant the IAM permission "${iam}".`}`,
  };
}

function explainNotFound(serverMessage: string): Explanation {
  if (serverMessage.startsWith('the server could not find the requested resource')) {
    return {
      message: serverMessage,
      hint: 'The cluster does not serve this kind or version: see "kubectl api-resources", or install its CustomResourceDefinition.',
    };
  }
  if (serverMessage.startsWith('namespaces "')) {
    return { message: serverMessage, hint: 'Create the namespace first, or set "create-namespace: true".' };
  }
  return { message: serverMessage, hint: 'Create it first, or fix its name or namespace.' };
}

function explainConflict({ reason, serverMessage, causes }: Refusal): Explanation {
  if (causes.some((cause) => cause.reason === 'FieldManagerConflict')) {
    const fields = causes.map((cause) => `"${conflictingManager(cause)}" owns ${cause.field}`);
    return {
      message: `other managers own fields that the manifest sets: ${fields.join('; ')}`,
      hint: 'Remove these fields from the manifest, or take them over with "force-conflicts: true".',
    };
  }
  if (reason === 'AlreadyExists') {
    return { message: serverMessage, hint: 'Delete it first, or choose another name.' };
  }
  return { message: serverMessage, hint: 'Someone else changed it at the same time: run it again.' };
}

function explainInvalid({ serverMessage, causes }: Refusal): Explanation {
  const message =
    causes.length === 0 ? serverMessage : causes.map(({ field, message: why }) => `${field}: ${why}`).join('; ');
  return {
    message,
    hint: mentionsImmutable(serverMessage)
      ? 'This field is immutable: give the object another name, or delete the old one yourself first.'
      : 'Fix these fields in the manifest.',
  };
}

function explainOther({ status, reason, serverMessage }: Refusal): Explanation {
  const message = serverMessage + (reason === '' ? '' : ` (${reason})`);
  if (serverMessage.includes('etcdserver: request is too large')) {
    return { message, hint: 'Split the object into smaller ones: the limit is 1.5 MiB.' };
  }
  if (status === 504) {
    return { message, hint: 'The API server or a webhook is too slow: check its health, then run it again.' };
  }
  if (status >= 500) return { message, hint: 'The API server has a problem: check its health, then run it again.' };
  return { message, hint: 'See the message of the API server for the cause.' };
}
