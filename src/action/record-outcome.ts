/** What a run that has ended says in its deployment record, and what becomes of the records before it. */
import type { DeploymentState } from '../github/github.ts';
import type { RunReport } from '../report/run-report.ts';
import { plainLines } from './harmless.ts';

/** GitHub refuses a longer description of a status (REST API, "Create a deployment status"). */
export const maxDescription = 140;

export interface RecordOutcome {
  state: DeploymentState;
  /** At most `maxDescription` characters. */
  description: string;
  environmentUrl?: string;
  /** The last states of older records of the release that are true no longer. */
  ends: readonly DeploymentState[];
}

/** What has served before, and what has waited. */
const allBefore = ['success', 'pending'] as const;

/**
 * @param willRetry something of it could not be taken back, and the post step tries once more: what was live before may serve
 *   again
 */
export function outcomeOf(report: RunReport, willRetry: boolean): RecordOutcome {
  const { status, headline, addresses } = report;
  const url = report.preview?.url ?? report.preview?.serving?.url ?? addresses[0]?.url;
  const where = url === undefined || !/^https?:\/\//.test(url) ? {} : { environmentUrl: url };
  // What the user wants to be left is left by the post step, too.
  const isOpen = willRetry && report.stays !== true;
  switch (status) {
    case 'waiting':
      return { state: 'pending', description: describe(waitingFor(report)), ends: ['pending'] };
    case 'undone':
      // The older one goes on serving at this address (pingdotgg/t3code#8261).
      return {
        state: 'failure',
        description: describe(`undone: ${causeOf(report)}`),
        ...where,
        ends: replaced(report),
      };
    case 'failed':
      return { state: 'failure', description: describe(failed(report)), ends: isOpen ? [] : endedBy(report) };
    case 'cancelled':
      return { state: 'error', description: 'cancelled; what was changed is undone by the post step', ends: [] };
    case 'deployed':
    case 'rolled-back':
    case 'restarted':
    case 'scaled':
    case 'unchanged':
      return { state: 'success', description: describe(headline), ...where, ends: allBefore };
    default:
      // What runs is as it was.
      return { state: 'inactive', description: describe(headline), ends: [] };
  }
}

/** `waiting for approval, 25 % of requests` */
function waitingFor({ traffic = [] }: RunReport): string {
  const share = traffic.at(-1)?.wanted;
  return share === undefined ? 'waiting for approval' : `waiting for approval, ${share} % of requests`;
}

function causeOf({ failure, headline }: RunReport): string {
  return failure?.message ?? headline;
}

function failed(report: RunReport): string {
  if (report.undo !== undefined) return `not undone completely: ${causeOf(report)}`;
  return report.stays === true ? `left as it is: ${causeOf(report)}` : causeOf(report);
}

/** A candidate that waited and was taken away for this one does not wait again. */
function replaced({ undo }: RunReport): DeploymentState[] {
  return undo?.replaced === undefined ? [] : ['pending'];
}

/** A run that has failed before it changed anything, such as one that waited for another in vain, has ended nothing. */
function endedBy({ undo, failure, stays }: RunReport): readonly DeploymentState[] {
  return undo !== undefined || failure === undefined || stays === true ? allBefore : [];
}

/** What the post step has found, or done. */
export interface Aftermath {
  /** What its undo has come to; absent where it had nothing to undo. */
  report?: Pick<RunReport, 'status'>;
  /** What the run had recorded where there was nothing to undo. */
  recorded?: 'live' | 'waiting' | undefined;
  /** The main step was not cancelled or killed: it has failed, and could not undo all that it did. */
  hasFailed: boolean;
}

/** What a record says in the end that the main step could not close. Undefined where it has said all. */
export function outcomeAfter({ report, recorded, hasFailed }: Aftermath): RecordOutcome | undefined {
  const state = hasFailed ? 'failure' : 'error';
  const begun = hasFailed ? 'failed' : 'cancelled';
  if (report !== undefined) {
    if (report.status === 'undone') return { state, description: `${begun}, undone`, ends: [] };
    const left = report.status === 'cancelled' ? 'left as it is' : 'not undone completely';
    return { state, description: `${begun}, ${left}`, ends: allBefore };
  }
  if (hasFailed) return undefined;
  switch (recorded) {
    case 'live':
      return { state: 'success', description: 'live; cancelled afterwards', ends: allBefore };
    case 'waiting':
      return { state: 'pending', description: 'waiting for approval', ends: ['pending'] };
    case undefined:
      return { state, description: 'cancelled; nothing was left to undo', ends: [] };
  }
}

/** One plain line, cut between words where it is too long. */
export function describe(text: string, limit = maxDescription): string {
  const line = plainLines(text.slice(0, limit * 10))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (line.length <= limit) return line;
  const cut = line.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '');
  const lastWord = line[limit - 1] === ' ' ? -1 : cut.lastIndexOf(' ');
  return `${(lastWord < 1 ? cut : cut.slice(0, lastWord)).replace(/[,;:. ]$/, '')}…`;
}
