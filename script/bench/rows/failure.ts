import { objectsAt, stringAt } from '../../../src/base/json.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { deployment } from '../../../test/support/objects.ts';
import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import type { Cost } from '../cost.ts';
import type { Row } from '../page.ts';
import type { Tools } from '../tools.ts';
import { deployByAction, deployByHelm, emptyRow, withoutEmpty } from './deploy.ts';
import { releaseOf, twoVersions } from './release.ts';

/** Helm says nothing until its time is up, so that it decides how long helm takes. */
const helmTimeout = '60s';

const missing = 'registry.test/ctwoc:9.9.9';

/**
 * A deploy of an image that there is not, over a version that runs: how long it takes from the first sign in the API until the action
 * names the cause, until it gives up, and from the start until all is as it was before.
 */
export async function failureRows(
  tools: Tools,
  client: KubernetesClient,
  { pairs, helmPairs }: { pairs: number; helmPairs: number },
): Promise<Row[]> {
  const told = { cause: [] as Cost[], verdict: [] as Cost[] };
  const undone = emptyRow('missing image, deploy and undo');
  const workspace = createWorkspace(twoVersions((version) => (version === '1' ? releaseOf(10) : broken())));
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await tools.inNamespace(`bench-fail-${pair}-a`, async (namespace) => {
        await deployByAction(tools, { namespace, workspace, status: 'deployed' });
        const failed = await failByAction(tools, client, namespace, workspace);
        undone.action.push(failed.cost);
        for (const what of ['cause', 'verdict'] as const)
          told[what].push({ ms: failed.afterSign[what], cpuSeconds: 0, peakMb: 0 });
      });
      if (!tools.hasHelm || pair >= helmPairs) continue;
      await tools.inNamespace(`bench-fail-${pair}-h`, async (namespace) => {
        await deployByHelm(tools, { namespace, workspace });
        const more = ['--rollback-on-failure', '--timeout', helmTimeout];
        undone.helm.push(...(await deployByHelm(tools, { namespace, workspace, version: '2' }, { more, codes: [1] })));
      });
    }
  } finally {
    removeWorkspace(workspace);
  }
  undone.remarks = `over a version that runs; helm is \`--rollback-on-failure --timeout ${helmTimeout}\`, and waits for the whole timeout`;
  return [
    {
      work: 'missing image, first sign to named cause',
      action: told.cause,
      remarks:
        'from when the API first shows that the image cannot be pulled until the log says so; kubectl and helm do not say it',
    },
    {
      work: 'missing image, first sign to failure',
      action: told.verdict,
      remarks: 'the action allows 10 s for the image to be pushed; kubectl and helm wait until their timeout',
    },
    withoutEmpty(undone),
  ];
}

/** In ms after the first sign in the API. */
type Told = Record<'cause' | 'verdict', number>;

async function failByAction(
  tools: Tools,
  client: KubernetesClient,
  namespace: string,
  workspace: string,
): Promise<{ cost: Cost; afterSign: Told }> {
  const over = new AbortController();
  const sign = firstSign(client, namespace, over.signal);
  const told: Partial<Told> = {};
  const onLine = (line: string) => {
    if (!line.includes(`image "${missing}" not found`)) return;
    told.cause ??= performance.now();
    if (line.startsWith('✗')) told.verdict ??= performance.now();
  };
  try {
    const inputs = { namespace, release: 'bench', manifests: 'v2.yaml' };
    const { cost, result } = await tools.action(inputs, 'undone', { workspace, onLine });
    const { cause, verdict } = told;
    if (cause === undefined || verdict === undefined) throw new Error(`the cause was not named:\n${result.log}`);
    const from = await sign;
    // The action may have seen it before the watch here has.
    return { cost, afterSign: { cause: Math.max(0, cause - from), verdict: Math.max(0, verdict - from) } };
  } finally {
    over.abort();
    await sign.catch(() => undefined);
  }
}

/** When the API first shows that an image cannot be pulled, by `performance.now()`. */
async function firstSign(client: KubernetesClient, namespace: string, signal: AbortSignal): Promise<number> {
  const pods = await client.resource('v1', 'Pod');
  if (pods === undefined) throw new Error('the cluster serves no Pods');
  const { resourceVersion } = await client.list(pods, { namespace });
  for await (const event of client.watch(pods, { namespace, resourceVersion }, signal))
    if ('object' in event && hasNoImage(event.object)) return performance.now();
  throw new Error('no pod has shown that its image cannot be pulled');
}

function hasNoImage(pod: KubernetesObject): boolean {
  return objectsAt(pod, 'status', 'containerStatuses').some((status) =>
    ['ErrImagePull', 'ImagePullBackOff'].includes(stringAt(status, 'state', 'waiting', 'reason') ?? ''),
  );
}

function broken(): object[] {
  return [...releaseOf(10, '2').filter((object) => !isDeployment(object)), deployment('web', { image: missing })];
}

function isDeployment(object: object): boolean {
  return 'kind' in object && object.kind === 'Deployment';
}
