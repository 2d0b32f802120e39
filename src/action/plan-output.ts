import type { ObjectRef } from '../kubernetes/object.ts';
import type { PlanReport } from '../report/plan-report.ts';
import { maxList } from './output-limits.ts';

/** A plan as JSON; where it is longer than GitHub takes, without the fields of objects, and then without steps. */
export function planText(plan: PlanReport | undefined): string {
  if (plan === undefined) return '';
  const [full, brief, least] = [
    contentOf(plan, true),
    contentOf(plan, false),
    { end: plan.end, extraPods: plan.extraPods },
  ];
  const texts = [full, brief, { ...least, cut: true }].map((content) => JSON.stringify(content));
  return texts.find((text) => text.length <= maxList) ?? '';
}

function contentOf({ objects, steps, pods, ...rest }: PlanReport, withFields: boolean): Record<string, unknown> {
  return {
    ...rest,
    objects: objects.map(({ ref, change, diff }) => ({
      ...nameOf(ref),
      change,
      ...(withFields && diff !== undefined ? diff : {}),
    })),
    steps: steps.map(({ writes, ...step }) => ({
      ...step,
      writes: writes.map(({ ref, ...write }) => ({ ...nameOf(ref), ...write })),
    })),
    pods: pods.map(({ ref, numbers }) => ({ ...nameOf(ref), numbers })),
    stays: rest.stays.map(({ ref, reason }) => ({ ...nameOf(ref), reason })),
  };
}

/** How outputs name an object. */
export function nameOf({ kind, namespace, name }: ObjectRef): { kind: string; namespace?: string; name: string } {
  return namespace === undefined ? { kind, name } : { kind, namespace, name };
}
