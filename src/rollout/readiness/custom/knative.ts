import { numberAt, objectsAt, stringAt } from '../../../base/json.ts';
import { condition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import {
  isObserved,
  isSinceWrite,
  notObserved,
  progressing,
  ready,
  troubled,
  type Child,
  type Facts,
  type Rule,
} from '../rule.ts';
import { failureOf, isNew, waitingFor } from './conditions.ts';

/** What a Knative Service makes, down to its pods. */
export const knativeChildren: readonly Child[] = [
  { apiVersion: 'serving.knative.dev/v1', kind: 'Configuration' },
  { apiVersion: 'serving.knative.dev/v1', kind: 'Revision' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
];

export const knativeService: Rule = {
  kinds: [{ kind: 'Service', group: 'serving.knative.dev' }],
  ready:
    'the change is observed, ConfigurationsReady, RoutesReady and Ready are True, the newest revision is the newest ready one and gets its traffic, and this has stayed so for 2 s; it may have no pods',
  failed:
    'ConfigurationsReady is False with RevisionFailed for 30 s, or the image of the newest revision cannot be found for 10 s, said after this write',
  source: 'knative/serving pkg/reconciler/service; #4149 for conditions that are older than the observed generation',
  children: knativeChildren,
  runsPods: true,
  judge,
};

/** The generation may be named before the conditions are about it (knative/serving#4149, #6913). */
const quietMs = 2000;
const revisionGraceMs = 30_000;
const imageGraceMs = 10_000;

function judge(object: KubernetesObject, facts: Facts): Verdict {
  if (!isObserved(object, facts)) return notObserved;
  // Its message names the revision: one that is as it was before is about a revision of before.
  const failure =
    imageFailure(object, facts) ?? failureOf(object, facts, [revisionFailed], (found) => isNew(found, facts));
  if (failure !== undefined) return failure;
  for (const type of ['ConfigurationsReady', 'RoutesReady', 'Ready']) {
    const found = condition(object, type);
    if (found?.status !== 'True') return waitingFor(type, found);
  }
  const created = stringAt(object, 'status', 'latestCreatedRevisionName') ?? '';
  // After a failure the revision before goes on to serve, and may be all that Ready is about (knative/serving#12078).
  if (created !== (stringAt(object, 'status', 'latestReadyRevisionName') ?? ''))
    return progressing(`revision "${created}" is not ready yet`);
  if (!takesLatest(object))
    return { ...ready(`revision "${created}" ready; spec.traffic sends it no requests`), quietMs };
  const gets = objectsAt(object, 'status', 'traffic').some(({ revisionName }) => revisionName === created);
  if (!gets) return progressing(`revision "${created}" gets no traffic yet`);
  return { ...ready(`revision "${created}" ready`), quietMs };
}

const revisionFailed = {
  type: 'ConfigurationsReady',
  reasons: ['RevisionFailed'],
  graceMs: revisionGraceMs,
  hint: 'Fix what the message says about the revision.',
};

/** The revision itself says it in a word of its own; the Service repeats only its message. */
function imageFailure(object: KubernetesObject, facts: Facts): Verdict | undefined {
  const created = stringAt(object, 'status', 'latestCreatedRevisionName');
  const revision = facts.descendants?.find(({ kind, metadata }) => kind === 'Revision' && metadata.name === created);
  const found = revision === undefined ? undefined : condition(revision, 'ContainerHealthy');
  if (found?.status !== 'False' || found.reason !== 'ContainerMissing') return undefined;
  // Its generation is its own.
  if (!isSinceWrite({ ...found, observedGeneration: undefined }, facts)) return undefined;
  const { reason, message } = found;
  return troubled(object, imageGraceMs, { reason, message, hint: 'Check the image name and the pull secret.' });
}

/** Without any `spec.traffic` all of it goes to the newest revision; a target without a name is that one, too. */
function takesLatest(object: KubernetesObject): boolean {
  const targets = objectsAt(object, 'spec', 'traffic');
  if (targets.length === 0) return true;
  return targets.some((target) => target['revisionName'] === undefined && numberAt(target, 'percent') !== 0);
}
