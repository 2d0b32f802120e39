/** Deployment records of one release among all those of an environment. */
import { GitHubError } from './github-error.ts';
import type { Deployment, DeploymentState, GitHub } from './github.ts';

/** Whose records they are: an environment may hold those of several releases, and of other tools. */
export interface RecordOwner {
  environment: string;
  release: string;
  namespace: string;
}

/** Of a failed run after the other, how far it is looked back for the one that still counts as what serves. */
const mostLookedAt = 20;
/** Where all of them are to end, for what they are of is gone. */
const mostEnded = 100;
/** Of records that others have made of the same commit, how many may be that of the job. */
const mostOfJob = 5;

/**
 * The record that GitHub itself keeps of a job that declares the environment: its runner made it for the commit of the run and
 * links the run in it. Undefined where there is none.
 * @param shas the commits that the run may have been started for
 * @param runUrl the page of the run, without an attempt: `https://github.com/acme/shop/actions/runs/42`
 */
export async function recordOfJob(
  github: GitHub,
  { environment, shas, runUrl }: { environment: string; shas: readonly string[]; runUrl: string },
): Promise<Deployment | undefined> {
  for (const sha of new Set(shas)) {
    const found = await github.deployments({ environment, sha });
    for (const record of found.filter(isOfOthers).slice(0, mostOfJob)) {
      const statuses = await github.deploymentStatuses(record.id);
      if (statuses.some(({ logUrl }) => logUrl !== undefined && isOfRun(logUrl, runUrl))) return record;
    }
  }
  return undefined;
}

/** Whether an address is that of the run, of an attempt or of a job of it; run 4 is not run 42. */
function isOfRun(url: string, runUrl: string): boolean {
  return url === runUrl || url.startsWith(`${runUrl}/`);
}

/** This action writes into the payload of each which release it is of. */
function isOfOthers({ payload }: Deployment): boolean {
  return payload?.['release'] === undefined;
}

interface Retired {
  /** The last states that are to end so. */
  states: readonly DeploymentState[];
  /** The record that stays. */
  except?: number;
  description: string;
  /** Of those that are looked at; absent: any. */
  task?: string;
}

/**
 * Sets what has served before, or has waited, to inactive. GitHub's `auto_inactive` does that neither for production nor for
 * transient records, and elsewhere for those of other releases as well. Older than the newest success none is looked at, since that was
 * done when it became one; unless failures are to end as well.
 */
export async function retireRecords(
  github: GitHub,
  owner: RecordOwner,
  { states, except, description, task }: Retired,
): Promise<void> {
  if (states.length === 0) return;
  const { environment } = owner;
  const all = await github.deployments({ environment, ...(task === undefined ? {} : { task }) });
  const endsAll = states.includes('failure');
  const own = all.filter((record) => record.id !== except && isOwn(record, owner));
  for (const { id } of own.slice(0, endsAll ? mostEnded : mostLookedAt)) {
    const [last] = await github.deploymentStatuses(id);
    if (last === undefined) continue;
    if (states.includes(last.state)) await github.createDeploymentStatus(id, { state: 'inactive', description });
    if (last.state === 'success' && !endsAll) return;
  }
}

function isOwn({ payload }: Deployment, { release, namespace }: RecordOwner): boolean {
  return payload?.['release'] === release && payload['namespace'] === namespace;
}

/**
 * The record that a run has opened and could not tell of any more.
 * @param run as it stands in the payload
 */
export async function recordOfRun(
  github: GitHub,
  owner: RecordOwner & { task: string; ref: string; run: string },
): Promise<Deployment | undefined> {
  const { environment, task, ref, run } = owner;
  const found = await github.deployments({ environment, task, sha: ref });
  return found.find((record) => isOwn(record, owner) && record.payload?.['run'] === run);
}

/** What to do about a problem of GitHub's, as a sentence; empty where nothing is known. */
export function adviceOn(error: unknown): string {
  if (!(error instanceof GitHubError)) return '';
  const { hint = '', permission } = error;
  const isNamed = permission === undefined || hint.includes(permission) || error.message.includes(permission);
  const whole = isNamed ? hint : `${hint} Add "${permission}" to the "permissions" of the job.`.trim();
  // Who may read records and not write them gets no further than to the next refusal.
  return whole.replaceAll('deployments: read', 'deployments: write');
}
