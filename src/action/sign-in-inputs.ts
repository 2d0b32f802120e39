import { InvalidInput } from '../base/errors.ts';
import { missingLocation, partsOf } from '../google/cluster-name.ts';
import { gkeInputs, type InputId } from './input-table.ts';

/** How messages name the ways to reach a cluster and to sign in, and the inputs that each consists of. */
const ways = {
  gke: 'sign-in to GKE',
  kubeconfig: 'a kubeconfig',
  token: 'sign-in with a ready-made token',
  federation: 'sign-in with Workload Identity Federation',
  credentials: 'sign-in with a credentials file',
} as const;

/** Each of these chooses one way to sign in. */
const signIns = {
  'access-token': ways.token,
  'workload-identity-provider': ways.federation,
  'credentials-json': ways.credentials,
} as const satisfies Partial<Record<InputId, string>>;

/** What the runner sets where nothing was given. */
const defaults: Readonly<Partial<Record<InputId, string>>> = { endpoint: 'auto', 'export-kubeconfig': 'false' };

/**
 * What does not fit together among the inputs that say which cluster and who signs in: each conflict and each half of
 * something, with the way it belongs to.
 * @param given inputs by name, as they stand in the workflow; blank ones left out
 */
export function signInProblems(given: ReadonlyMap<string, string>): InvalidInput[] {
  const has = (id: InputId) => given.has(id) && given.get(id) !== defaults[id];
  const problems: InvalidInput[] = [];
  const add = (message: string, hint: string) => problems.push(new InvalidInput(message, { hint }));

  const isGateway = given.get('endpoint') === 'connect-gateway';
  const target = (['cluster', 'fleet-membership'] as const).find((id) => has(id) && (id === 'cluster' || isGateway));
  if (target === undefined) {
    const useless = gkeInputs.filter(has);
    if (useless.length > 0) {
      const needed = isGateway ? 'the input "cluster" or "fleet-membership"' : 'the input "cluster"';
      add(
        `${inputs(useless)} ${useless.length === 1 ? 'belongs' : 'belong'} to ${ways.gke}, which needs ${needed} too`,
        'Set "cluster", or remove the inputs that need it.',
      );
    }
    return problems;
  }

  for (const other of (['kubeconfig', 'context'] as const).filter(has)) {
    add(
      `the inputs "${target}" and "${other}" set the cluster in two ways: by ${ways.gke} and by ${ways.kubeconfig}`,
      'Keep one of them.',
    );
  }
  const chosen = Object.entries(signIns).filter(([id]) => has(id as InputId));
  if (chosen.length > 1) {
    add(
      `${inputs(chosen.map(([id]) => id))} set up ${chosen.length} ways to sign in: ${chosen.map(([id, way]) => `"${id}" is ${way}`).join(', ')}`,
      'Keep one of them.',
    );
  }
  if (has('service-account') && !has('workload-identity-provider')) {
    add(
      `the input "service-account" belongs to ${ways.federation}, which needs the input "workload-identity-provider" too`,
      'Set it, or remove "service-account": other credentials have their own identity.',
    );
  }
  if (has('fleet-membership') && !isGateway) {
    add(
      'the input "fleet-membership" belongs to sign-in through the Connect Gateway, which needs "endpoint: connect-gateway" too',
      'Set it, or remove "fleet-membership".',
    );
  }
  const cluster = given.get('cluster');
  if (cluster !== undefined && partsOf(cluster) === undefined) {
    if (cluster.includes('/')) {
      add(
        `the input "cluster" is "${cluster}", which is neither a short nor a full name`,
        'Write NAME or projects/PROJECT/locations/LOCATION/clusters/NAME.',
      );
    } else if (!has('location')) {
      problems.push(missingLocation(cluster));
    }
  }
  if (has('export-kubeconfig') && chosen.length > 0) {
    add(
      `the inputs "export-kubeconfig" and "${chosen[0]?.[0] ?? ''}" cannot be combined: later steps do not have the credentials of an input`,
      'Sign in with google-github-actions/auth in an earlier step instead; its credentials are available to all later steps.',
    );
  }
  return problems;
}

function inputs(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  if (quoted.length === 1) return `the input ${quoted.join('')}`;
  return `the inputs ${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1) ?? ''}`;
}
