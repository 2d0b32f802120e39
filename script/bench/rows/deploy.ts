import { join } from 'node:path';

import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import { inTurn, type Cost } from '../cost.ts';
import type { Row } from '../page.ts';
import type { Tools } from '../tools.ts';
import { inTurns } from '../turns.ts';
import { twoVersions } from './release.ts';

/** How long helm and the action may wait. */
const timeout = '10m';

export interface Deployed {
  /** `deploy of 10` */
  work: string;
  /** Its objects; of versions `1` and `2` the names are the same. */
  objects: (version: string) => readonly object[];
  pairs: number;
  /** Removes what a tool has deployed before the next one begins, for what would weigh on the cluster. */
  alone?: boolean;
  /** About the first deploy. */
  remarks?: string;
  /** How often helm does it; as often as the others by default. */
  helmPairs?: number;
}

/** Deploys into a new namespace, then another version, then that one as it is. Answers the rows of the three. */
export async function deployRows(tools: Tools, deployed: Deployed): Promise<Row[]> {
  const { work, objects, pairs, alone = false, remarks, helmPairs = pairs } = deployed;
  const first = emptyRow(`${work}, first time`);
  const changed = emptyRow(`${work}, changed`);
  const again = emptyRow(`${work}, unchanged`);
  const steps = [
    { row: first, version: '1', status: 'deployed' },
    { row: changed, version: '2', status: 'deployed' },
    { row: again, version: '2', status: 'unchanged' },
  ] as const;
  const workspace = createWorkspace(twoVersions(objects));
  const inNamespace = (name: string, use: (namespace: string) => Promise<void>) => async () => {
    await tools.inNamespace(`bench-${work.replaceAll(/[^a-z0-9]+/g, '-')}-${name}`, use);
    if (alone) await tools.clean();
  };
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await inTurns(pair, [
        inNamespace(`${pair}-a`, async (namespace) => {
          for (const { row, version, status } of steps) {
            const { cost, result } = await deployByAction(tools, { namespace, workspace, version, status });
            row.action.push(cost);
            row.requests = requestsIn(result.log);
          }
        }),
        inNamespace(`${pair}-k`, async (namespace) => {
          for (const { row, version } of steps)
            row.kubectl.push(await deployByKubectl(tools, { namespace, workspace, version }));
        }),
        ...(pair < helmPairs && tools.hasHelm
          ? [
              inNamespace(`${pair}-h`, async (namespace) => {
                for (const { row, version } of steps)
                  row.helm.push(...(await deployByHelm(tools, { namespace, workspace, version })));
              }),
            ]
          : []),
      ]);
    }
  } finally {
    removeWorkspace(workspace);
  }
  if (remarks !== undefined) first.remarks = remarks;
  return [first, changed, again].map(withoutEmpty);
}

export interface Deploying {
  namespace: string;
  workspace: string;
  /** Of the files in the workspace; 1 by default. */
  version?: string;
}

export interface DeployedByAction extends Deploying {
  /** With which it has to end. */
  status: string;
  strategy?: string;
  'keep-old-for'?: string;
}

export async function deployByAction(
  tools: Tools,
  { namespace, workspace, version = '1', status, ...more }: DeployedByAction,
) {
  const inputs = { namespace, release: 'bench', manifests: `v${version}.yaml`, timeout, ...more };
  return await tools.action(inputs, status, { workspace });
}

export async function deployByKubectl(
  tools: Tools,
  { namespace, workspace, version = '1', name = 'web' }: Deploying & { name?: string },
): Promise<Cost> {
  const file = join(workspace, `v${version}.yaml`);
  const applied = await tools.kubectl(['apply', '--server-side', '-n', namespace, '-f', file]);
  const waits = await tools.kubectl([
    'rollout',
    'status',
    `deployment/${name}`,
    '-n',
    namespace,
    `--timeout=${timeout}`,
  ]);
  return inTurn([applied, waits]);
}

/** Empty without helm. */
export async function deployByHelm(
  tools: Tools,
  { namespace, workspace, version = '1' }: Deploying,
  { more = [], codes = [0] }: { more?: readonly string[]; codes?: readonly number[] } = {},
): Promise<Cost[]> {
  const chart = join(workspace, `v${version}-chart`);
  const args = ['upgrade', '--install', 'bench', chart, '-n', namespace, '--wait', '--timeout', timeout, ...more];
  const cost = await tools.helm(args, codes);
  return cost === undefined ? [] : [cost];
}

/** A row that is being filled. */
export interface OpenRow extends Row {
  action: Cost[];
  kubectl: Cost[];
  helm: Cost[];
}

export function emptyRow(work: string): OpenRow {
  return { work, action: [], kubectl: [], helm: [] };
}

/** Without the tools that have done nothing. */
export function withoutEmpty({ kubectl, helm, ...row }: OpenRow): Row {
  return { ...row, ...(kubectl.length === 0 ? {} : { kubectl }), ...(helm.length === 0 ? {} : { helm }) };
}

/** What the action has asked the server for: `GET 8, POST 1`. */
export function requestsIn(log: string): string {
  return /requests: (?<counts>.*)/.exec(log)?.groups?.['counts'] ?? '';
}
