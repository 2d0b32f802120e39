import { objectAt, stringsAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * Writes what a Secret has under `stringData` under `data`, in place, as the server does; where both have a key, `stringData`
 * wins. The server forgets who has set a key under `stringData`, so that one that leaves it would stay in the cluster for ever
 * (kubernetes/kubernetes#108008).
 */
export function foldStringData(object: KubernetesObject): void {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1' || object['stringData'] === undefined) return;
  const encoded = Object.entries(stringsAt(object, 'stringData')).map(([key, text]): [string, string] => [
    key,
    Buffer.from(text, 'utf8').toString('base64'),
  ]);
  delete object['stringData'];
  if (encoded.length > 0) object['data'] = { ...objectAt(object, 'data'), ...Object.fromEntries(encoded) };
}
