import type { Prepared } from '../../apply/prepared.ts';
import { equal } from '../../base/json.ts';
import { checkCapacity, type Shortage } from '../../capacity/capacity.ts';
import type { Source } from '../../capacity/report.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { oneByOne, rollingUpdateOf } from '../../manifests/rolling-update.ts';
import type { PlanContext } from '../../plan/plan.ts';
import { namedPod } from '../device-holders.ts';
import { certainOf, isOfQuota } from './certain.ts';
import { devicesOf } from './devices.ts';
import { lookForRival } from './rivals.ts';
import { asksForMore, grows, notForAll, wholeOf, withoutOldPods } from './whole.ts';

/** Why the pods of a Deployment that has no room for one more cannot be replaced in place, and what to do; undefined where they can. */
export function obstacleInPlace(entry: Prepared, source: Source | undefined): string | undefined {
  const { predicted, manifest } = entry;
  if (grows(entry)) return `${inPlaceInput} does not make room for more replicas: ${ofMoreReplicas}`;
  const { object } = manifest;
  if (equal(rollingUpdateOf(predicted), rollingUpdateOf(object))) return undefined;
  const lost = `${inPlaceInput} could not restore the rolling update settings, which are set in the cluster and not in the`;
  if (source === undefined) return `${lost} manifest: add them to the manifest.`;
  const { name, namespace = 'default' } = refOf(object);
  const patch = JSON.stringify({ spec: { strategy: { rollingUpdate: oneByOne.rollingUpdate } } });
  return `${lost} revision: set "maxSurge: 0" and "maxUnavailable: 1" in the cluster first (kubectl patch deployment ${name} --namespace ${namespace} --patch '${patch}').`;
}

const inPlaceInput = '"on-low-capacity: in-place"';
const ofMoreReplicas = 'free up or add nodes, or use no more replicas than now.';

/** A pod of somebody else that would take what an old pod releases. */
export async function lookForObstacle(
  { client, namespace }: Pick<PlanContext, 'client' | 'namespace'>,
  { predicted }: Prepared,
  shortages: readonly Shortage[],
  moving: readonly Prepared[],
): Promise<string | undefined> {
  if (predicted === undefined || shortages.every((shortage) => isOfQuota([shortage]))) return undefined;
  const ownerOf = (object: KubernetesObject) => ({
    ...refOf(object),
    namespace: object.metadata.namespace ?? namespace,
  });
  const own = moving.flatMap(({ live }) => (live === undefined ? [] : [ownerOf(live)]));
  const devices = devicesOf(predicted);
  const rival = await lookForRival(client, ownerOf(predicted), devices, own);
  if (rival === undefined) return undefined;
  const asked = devices.filter((name) => devicesOf(rival).includes(name)).join(' and ');
  return `${inPlaceInput} does not help, since ${namedPod(rival)} is pending and would take the ${asked} that an old pod releases: wait until it runs, delete it, or free up or add nodes.`;
}

/** Whether all that is replaced in place has room together in the end, where pods ask for more than those before them. */
export async function lookForRoomOfAll(
  { client, namespace }: Pick<PlanContext, 'client' | 'namespace'>,
  entries: readonly Prepared[],
): Promise<Shortage[]> {
  if (entries.length < 2 || !entries.some(asksForMore)) return [];
  const whole = entries.flatMap((entry) => wholeOf(entry) ?? []);
  const report = await checkCapacity(client, namespace, whole, { strategy: 'rolling update', inPlace: false });
  return certainOf(report).map((shortage) => ({ ...withoutOldPods(shortage), hint: notForAll }));
}
