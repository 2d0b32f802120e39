import { systemClock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { connect } from '../kubernetes/connection.ts';
import { createClient } from '../kubernetes/http-client.ts';
import type { Inputs } from './inputs.ts';
import { workspace } from './workspace.ts';

export interface Connected {
  client: KubernetesClient;
  /** The name of the kubeconfig's context. */
  contextName: string;
}

/** A client for the cluster that the inputs name. @throws InvalidInput when the kubeconfig cannot be used */
export async function connectToCluster(
  inputs: Pick<Inputs, 'kubeconfig' | 'context'>,
  env: NodeJS.ProcessEnv,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<Connected> {
  const connection = await connect({
    ...(inputs.kubeconfig === undefined ? {} : { kubeconfig: inputs.kubeconfig }),
    ...(inputs.context === undefined ? {} : { context: inputs.context }),
    cwd: workspace(env),
    env,
    onSecret: (secret) => {
      reporter.mask(secret);
    },
  });
  reporter.info(`cluster ${connection.server}, context "${connection.context}", namespace "${connection.namespace}"`);
  const client = createClient(connection, { clock: systemClock, signal, userAgent: 'gke-rollout' });
  return { client, contextName: connection.context };
}
