import { condition } from '../../../kubernetes/conditions.ts';
import { groupOf, type KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { ready, unchecked, type Facts, type Rule } from '../rule.ts';
import type { Awaited, Failing } from './conditions.ts';
import { acceptSlow, awaitConditions } from './patience.ts';

export const crossplane: Rule = {
  kinds: ['*.crossplane.io', '*.upbound.io'].map((group) => ({ kind: '*', group })),
  ready:
    'Synced and Ready are True (packages: Installed and Healthy; definitions: Established); accepted while paused, while still in progress after 2 min, and after 60 s without a status; a ProviderConfig or Composition is ready when it is applied',
  failed:
    'Synced is False for 5 min with reason ReconcileError, or LastAsyncOperation is False for 60 s; Installed is False for 2 min',
  source: 'crossplane-runtime apis/common (conditions) and pkg/reconciler/managed; crossplane apis/{pkg,apiextensions}',
  judge,
};

const acceptMs = 120_000;
const packages = 'pkg.crossplane.io';
const definitions = 'apiextensions.crossplane.io';

const ofManaged: readonly Failing[] = [
  {
    type: 'LastAsyncOperation',
    graceMs: 60_000,
    hint: 'Fix what the provider says: usually a permission, a quota or an immutable field.',
  },
  {
    type: 'Synced',
    reasons: ['ReconcileError'],
    graceMs: 300_000,
    hint: 'Fix what the provider says: usually its access, or an object that it refers to.',
  },
];

const ofPackage: readonly Failing[] = [
  { type: 'Installed', graceMs: 120_000, hint: 'Check the name and the version of the package, and its registry.' },
];

function judge(object: KubernetesObject, facts: Facts): Verdict {
  const awaited = awaitedOf(object);
  if (awaited === undefined) return ready('applied');
  if (condition(object, 'Synced')?.reason === 'ReconcilePaused')
    return unchecked('paused: nothing is changed until its annotation is removed');
  return acceptSlow(awaitConditions(object, facts, awaited), facts, acceptMs, 'still in progress');
}

/** Undefined for what is only there to be used, and keeps no conditions. */
function awaitedOf(object: KubernetesObject): Awaited | undefined {
  const observed = 'nowhere';
  const group = groupOf(object.apiVersion);
  if (group === packages) {
    const isPackage = /^(?:Provider|Configuration|Function)(?:Revision)?$/.test(object.kind);
    return isPackage ? { types: ['Installed', 'Healthy'], observed, failing: ofPackage } : undefined;
  }
  if (group === definitions) {
    if (object.kind !== 'CompositeResourceDefinition') return undefined;
    return { types: ['Established'], observed, failing: [] };
  }
  if (/(?:ProviderConfig|ProviderConfigUsage|StoreConfig)$/.test(object.kind)) return undefined;
  // What failed before says nothing while the next operation is under way.
  const isBusy = condition(object, 'AsyncOperation')?.reason === 'Ongoing';
  const failing = ofManaged.filter(({ type }) => !isBusy || type !== 'LastAsyncOperation');
  return { types: ['Synced', 'Ready'], observed, failing };
}
