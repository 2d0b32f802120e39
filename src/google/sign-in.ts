import { InvalidInput } from '../base/errors.ts';
import { Renewing } from '../http/renewing.ts';
import type { Clock } from '../base/clock.ts';
import { checkStatus, chooseEndpoint, type EndpointKind } from './choose-endpoint.ts';
import { getCluster } from './cluster.ts';
import { projectOf, resolveClusterName, type ClusterName } from './cluster-name.ts';
import { gatewayServer, membershipNamed, membershipOfCluster, parseMembership } from './connect-gateway.ts';
import type { AccessToken, Credentials } from './credentials.ts';
import { findCredentials, universeOfInputs, type SignInInputs } from './find-credentials.ts';
import { GoogleApi } from './google-api.ts';
import { defaultUniverse, firstOf, Hosts, universeOf, type Environment } from './hosts.ts';
import { Web } from './web.ts';

interface GkeInputs extends SignInInputs {
  /** Absent where only a fleet membership was given. */
  cluster?: string;
  location?: string;
  project?: string;
  endpoint: 'auto' | EndpointKind;
  fleetMembership?: string;
  quotaProject?: string;
  universeDomain?: string;
}

interface SignInOptions {
  clock: Clock;
  env: Environment;
  signal?: AbortSignal;
  /** Called with each token before it is used, so that it can be masked. */
  onSecret: (secret: string) => void;
  /** From 0 to 1; spreads retries. */
  random?: () => number;
}

/** A cluster of GKE and somebody who may use it. */
export interface GkeCluster {
  /** `gke_shop_us-central1_bootcamp`, as gcloud calls the context. */
  context: string;
  server: string;
  ca?: string;
  kind: EndpointKind;
  /** Lines for the log: how it was signed in and found. */
  facts: string[];
  /** About the state of the cluster. */
  warning?: string;
  /** A token that is good now; after the first call always a new one. */
  token(): Promise<AccessToken>;
  /** What to do about a problem on the way to its API. */
  advise(problem: 'unreachable' | 'not-authenticated' | 'refused-on-the-way'): string;
  /** Ends the connections over which tokens are renewed. */
  close(): void;
}

/** Signs in to Google Cloud, looks the cluster up and finds the way to it. @throws Failure that says what is missing */
export async function signIn(inputs: GkeInputs, options: SignInOptions): Promise<GkeCluster> {
  const { clock, env } = options;
  const web = new Web(options);
  try {
    const hosts = new Hosts(universeFor(inputs, env), env);
    const credentials = await findCredentials(inputs, { ...options, web, hosts });
    const quotaProject =
      inputs.quotaProject ??
      firstOf(env, ['GOOGLE_CLOUD_QUOTA_PROJECT', 'CLOUDSDK_BILLING_QUOTA_PROJECT']) ??
      credentials.quotaProject;
    const tokens = new Renewing(() => credentials.token(), clock);
    const api = new GoogleApi(web, credentials, tokens, quotaProject);
    const found = await (inputs.cluster === undefined
      ? viaMembership(inputs, env, api, hosts)
      : viaCluster({ ...inputs, cluster: inputs.cluster }, env, api, hosts));
    let last: AccessToken | undefined;
    return {
      ...found,
      facts: [`signed in with ${credentials.name}${as(credentials)}`, ...found.facts],
      token: async () => (last = last === undefined ? await tokens.get() : await tokens.replace(last)),
      advise: (problem) => advice(problem, found, credentials),
      close: () => {
        web.close();
      },
    };
  } catch (error) {
    web.close();
    throw error;
  }
}

type Found = Omit<GkeCluster, 'token' | 'advise' | 'close'> & { cluster: string; project: string };

async function viaCluster(
  inputs: GkeInputs & { cluster: string },
  env: Environment,
  api: GoogleApi,
  hosts: Hosts,
): Promise<Found> {
  const name = resolveClusterName(inputs, env, api.credentials.projectId);
  const cluster = await getCluster(api, hosts, name);
  const warning = checkStatus(cluster, name.cluster);
  const common = { cluster: name.cluster, project: name.project, ...(warning === undefined ? {} : { warning }) };
  if (inputs.endpoint === 'connect-gateway') {
    const { fleetMembership: wanted } = inputs;
    const membership =
      wanted === undefined
        ? await membershipOfCluster(api, hosts, name, cluster)
        : await membershipNamed(api, hosts, name.project, wanted);
    return { ...common, ...(await throughGateway(api, hosts, membership)) };
  }
  const chosen = chooseEndpoint(cluster, inputs.endpoint, name.cluster);
  const { kind, server, ca, why } = chosen;
  return {
    ...common,
    context: contextOf(name),
    server,
    kind,
    ...(ca === undefined ? {} : { ca }),
    facts: [`endpoint ${kind} of cluster "${name.cluster}"${why === undefined ? '' : `, as ${why}`}`],
  };
}

