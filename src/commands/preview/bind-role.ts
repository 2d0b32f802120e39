import { Failure } from '../../base/errors.ts';
import { fieldManager } from '../../apply/field-manager.ts';
import { AccessReview } from '../../kubernetes/access.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import type { Context } from '../../release/context.ts';

const name = 'gke-rollout-preview';
/** How long the server may take to go by a new binding, in ms. */
const effectMs = 15_000;
const pollMs = 250;

/**
 * Gives this run's user a ClusterRole in the namespace of a preview, which takes the right to bind that one role and no other.
 * @throws Failure when the user is not known, or the binding has no effect
 */
export async function bindRole(
  { client, clock, reporter, signal, bounds }: Context,
  namespace: string,
  role: string,
): Promise<void> {
  const user = await new AccessReview(client, reporter).user();
  if (user === undefined) {
    throw new Failure('the cluster does not say which user this run is, so no role can be bound to it', {
      hint: 'Remove "preview-role", and grant the user its rights in all namespaces.',
    });
  }
  const binding: KubernetesObject = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name, namespace },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: role },
    subjects: [subjectOf(user)],
  };
  bounds?.vouchFor([{ apiVersion: binding.apiVersion, kind: binding.kind, namespace, name }]);
  await client.apply(binding, { fieldManager });
  for (const until = clock.now() + effectMs; ;) {
    const [access] = await new AccessReview(client, reporter).ask([
      { verb: 'list', group: '', resource: 'secrets', namespace },
    ]);
    if (access !== 'denied') return;
    if (clock.now() >= until) {
      throw new Failure(
        `ClusterRole "${role}" was bound in namespace "${namespace}", but does not let this run list secrets`,
        {
          hint: 'Compare that role with the one in docs/previews.md.',
        },
      );
    }
    await clock.sleep(pollMs, signal);
  }
}

/** `system:serviceaccount:ci:deployer` is an account of a namespace. */
function subjectOf(user: string): Record<string, string> {
  const [, , namespace, account] = user.split(':');
  if (user.startsWith('system:serviceaccount:') && namespace !== undefined && account !== undefined)
    return { kind: 'ServiceAccount', namespace, name: account };
  return { apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user };
}
