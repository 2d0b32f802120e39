import type { JsonObject } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject, type ManagedFieldsEntry } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { applyEntry, entriesOf, isPredecessor, unionFields } from './managed-fields.ts';

export function needsTakeover(live: KubernetesObject | undefined): boolean {
  return entriesOf(live).some(isPredecessor);
}

/**
 * Makes the fields of our predecessors ours (the rule of client-go's csaupgrade). The annotation of `kubectl apply` comes
 * along, and with it goes away in the next apply: a later `kubectl apply` would compute removals from it.
 * @throws ApiError with a write conflict when the object has changed since it was read
 */
export async function takeOver(client: KubernetesClient, live: KubernetesObject): Promise<KubernetesObject> {
  const predecessorEntries = entriesOf(live).filter(isPredecessor);
  const own = applyEntry(live, fieldManager);
  const first = own ?? predecessorEntries[0];
  if (first === undefined) return live;
  const fieldsV1 = [...predecessorEntries, ...(own === undefined ? [] : [own])].reduce<JsonObject>(
    (fields, entry) => unionFields(fields, entry.fieldsV1 ?? {}),
    {},
  );
  const merged: ManagedFieldsEntry = {
    manager: fieldManager,
    operation: 'Apply',
    apiVersion: first.apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(first.time === undefined ? {} : { time: first.time }),
  };
  const others = entriesOf(live).filter((entry) => !isPredecessor(entry) && entry !== own);
  const { object } = await client.patch(
    refOf(live),
    {
      type: 'json',
      operations: [
        { op: 'replace', path: '/metadata/managedFields', value: [...others, merged] },
        // A guard against a write in between.
        { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion ?? '' },
      ],
    },
    { fieldManager },
  );
  return object;
}
