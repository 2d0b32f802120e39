import { at, stringAt } from '../../../base/json.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { notObserved, unchecked, type Facts, type Rule } from '../rule.ts';
import type { Awaited } from './conditions.ts';
import { awaitConditions, readyAs } from './patience.ts';

const group = 'external-secrets.io';

export const externalSecret: Rule = {
  kinds: [{ kind: 'ExternalSecret', group }],
  ready:
    'Ready is True and status.syncedResourceVersion is of this generation; accepted as it was synced where that happens only once (CreatedOnce, or no refreshInterval), and after 60 s without a status',
  failed: 'Ready is False for 60 s',
  source:
    'external-secrets pkg/controllers/externalsecret (GetResourceVersion, shouldRefresh); werf/kubedog#355 for no status yet',
  judge: judgeExternalSecret,
};

export const secretStore: Rule = {
  kinds: ['SecretStore', 'ClusterSecretStore'].map((kind) => ({ kind, group })),
  ready: 'Ready is True, and stays so for 10 s; accepted after 60 s without a status',
  failed: 'Ready is False for 60 s',
  source: 'external-secrets pkg/controllers/secretstore; it names no generation',
  judge: (object, facts) =>
    readyAs(
      awaitConditions(object, facts, {
        ...untilReady('Fix what the message says: usually the access of the store to its provider.'),
        observed: 'nowhere',
      }),
      'valid',
    ),
};

/** A store may start in the same deploy, and is asked again. */
function untilReady(hint: string): Awaited {
  return { types: ['Ready'], observed: 'conditions', failing: [{ type: 'Ready', graceMs: 60_000, hint }] };
}

function judgeExternalSecret(object: KubernetesObject, facts: Facts): Verdict {
  const verdict = awaitConditions(
    object,
    facts,
    untilReady('Check that the store can be reached and has the keys that the ExternalSecret names.'),
  );
  if (verdict.state !== 'ready') return verdict;
  const synced = syncedGeneration(object);
  if (!facts.changed || synced === undefined || synced >= facts.generation) return readyAs(verdict, 'synced');
  if (!isSyncedOnce(object)) return notObserved;
  return unchecked('synced once, before this change: its Secret stays as it is');
}

/** `3-9a1f…`: the generation, and a hash of labels and annotations. */
function syncedGeneration(object: KubernetesObject): number | undefined {
  const [, generation] = /^(\d{1,15})-/.exec(stringAt(object, 'status', 'syncedResourceVersion') ?? '') ?? [];
  return generation === undefined ? undefined : Number(generation);
}

/** Whether its controller leaves a Secret alone that it has synced, also when the ExternalSecret changes. */
function isSyncedOnce(object: KubernetesObject): boolean {
  const policy = stringAt(object, 'spec', 'refreshPolicy') ?? '';
  if (policy !== '' && policy !== 'Periodic') return policy === 'CreatedOnce';
  const interval = at(object, 'spec', 'refreshInterval');
  if (typeof interval !== 'string') return interval === 0;
  return interval !== '' && Number(interval.replaceAll(/[hms]/g, '')) === 0;
}
