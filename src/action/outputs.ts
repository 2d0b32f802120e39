import { setOutput } from '@actions/core';

import type { FailureReport, RunReport } from '../report/run-report.ts';
import { cut } from './harmless.ts';
import { listWithin } from './output-limits.ts';
import type { OutputId } from './output-table.ts';
import { nameOf, planText } from './plan-output.ts';

/** All outputs of a job together may have 1 MB; a message has no need for more than this. */
const maxMessage = 4_000;

/** A rule that somebody may apply is of use as a whole only. */
const maxManifest = 20_000;

/**
 * Sets every declared output, to an empty text (or list) when there is nothing to say.
 * @param warn told of each list that is longer than GitHub would take
 */
export function setOutputs(report: RunReport, warn: (text: string) => void = () => undefined): void {
  const lists = listsOf(report);
  for (const [id, value] of Object.entries(outputsOf(report))) setOutput(id, value);
  for (const [id, items] of Object.entries(lists)) {
    const { left } = listWithin(items);
    if (left > 0) {
      warn(
        `the output "${id}" has only the first ${items.length - left} of ${items.length} entries: GitHub accepts no more`,
      );
    }
  }
}

/** The outputs that are lists, in full. */
function listsOf(report: RunReport): Record<'images' | 'changed' | 'history' | 'removed', unknown[]> {
  return {
    images: report.workloads.flatMap(({ ref, containers }) =>
      containers.map((container) => ({ ...nameOf(ref), container: container.name, image: container.after })),
    ),
    changed: report.objects
      .filter(({ change }) => change !== 'unchanged')
      .map(({ ref, change }) => ({ ...nameOf(ref), change })),
    history: [...(report.history ?? []), ...(report.workloadHistory ?? [])],
    removed: (report.sweep?.entries ?? [])
      .filter(({ outcome }) => outcome === 'removed')
      .map(({ namespace, pullRequest, release, reason }) => ({ namespace, pullRequest, release, reason })),
  };
}

/** The outputs of a run; lists are JSON that `fromJSON` can read also when they are empty, and when they had to be cut. */
export function outputsOf(report: RunReport): Record<OutputId, string> {
  const [address] = report.addresses;
  const { images, changed, history, removed } = listsOf(report);
  return {
    status: report.status,
    release: report.release ?? '',
    namespace: report.namespace ?? '',
    revision: numberText(report.revision),
    'previous-revision': numberText(report.previousRevision),
    images: listWithin(images).text,
    url: report.preview?.url ?? address?.url ?? '',
    'external-ip': address?.address ?? '',
    changed: listWithin(changed).text,
    plan: planText(report.plan),
    healthy: report.health === undefined ? '' : String(report.health.healthy),
    history: report.history === undefined ? '' : listWithin(history).text,
    failure: report.failure === undefined ? '' : JSON.stringify(failureOf(report.failure)),
    'pull-request': numberText(report.preview?.pullRequest),
    'comment-url': report.commentUrl ?? '',
    'expires-at': report.preview?.expiresAt ?? '',
    removed: report.sweep === undefined ? '' : listWithin(removed).text,
    'traffic-share': trafficShare(report),
  };
}

/** As it was measured last. */
function trafficShare({ checks = [] }: RunReport): string {
  const share = checks.findLast((check) => check.share !== undefined)?.share;
  return share === undefined ? '' : String(Number(share.measured.toFixed(1)));
}

function failureOf(failure: FailureReport): Record<string, unknown> {
  const [cause] = failure.causes;
  const hint = failure.hint ?? cause?.hint;
  const [problem] = failure.problems;
  return {
    reason: failure.reason ?? cause?.reason ?? (failure.problems.length > 0 ? 'InvalidInput' : 'Failed'),
    message: cut(failure.message, maxMessage),
    ...(hint === undefined ? {} : { hint: cut(hint, maxMessage) }),
    ...(failure.manifest === undefined || failure.manifest.length > maxManifest ? {} : { manifest: failure.manifest }),
    ...(cause === undefined ? {} : { object: nameOf(cause.object) }),
    ...(problem?.location === undefined ? {} : { file: problem.location.file, line: problem.location.line }),
    ...(failure.namedAfterSeconds === undefined ? {} : { namedAfterSeconds: failure.namedAfterSeconds }),
  };
}

function numberText(value: number | undefined): string {
  return value === undefined ? '' : String(value);
}
