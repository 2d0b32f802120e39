import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { condition } from '../../kubernetes/conditions.ts';
import type { Cause } from '../verdict.ts';
import type { ObjectEvent } from './events.ts';
import { final, mayHeal, type Sign } from './sign.ts';

/** Old pods that go away free their part of a quota, but the controller tries again only after a back-off. */
const quotaGraceMs = 10_000;
const admissionGraceMs = 5000;

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

function createSign(message: string, base: Pick<Cause, 'object' | 'since'>): Sign {
  const cause = (text: string, hint: string): Cause => ({
    ...base,
    reason: 'FailedCreate',
    message: `pods cannot be made: ${text}`,
    hint,
  });
  const why = message.replace(/^(?:Error creating: )?(?:pods "[^"]*" is forbidden: )?/, '');
  if (message.includes('exceeded quota')) {
    return mayHeal(
      quotaGraceMs,
      cause(
        `the quota is used up: ${why.replace(/^exceeded quota: (\S+), (.*)$/s, 'ResourceQuota "$1" ($2)')}`,
        'Raise the ResourceQuota, or lower what the pods ask for.',
      ),
    );
  }
  if (message.includes('violates PodSecurity')) {
    return final(cause(why, "Make the pod's securityContext meet the level of the namespace."));
  }
  if (/admission webhook .* denied the request|ValidatingAdmissionPolicy/.test(message)) {
    return final(cause(why, 'Change the pod so that this policy accepts it.'));
  }
  if (/serviceaccount "?[^"]*"? not found|error looking up service account/.test(message)) {
    return mayHeal(
      admissionGraceMs,
      cause(account(why), 'Put the ServiceAccount into the manifests, or correct serviceAccountName.'),
    );
  }
  if (message.includes('no PriorityClass')) {
    return mayHeal(
      admissionGraceMs,
      cause(priorityClass(why), 'Correct priorityClassName, or create the PriorityClass.'),
    );
  }
  if (/(?:maximum|minimum) .* usage per|max limit to request ratio/.test(message)) {
    return final(cause(why, 'Make the resources of its containers fit the LimitRange of the namespace.'));
  }
  if (message.includes('is invalid')) return final(cause(why, 'Correct the pod template.'));
  return mayHeal(30_000, cause(why, 'Correct what the message names.'));
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
