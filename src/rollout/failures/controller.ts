import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { condition } from '../../kubernetes/conditions.ts';
import type { Cause } from '../verdict.ts';
import type { ObjectEvent } from './events.ts';
import { final, mayHeal, type Sign } from './sign.ts';

/** Old pods that go away free their part of a quota, but the controller tries again only after a back-off. */
const quotaGraceMs = 10_000;
const admissionGraceMs = 5000;
const otherGraceMs = 30_000;

/**
 * Pods that a controller could not make: the condition of a ReplicaSet, or the FailedCreate events of other controllers,
 * which have no such condition. Events outlive what they tell of: those from before our write (ms) tell of the version before.
 */
export function controllerSigns(
  controller: KubernetesObject,
  events: readonly ObjectEvent[],
  writtenAt: number,
): Sign[] {
  const failure = condition(controller, 'ReplicaFailure');
  const object = refOf(controller);
  if (failure?.status === 'True') {
    const since = failure.updatedAt;
    return [createSign(failure.message, { object, ...(since === undefined ? {} : { since }) })];
  }
  return events
    .filter((event) => event.reason === 'FailedCreate' && event.lastAt > writtenAt)
    .map((event) => createSign(event.message, { object, since: event.firstAt }));
}

/** The words of the API server's admission (kubernetes plugin/pkg/admission), and what is to be done. */
interface Refusal {
  words: RegExp;
  /** How long it may take to heal; absent: it cannot. */
  graceMs?: number;
  hint: string;
  /** By default as the server says it. */
  says?: (why: string) => string;
}

const refusals: readonly Refusal[] = [
  {
    words: /exceeded quota/,
    graceMs: quotaGraceMs,
    says: (why) =>
      `the quota is exhausted: ${why.replace(/^exceeded quota: (\S+), (.*)$/s, 'ResourceQuota "$1" ($2)')}`,
    hint: 'Raise the ResourceQuota, or lower the pod requests.',
  },
  {
    words: /failed quota: \S+ must specify/,
    says: (why) =>
      why.replace(
        /^failed quota: (\S+): must specify (.*)$/s,
        'ResourceQuota "$1" requires $2, which the pod does not set',
      ),
    hint: "Set it in the container's resources, or give the namespace a LimitRange with a default.",
  },
  {
    words: /insufficient quota to match these scopes/,
    graceMs: quotaGraceMs,
    says: (why) =>
      why.replace(
        /^insufficient quota to match these scopes: (.*)$/s,
        'no ResourceQuota of the namespace allows pods of the scope $1',
      ),
    hint: 'Create a ResourceQuota with this scope in the namespace, or use another priorityClassName.',
  },
  {
    words: /violates PodSecurity/,
    hint: "Make the pod's securityContext meet the Pod Security level of the namespace.",
  },
  {
    words: /unable to validate against any security context constraint/,
    hint: "Make the pod's securityContext meet a SecurityContextConstraint, or grant its ServiceAccount another one.",
  },
  {
    words: /admission webhook .{0,300} denied the request|ValidatingAdmissionPolicy/,
    hint: 'Change the pod to comply with this policy.',
  },
  {
    words: /failed calling webhook "[^"]+"/,
    graceMs: otherGraceMs,
    says: (why) => {
      const name = /failed calling webhook "(?<name>[^"]+)"/.exec(why)?.groups?.['name'] ?? '';
      return `the admission webhook "${name}" does not respond: ${why.split(': ').slice(-2).join(': ')}`;
    },
    hint: 'Check that the pods behind this webhook run: with "failurePolicy: Fail" nothing is created without its answer.',
  },
  {
    words: /serviceaccount "?[^"]{0,253}"? not found|error looking up service account/,
    graceMs: admissionGraceMs,
    says: account,
    hint: 'Add the ServiceAccount to the manifests, or fix serviceAccountName.',
  },
  {
    words: /no PriorityClass/,
    graceMs: admissionGraceMs,
    says: priorityClass,
    hint: 'Fix priorityClassName, or create the PriorityClass.',
  },
  {
    words: /RuntimeClass "[^"]+" not found/,
    graceMs: admissionGraceMs,
    says: (why) =>
      `there is no RuntimeClass ${/RuntimeClass (?<name>"[^"]+") not found/.exec(why)?.groups?.['name'] ?? ''}`,
    hint: 'Fix runtimeClassName, or create the RuntimeClass.',
  },
  {
    words: /(?:maximum|minimum) .{0,100} usage per|max limit to request ratio/,
    hint: 'Make the resources of its containers fit the LimitRange of the namespace.',
  },
  {
    words: /because it is being terminated/,
    says: () => 'the namespace is being deleted',
    hint: 'Wait until it is gone, then deploy again.',
  },
  { words: /is invalid/, hint: 'Fix the pod template.' },
];

function createSign(message: string, base: Pick<Cause, 'object' | 'since'>): Sign {
  const why = message.replace(
    /^(?:Error creating: |create Pod \S+ in StatefulSet \S+ failed error: )?(?:pods "[^"]*" is forbidden: )?/,
    '',
  );
  const { graceMs, says, hint } = refusals.find(({ words }) => words.test(message)) ?? {
    graceMs: otherGraceMs,
    hint: 'Fix what the message says.',
  };
  const text = says?.(why) ?? why;
  const cause: Cause = { ...base, reason: 'FailedCreate', message: `pods cannot be created: ${text}`, hint };
  return graceMs === undefined ? final(cause) : mayHeal(graceMs, cause);
}

/** `error looking up service account shop/deployer: serviceaccount "deployer" not found`, in words. */
function account(why: string): string {
  const name = /serviceaccount "(?<name>[^"]+)" not found/.exec(why)?.groups?.['name'];
  return name === undefined ? why : `there is no ServiceAccount "${name}"`;
}

function priorityClass(why: string): string {
  const name = /no PriorityClass with name (?<name>\S+) was found/.exec(why)?.groups?.['name'];
  return name === undefined ? why : `there is no PriorityClass "${name}"`;
}
