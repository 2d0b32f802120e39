import { at, equal, objectAt, objectsAt, stringAt } from '../../../base/json.ts';
import { saidAt } from '../../../base/said.ts';
import { timeOf } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { isSince, notObserved, progressing, ready, troubled, unchecked, type Facts, type Rule } from '../rule.ts';
import { hasWaited, whenSilent } from './patience.ts';

export const argoApplication: Rule = {
  kinds: [{ kind: 'Application', group: 'argoproj.io' }],
  ready:
    'it is Synced with the source that it names, and Healthy; accepted while OutOfSync without automated sync, while Suspended, and after 60 s without a status',
  failed: 'its health is Degraded, its sync has failed, or its spec or source is in error, for 60 s after this write',
  source: 'argo-cd pkg/apis/application/v1alpha1 (status.sync.comparedTo stands for the generation)',
  judge,
};

const graceMs = 60_000;
/** What was compared last may name its source in another way; after as long what is said is about ours, ms. */
const staleMs = 60_000;
/** Right after a sync its health may still be that of before, ms. */
const quietMs = 5000;

const errors: ReadonlySet<string> = new Set(['InvalidSpecError', 'ComparisonError', 'SyncError', 'UnknownError']);

function judge(object: KubernetesObject, facts: Facts): Verdict {
  const status = objectAt(object, 'status');
  const silent = whenSilent(object, facts, Object.keys(status).length > 0);
  if (silent !== undefined) return silent;
  const failure = failureOf(object, facts);
  if (failure !== undefined) return failure;
  if (!isAboutSource(object, facts)) return notObserved;
  const sync = stringAt(status, 'sync', 'status') ?? 'Unknown';
  const health = stringAt(status, 'health', 'status') ?? 'Unknown';
  const revision = wantedRevision(object);
  const isOther = revision !== undefined && stringAt(status, 'sync', 'revision') !== revision;
  if (sync !== 'Synced' || isOther) {
    const isAutomated = at(object, 'spec', 'syncPolicy', 'automated') !== undefined;
    if (sync === 'OutOfSync' && !isAutomated)
      return unchecked('OutOfSync: it has no automated sync, so someone has to sync it');
    return progressing(
      sync === 'Synced' ? 'not Synced yet with the revision that it names' : `not Synced yet: ${sync}`,
    );
  }
  const message = saidAt(status, 'health', 'message') ?? '';
  const said = message === '' ? health : `${health}: ${message}`;
  if (health === 'Healthy') return { ...ready('synced and healthy'), quietMs };
  if (health === 'Suspended') return unchecked(`synced, and ${said}`);
  if (health !== 'Degraded') return progressing(`synced, not Healthy yet: ${said}`);
  return troubled(object, graceMs, {
    reason: 'Degraded',
    message: `its health is ${said}`,
    hint: 'Look at its resources in Argo CD: they say which of them is not healthy.',
  });
}

/** What it says of itself since the write: it keeps no generation, but times. */
function failureOf(object: KubernetesObject, facts: Facts): Verdict | undefined {
  const isNew = (time: string | undefined) => !facts.changed || isSince(timeOf(time) ?? 0, facts);
  const error = objectsAt(object, 'status', 'conditions').find(
    (one) => errors.has(stringAt(one, 'type') ?? '') && isNew(stringAt(one, 'lastTransitionTime')),
  );
  if (error !== undefined) {
    const reason = stringAt(error, 'type') ?? '';
    const message = saidAt(error, 'message') ?? '';
    return troubled(object, graceMs, {
      reason,
      message: message === '' ? reason : message,
      hint: 'Fix the source or the spec of the Application.',
    });
  }
  const operation = objectAt(object, 'status', 'operationState');
  const phase = stringAt(operation, 'phase') ?? '';
  if (!['Failed', 'Error'].includes(phase) || !isNew(stringAt(operation, 'finishedAt'))) return undefined;
  const message = saidAt(operation, 'message') ?? '';
  return troubled(object, graceMs, {
    reason: phase,
    message: message === '' ? 'its sync has failed' : `its sync has failed: ${message}`,
    hint: 'Fix what the message says; Argo CD lists the resources that could not be synced.',
  });
}

function isAboutSource(object: KubernetesObject, facts: Facts): boolean {
  const compared = objectAt(object, 'status', 'sync', 'comparedTo');
  const names = ['source', 'sources', 'destination'] as const;
  const isSame = names.every((name) => {
    const wanted = at(object, 'spec', name);
    return wanted === undefined || equal(compared[name], wanted);
  });
  return isSame || hasWaited(facts, staleMs);
}

/** The revision of a source that names a commit. */
function wantedRevision(object: KubernetesObject): string | undefined {
  const revision = stringAt(object, 'spec', 'source', 'targetRevision') ?? '';
  return /^[0-9a-f]{40}$/.test(revision) ? revision : undefined;
}
