import { describeDrift } from '../release/drift-words.ts';
import { describeRef } from '../kubernetes/object.ts';
import type { HealthProblem, HealthReport, RunInProgress, StartReport } from './run-report.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { WaitingCandidate } from '../release/journal-shape.ts';

export interface StatusFacts {
  release: string;
  namespace: string;
  revisions: readonly Revision[];
  live: Revision | undefined;
  health: HealthReport;
  /** What is wrong with what is live. */
  problems: readonly HealthProblem[];
  /** What of it is on its way. */
  starting: readonly StartReport[];
  /** `Deployment/web`: workloads that this action has not deployed, and that are told of. */
  beside: readonly string[];
  /** What has no pods although nothing is wrong with it, one sentence each. */
  empty?: readonly string[];
  /** What is to be said of a candidate that waits. */
  candidate?: string;
  /** What is to be said of a run that has not come to its end. */
  progress?: string;
}

/** The headline of `status`: what is live and how it is, first of all what is wrong. */
export function headlineOf({
  release,
  namespace,
  revisions,
  live,
  health,
  problems,
  starting,
  beside,
  empty = [],
  ...more
}: StatusFacts): string {
  const { candidate, progress } = more;
  const state = stateOf(problems, starting);
  const changes = health.drift.length === 0 ? '' : `; changed since: ${first(health.drift.map(describeDrift))}`;
  const { paused } = health;
  const pauses = [paused, empty].map((texts) => (texts.length === 0 ? '' : `; ${first(texts)}`)).join('');
  const parts = [
    progress,
    live === undefined
      ? `${progress === undefined ? 'No live revision' : 'no live revision'} ${nothingLive(release, namespace, revisions, beside, state)}`
      : `${progress === undefined ? 'Revision' : 'revision'} ${live.revision} of ${release} is live: ${state}${changes}${pauses}`,
    candidate,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
}

/** How far a start is stands below the headline. */
function stateOf(problems: readonly HealthProblem[], starting: readonly StartReport[]): string {
  if (problems.length > 0) return `not healthy: ${first(problems.map(({ message }) => message))}`;
  return starting.length === 0 ? 'healthy' : `not ready yet: ${first(starting.map(({ ref }) => describeRef(ref)))}`;
}

function nothingLive(
  release: string,
  namespace: string,
  revisions: readonly Revision[],
  beside: readonly string[],
  state: string,
): string {
  const last = revisions.at(-1);
  const how = last === undefined ? '' : ` (revision ${last.revision}: ${last.outcome})`;
  const others = beside.length === 0 ? '' : `; not deployed by this action: ${beside.join(', ')}: ${state}`;
  return `of ${release} in namespace ${namespace}${how}${others}`;
}

export function sentenceOfCandidate(
  { revision, since }: WaitingCandidate,
  problems: readonly HealthProblem[],
  starting: readonly StartReport[] = [],
): string {
  const name = `the candidate (revision ${revision}, since ${readable(since)})`;
  return problems.length + starting.length === 0
    ? `${name} is ready and waiting for approval: run "promote" to roll it out or "abort" to remove it`
    : `${name} is ${stateOf(problems, starting)}`;
}

/** Who runs it and since when stands below the headline. */
export function sentenceOfProgress(
  { command = 'run', isAlive, onlyLocks }: Pick<RunInProgress, 'command' | 'isAlive' | 'onlyLocks'>,
  release: string,
): string {
  const name = `${/^[aeiou]/.test(command) ? 'An' : 'A'} ${command} of ${release}`;
  if (isAlive) return `${name} is in progress`;
  return onlyLocks === true
    ? `${name} ended without releasing its lock, which has expired`
    : `${name} was killed before it finished`;
}

/** Whether whoever reads the headline has to do or to know something, or only to wait: neither gets a green mark. */
export function moodOf({ healthy, problems, starting, drift, paused }: HealthReport): 'fine' | 'waiting' | 'attention' {
  if (problems.length + drift.length + paused.length > 0) return 'attention';
  if (starting.length > 0) return 'waiting';
  return healthy ? 'fine' : 'attention';
}

/** `2026-03-02 09:00:00 UTC`; what is recorded may be anything, and is told as it is then. */
function readable(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC');
}

function first(texts: readonly string[]): string {
  const others = texts.length - 1;
  return `${texts[0] ?? ''}${others > 0 ? ` (and ${others} more)` : ''}`;
}
