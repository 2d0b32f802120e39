import { describeDrift } from '../release/drift-words.ts';
import type { HealthProblem, HealthReport } from './run-report.ts';
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
  /** `Deployment/web`: workloads that this action has not deployed, and that are told of. */
  beside: readonly string[];
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
  beside,
  ...more
}: StatusFacts): string {
  const { candidate, progress } = more;
  const state = problems.length === 0 ? 'healthy' : `not healthy: ${first(problems.map(({ message }) => message))}`;
  const changes = health.drift.length === 0 ? '' : `; changed since: ${first(health.drift.map(describeDrift))}`;
  const { paused } = health;
  const pauses = paused.length === 0 ? '' : `; ${first(paused)}`;
  const parts = [
    progress,
    live === undefined
      ? `${progress === undefined ? 'Nothing' : 'nothing'} ${nothingLive(release, namespace, revisions, beside, state)}`
      : `${progress === undefined ? 'Revision' : 'revision'} ${live.revision} of ${release} is live: ${state}${changes}${pauses}`,
    candidate,
  ];
  return parts.filter((part) => part !== undefined).join('; ');
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
  return `of ${release} is live in namespace ${namespace}${how}${others}`;
}

export function sentenceOfCandidate({ revision, since }: WaitingCandidate, problems: readonly HealthProblem[]): string {
  const name = `the candidate (revision ${revision}, since ${readable(since)})`;
  return problems.length === 0
    ? `${name} is ready and waiting for approval: run "promote" to roll it out or "abort" to remove it`
    : `${name} is not healthy: ${first(problems.map(({ message }) => message))}`;
}

export function sentenceOfProgress(command: string, release: string, startedAt: string, isAlive: boolean): string {
  const name = `${/^[aeiou]/.test(command) ? 'An' : 'A'} ${command} of ${release}`;
  return isAlive
    ? `${name} has been in progress since ${readable(startedAt)}`
    : `${name} (${readable(startedAt)}) was killed before it finished, and the next run deals with what it left`;
}

/** Whether whoever reads the headline has to do or to know something: then it does not get a green mark. */
export function needsAttention({ healthy, drift, paused }: HealthReport): boolean {
  return !healthy || drift.length > 0 || paused.length > 0;
}

/** `2026-03-02 09:00:00 UTC`; what is recorded may be anything, and is told as it is then. */
function readable(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC');
}

function first(texts: readonly string[]): string {
  const others = texts.length - 1;
  return `${texts[0] ?? ''}${others > 0 ? ` (and ${others} more)` : ''}`;
}
