import type { Resource } from './client.ts';

const verbs = ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'];

function known(group: string, version: string, kind: string, plural: string, namespaced: boolean): Resource {
  return { group, version, kind, plural, namespaced, verbs };
}

/**
 * What each API server serves, whatever else it does, so that nobody has to wait for discovery to ask for it: namespaces, and
 * what runs themselves need (kubernetes/kubernetes pkg/controlplane/apiserver).
 */
const kinds: ReadonlyMap<string, Resource> = new Map([
  ['v1/Namespace', known('', 'v1', 'Namespace', 'namespaces', false)],
  ['v1/Secret', known('', 'v1', 'Secret', 'secrets', true)],
  ['coordination.k8s.io/v1/Lease', known('coordination.k8s.io', 'v1', 'Lease', 'leases', true)],
  [
    'authorization.k8s.io/v1/SelfSubjectRulesReview',
    {
      ...known('authorization.k8s.io', 'v1', 'SelfSubjectRulesReview', 'selfsubjectrulesreviews', false),
      verbs: ['create'],
    },
  ],
]);

/** Undefined for kinds that only discovery knows. */
export function knownKind(apiVersion: string, kind: string): Resource | undefined {
  return kinds.get(`${apiVersion}/${kind}`);
}
