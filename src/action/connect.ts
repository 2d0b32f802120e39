import { systemClock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { TimeLimit } from '../base/time-limit.ts';
import { signIn, type GkeCluster } from '../google/sign-in.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { connect } from '../kubernetes/connection.ts';
import { open, type Connection } from '../kubernetes/connect/endpoint.ts';
import { createClient } from '../kubernetes/http-client.ts';
import type { OnRequest } from '../kubernetes/observed.ts';
import { secretsOf } from '../kubernetes/secret-values.ts';
import type { Inputs } from './inputs.ts';
import { workspace } from './workspace.ts';

interface Connected {
  client: KubernetesClient;
  /** The name of the kubeconfig's context, or the one that gcloud would give the cluster. */
  contextName: string;
  /** Present when it was reached by signing in to GKE. */
  gke?: GkeCluster;
}

type GkeInput =
  | 'cluster'
  | 'location'
  | 'project'
  | 'endpoint'
  | 'fleetMembership'
  | 'workloadIdentityProvider'
  | 'serviceAccount'
  | 'credentialsJson'
  | 'accessToken'
  | 'quotaProject'
  | 'universeDomain';

type ConnectInputs = Pick<Inputs, 'kubeconfig' | 'context' | 'namespace' | GkeInput>;

/** What ends requests, and how much patience they have. */
interface Patience {
  signal: AbortSignal;
  limit: TimeLimit;
  /** Told of each request to the API server. */
  onRequest?: OnRequest;
  /** Whether this server has answered an earlier step of the same job: then it is away for a while, and the address is right. */
  hasAnswered?: boolean;
}

/**
 * A client for the cluster that the inputs name: by GKE's own description of it, or by a kubeconfig.
 * @throws Failure when the kubeconfig cannot be used, or when Google does not let us in
 */
export async function connectToCluster(
  inputs: ConnectInputs,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  { signal, limit, onRequest, hasAnswered = false }: Patience,
): Promise<Connected> {
  const gke = isGke(inputs) ? await signInToGke(inputs, env, reporter, signal) : undefined;
  const connection =
    gke === undefined ? await connectByKubeconfig(inputs, env, reporter, signal) : await connectToGke(gke, env);
  const namespace = inputs.namespace ?? connection.namespace;
  reporter.info(`cluster ${connection.server}, context "${connection.context}", namespace "${namespace}"`);
  if (connection.insecure) {
    reporter.warning(
      `context "${connection.context}" has "insecure-skip-tls-verify: true": the certificate of ${connection.server} is not checked, so anyone on the network path can read the credentials of this run and change what it deploys. Put the certificate authority of the cluster into the kubeconfig ("certificate-authority-data") instead.`,
    );
  }
  const client = createClient(connection, {
    clock: systemClock,
    signal,
    limit,
    hasAnswered,
    ...(onRequest === undefined ? {} : { onRequest }),
    userAgent: 'gke-rollout',
    onObject: (object) => {
      for (const secret of secretsOf(object)) reporter.mask(secret);
    },
  });
  return { client, contextName: connection.context, ...(gke === undefined ? {} : { gke }) };
}

/** Whether the inputs name a cluster of GKE, or a member of a fleet, and no kubeconfig. */
export function isGke(inputs: Pick<Inputs, 'cluster' | 'endpoint' | 'fleetMembership'>): boolean {
  return (
    inputs.cluster !== undefined || (inputs.endpoint === 'connect-gateway' && inputs.fleetMembership !== undefined)
  );
}

async function connectByKubeconfig(
  inputs: ConnectInputs,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Connection> {
  return await connect({
    ...(inputs.kubeconfig === undefined ? {} : { kubeconfig: inputs.kubeconfig }),
    ...(inputs.context === undefined ? {} : { context: inputs.context }),
    cwd: workspace(env),
    env,
    signal,
    onSecret: (secret) => {
      reporter.mask(secret);
    },
  });
}

async function signInToGke(
  inputs: ConnectInputs,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<GkeCluster> {
  const cluster = await signIn(inputs, {
    clock: systemClock,
    env,
    signal,
    onSecret: (secret) => {
      reporter.mask(secret);
    },
  });
  for (const fact of cluster.facts) reporter.info(fact);
  if (cluster.warning !== undefined) reporter.warning(cluster.warning);
  return cluster;
}

/** The token stays in this process; it is renewed for as long as the run lasts. */
async function connectToGke(cluster: GkeCluster, env: NodeJS.ProcessEnv): Promise<Connection> {
  return await open(
    {
      server: cluster.server,
      context: cluster.context,
      namespace: 'default',
      ...(cluster.ca === undefined ? {} : { ca: cluster.ca }),
      credentials: async () => {
        const { token, expiresAt } = await cluster.token();
        return { headers: { Authorization: `Bearer ${token}` }, ...(expiresAt === undefined ? {} : { expiresAt }) };
      },
      advise: (problem) => cluster.advise(problem),
    },
    { clock: systemClock, env },
  );
}
