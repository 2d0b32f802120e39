import { setTimeout } from 'node:timers/promises';

import { stringAt, type Json } from '../../../src/base/json.ts';
import { Load, total } from '../../../test/support/load.ts';
import { deployment, service } from '../../../test/support/objects.ts';
import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import { inTurn, type Cost } from '../cost.ts';
import type { Row } from '../page.ts';
import type { Tools } from '../tools.ts';
import { inTurns } from '../turns.ts';
import {
  deployByAction,
  deployByHelm,
  deployByKubectl,
  emptyRow,
  withoutEmpty,
  type DeployedByAction,
  type OpenRow,
} from './deploy.ts';
import { twoVersions } from './release.ts';

/** Each on a connection of its own. */
const requestsPerSecond = 200;

/** The old side of blue-green, which is a part of its time: shorter than the default of a minute, for the row is not about that. */
const keptSeconds = 10;

/** The last old pods may end after a tool has called the update complete. */
const afterwardsMs = 2000;

type Strategy = Pick<DeployedByAction, 'strategy' | 'keep-old-for'>;

/**
 * Three pods get a new version under load: blue-green and rolling by the action, rolling by the others. Servers that end at once when they are
 * told to lose what still comes to them: how many requests that is, is what the row is about.
 */
export async function switchRows(tools: Tools, pairs: number): Promise<Row[]> {
  const blueGreen = emptyRow('switch of 3 pods under load, blue-green');
  const rolling = emptyRow('update of 3 pods under load, rolling');
  const workspace = createWorkspace(twoVersions(serving));
  const lost = new Map<string, [lost: number, sent: number]>();
  const underLoad = async (name: string, namespace: string, work: () => Promise<Cost>) => {
    const { cost, ...counts } = await withLoad(tools, namespace, work);
    const [before, sent] = lost.get(name) ?? [0, 0];
    lost.set(name, [before + counts.lost, sent + counts.sent]);
    return cost;
  };
  const byAction = async (row: OpenRow, name: string, strategy: Strategy) => {
    await tools.inNamespace(name, async (namespace) => {
      const deploy = async (version: string) =>
        await deployByAction(tools, { namespace, workspace, version, ...strategy, status: 'deployed' });
      await deploy('1');
      row.action.push(await underLoad(`action ${strategy.strategy}`, namespace, async () => (await deploy('2')).cost));
    });
  };
  const byKubectl = async (namespace: string) => {
    await deployByKubectl(tools, { namespace, workspace });
    const update = () => deployByKubectl(tools, { namespace, workspace, version: '2' });
    rolling.kubectl.push(await underLoad('kubectl', namespace, update));
  };
  const byHelm = async (namespace: string) => {
    await deployByHelm(tools, { namespace, workspace });
    const update = async () => inTurn(await deployByHelm(tools, { namespace, workspace, version: '2' }));
    rolling.helm.push(await underLoad('helm', namespace, update));
  };
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await inTurns(pair, [
        () =>
          byAction(blueGreen, `bench-switch-${pair}-b`, { strategy: 'blue-green', 'keep-old-for': `${keptSeconds}s` }),
        () => byAction(rolling, `bench-switch-${pair}-a`, { strategy: 'rolling' }),
        () => tools.inNamespace(`bench-switch-${pair}-k`, byKubectl),
        ...(tools.hasHelm ? [() => tools.inNamespace(`bench-switch-${pair}-h`, byHelm)] : []),
      ]);
    }
  } finally {
    removeWorkspace(workspace);
  }
  const told = (name: string) => {
    const [count, sent] = lost.get(name) ?? [0, 0];
    return `${count} of ${sent}`;
  };
  const load = `${requestsPerSecond} requests a second to servers that exit at once on SIGTERM; lost`;
  blueGreen.remarks = `${load} ${told('action blue-green')}; the time includes ${keptSeconds} s with the old pods kept`;
  rolling.remarks = `${load} ${told('action rolling')} by the action, ${told('kubectl')} by kubectl${tools.hasHelm ? `, ${told('helm')} by helm` : ''}`;
  return [blueGreen, rolling].map(withoutEmpty);
}

function serving(version: string): object[] {
  return [service('web'), deployment('web', { replicas: 3, env: { RELEASE: version, SHUTDOWN_DELAY: '0s' } })];
}

async function withLoad(
  tools: Tools,
  namespace: string,
  work: () => Promise<Cost>,
): Promise<{ cost: Cost; lost: number; sent: number }> {
  const live = JSON.parse(
    await tools.cluster.kubectl(['get', 'service', 'web', '-n', namespace, '-o', 'json']),
  ) as Json;
  const load = new Load(`http://${stringAt(live, 'spec', 'clusterIP') ?? ''}/`, requestsPerSecond);
  try {
    const cost = await work();
    await setTimeout(afterwardsMs);
    const { lost, sent } = await load.stop();
    return { cost, lost: total(lost), sent };
  } finally {
    await load.stop();
  }
}
