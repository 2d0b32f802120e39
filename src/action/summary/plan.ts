import { formatDuration } from '../../base/clock.ts';
import type { PlannedStep, PlannedWrite, PlanReport } from '../../report/plan-report.ts';
import { alert, bullets, code, codeBlock, details, html, prose, table } from '../markdown.ts';
import { renderDiff } from './changes.ts';
import type { SummaryLimits } from './limits.ts';
import { name } from './name.ts';

/** What a deploy would do: objects with their fields, the steps in order, pods, and what stands in its way. */
export function renderPlan(plan: PlanReport, limits: SummaryLimits): string {
  const parts = [
    missing(plan),
    renderDiff('What would change', plan.objects, limits),
    steps(plan.steps, limits),
    pods(plan),
    plan.stays.length === 0
      ? ''
      : alert(
          'NOTE',
          `An undo would leave:\n\n${bullets(plan.stays, ({ ref, reason }) => `${name(ref)}: ${prose(reason)}`, limits.rows)}`,
        ),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function missing({ missingRights }: PlanReport): string {
  if (missingRights === undefined) return '';
  const { message, manifest } = missingRights;
  const role =
    manifest === undefined
      ? ''
      : `\n\n${details(html('Permissions to grant'), codeBlock(manifest.split('\n'), 'yaml'))}`;
  return `${alert('WARNING', `**A deploy would be refused:** ${prose(message, 1_000)}`)}${role}`;
}

function steps(all: readonly PlannedStep[], limits: SummaryLimits): string {
  if (all.length === 0) return '';
  return table(
    ['Step', 'Writes', 'Continues when'],
    all.map((step, index) => ({ step, index })),
    ({ step: { title, writes, waitsUntil, holdsMs }, index }) => [
      `${index + 1}. ${prose(title)}`,
      [
        ...writes.slice(0, limits.rows).map(describeWrite),
        ...(writes.length > limits.rows ? [`and ${writes.length - limits.rows} more`] : []),
      ].join('<br>'),
      [holdsMs === undefined ? '' : `${formatDuration(holdsMs)} have passed`, prose(waitsUntil ?? '')]
        .filter((part) => part !== '')
        .join(', '),
    ],
    limits.rows,
  );
}

function describeWrite({ ref, change, field, to }: PlannedWrite): string {
  const value = to === undefined ? 'is no longer set' : `= ${JSON.stringify(to)}`;
  const what = field === undefined ? '' : `: ${code(`${field} ${value}`)}`;
  return `${change} ${name(ref)}${what}`;
}

function pods({ pods: numbers, extraPods }: PlanReport): string {
  if (numbers.length === 0) return '';
  const extra =
    extraPods === 0
      ? 'Never more pods than now'
      : `At most ${extraPods} ${extraPods === 1 ? 'pod' : 'pods'} more than now at the same time`;
  const list = bullets(numbers, ({ ref, numbers: each }) => `${name(ref)}: ${each.join(' → ')}`, numbers.length);
  return `Pods:\n\n${list}\n\n${extra}, not counting surge pods of rolling updates.`;
}
