import { formatDuration } from '../../base/clock.ts';
import { keyOf } from '../../kubernetes/object.ts';
import type { RunReport, WorkloadReport } from '../../report/run-report.ts';
import { shortImage } from '../../report/image-words.ts';
import { describeVersions, type RunningVersion } from '../../rollout/versions.ts';
import { code, prose } from '../markdown.ts';
import { imageChange } from './image-change.ts';
import type { SummaryLimits } from './limits.ts';
import { name } from './name.ts';
import { slimTable } from './slim-table.ts';

/** The workloads: how they are; after a failure how they are now, beside what was tried. */
export function renderWorkloads({ workloads, now, failure }: RunReport, limits: SummaryLimits): string {
  // The cause is told once, above.
  const tried = workloads.map((row) => (row.message === failure?.message ? { ...row, message: '' } : row));
  if (now !== undefined && now.length > 0) return nowAndTried(tried, now, limits);
  if (workloads.length === 0) return '';
  return slimTable(
    ['Workload', 'Image', 'Replicas', 'State', 'Time'],
    tried,
    (row) => [
      name(row.ref),
      images(row, limits),
      numbers(row),
      row.replicas?.after === 0 && row.state === 'ready' ? 'no pods' : stateOf(row),
      row.durationMs === undefined ? '' : formatDuration(row.durationMs),
    ],
    limits.rows,
  );
}

function nowAndTried(
  tried: readonly WorkloadReport[],
  now: NonNullable<RunReport['now']>,
  limits: SummaryLimits,
): string {
  const running = new Map(now.map((row) => [keyOf(row.ref), row]));
  const attempts = new Map(tried.map((row) => [keyOf(row.ref), row]));
  const keys = [...new Set([...attempts.keys(), ...running.keys()])];
  return slimTable(
    ['Workload', 'Now', 'Tried', 'Outcome'],
    keys.map((key) => ({ is: running.get(key), was: attempts.get(key) })),
    ({ is, was }) => {
      const row = is ?? was;
      return [
        row === undefined ? '' : name(row.ref),
        is === undefined ? '' : prose(describeVersions(is.versions.map(shortened))),
        was === undefined ? '' : attempt(was, is?.versions ?? [], limits),
        was === undefined ? '' : stateOf(was),
      ];
    },
    limits.rows,
  );
}

/** What it was to run; nothing where that is what all of its pods run. */
function attempt(
  { containers, replicas }: WorkloadReport,
  versions: readonly RunningVersion[],
  limits: SummaryLimits,
): string {
  const [wanted, pods] = [containers.map(({ after }) => after), replicas?.after];
  const [running, ...others] = versions;
  const isSame = running?.images.every((image) => wanted.includes(image)) === true && running.pods === pods;
  if (isSame && others.length === 0) return '';
  const images = [...new Set(wanted)]
    .slice(0, limits.rows)
    .map((image) => code(shortImage(image)))
    .join('<br>');
  return pods === undefined ? images : `${images}, ${pods} ${pods === 1 ? 'pod' : 'pods'}`;
}

function shortened(version: RunningVersion): RunningVersion {
  return { ...version, images: version.images.map(shortImage) };
}

function images({ containers }: WorkloadReport, limits: SummaryLimits): string {
  return containers
    .slice(0, limits.rows)
    .map((container) => {
      const change = imageChange(container.before, container.after);
      return containers.length === 1 ? change : `${prose(container.name)}: ${change}`;
    })
    .join('<br>');
}

function numbers({ replicas }: WorkloadReport): string {
  if (replicas === undefined) return '';
  return [replicas.before, replicas.after].filter((n, i, all) => n !== undefined && n !== all[i - 1]).join(' → ');
}

function stateOf({ state, message }: WorkloadReport): string {
  switch (state) {
    case 'ready':
      return 'ready';
    case 'failed':
      return message === '' ? '**failed**' : `**failed**: ${prose(message)}`;
    case 'progressing':
      return message === '' ? 'not ready' : `not ready: ${prose(message)}`;
    case 'unchecked':
      return message === '' ? 'not checked' : prose(message);
  }
}