/** A member of a fleet need not be a cluster of GKE. */
async function viaMembership(inputs: GkeInputs, env: Environment, api: GoogleApi, hosts: Hosts): Promise<Found> {
  const wanted = inputs.fleetMembership ?? '';
  const project = parseMembership(wanted)?.project ?? projectOf(inputs.project, env, api.credentials.projectId);
  const membership = await membershipNamed(api, hosts, project, wanted);
  return { cluster: membership.name, project, ...(await throughGateway(api, hosts, membership)) };
}

async function throughGateway(api: GoogleApi, hosts: Hosts, membership: Awaited<ReturnType<typeof membershipNamed>>) {
  const { location, name, project } = membership;
  return {
    context: `connectgateway_${project}_${location}_${name}`,
    server: await gatewayServer(api, hosts, membership),
    kind: 'connect-gateway' as const,
    facts: [`endpoint connect-gateway, fleet membership "${name}" in "${location}"`],
  };
}

function contextOf({ project, location, cluster }: ClusterName): string {
  return `gke_${project}_${location}_${cluster}`;
}

/** @throws InvalidInput when credentials of one universe are to be used in another */
function universeFor(inputs: GkeInputs, env: Environment): string {
  const asked = inputs.universeDomain ?? universeOf(env);
  const stated = universeOfInputs(inputs, env);
  if (asked !== undefined && stated !== undefined && asked !== stated) {
    throw new InvalidInput(`the credentials are for the universe "${stated}", but "${asked}" was requested`, {
      hint: 'Set the input "universe-domain" to that of the credentials, or leave it out.',
    });
  }
  return asked ?? stated ?? defaultUniverse;
}

function as(credentials: Credentials): string {
  const principal = credentials.principal();
  return principal === undefined ? '' : ` as "${principal}"`;
}

/** Roles for what the API server's front doors ask IAM about. */
const doors: Readonly<Record<EndpointKind, { permission: string; role: string } | undefined>> = {
  public: undefined,
  internal: undefined,
  dns: { permission: 'container.clusters.connect', role: 'roles/container.clusterViewer' },
  'connect-gateway': { permission: 'gkehub.gateway.get', role: 'roles/gkehub.gatewayEditor' },
};

function advice(problem: Parameters<GkeCluster['advise']>[0], found: Found, credentials: Credentials): string {
  const { cluster, kind, project } = found;
  const who = credentials.principal() ?? `the identity of ${credentials.name}`;
  switch (problem) {
    case 'unreachable':
      return unreachable(kind, cluster);
    case 'not-authenticated':
      return `Check that "${who}" still exists and is enabled, and that this is the intended cluster; a new token was tried too.`;
    case 'refused-on-the-way': {
      const door = doors[kind];
      if (door === undefined) return `Check what is in front of cluster "${cluster}", such as a proxy or firewall.`;
      return `Grant "${who}" the permission "${door.permission}", which the ${kind === 'dns' ? 'DNS endpoint' : 'Connect Gateway'} asks for, with: gcloud projects add-iam-policy-binding ${project} --role=${door.role} --member="${credentials.member() ?? 'MEMBER'}".`;
    }
  }
}

function unreachable(kind: EndpointKind, cluster: string): string {
  switch (kind) {
    case 'internal':
      return `Use a runner in the network of cluster "${cluster}" (GitHub-hosted runners cannot reach its internal address), or "endpoint: dns" or "endpoint: connect-gateway".`;
    case 'public':
      return `Add the address of this runner to the authorized networks of cluster "${cluster}", or use "endpoint: dns" or "endpoint: connect-gateway", which need none.`;
    case 'dns':
    case 'connect-gateway':
      return 'Check that this runner can reach Google: a closed network needs HTTPS_PROXY or Private Google Access.';
  }
}
