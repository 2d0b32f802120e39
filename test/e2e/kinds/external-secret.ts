import type { JsonObject } from '../../../src/base/json.ts';
import { nowIs, restsMs, timeNow, type Play } from './play.ts';

const object = (key: string) => ({
  apiVersion: 'external-secrets.io/v1',
  kind: 'ExternalSecret',
  metadata: { name: 'web' },
  spec: {
    refreshInterval: '1h0m0s',
    secretStoreRef: { kind: 'SecretStore', name: 'vault' },
    target: { name: 'web' },
    data: [{ secretKey: 'password', remoteRef: { key } }],
  },
});

/** When its condition became True first: it stays so while the spec changes, and keeps its time. */
let syncedSince = '';
const synced = (generation: number): JsonObject => ({
  binding: { name: 'web' },
  conditions: [{ ...nowIs('Ready', 'True', 'SecretSynced', 'secret synced'), lastTransitionTime: syncedSince }],
  refreshTime: timeNow(),
  syncedResourceVersion: `${generation}-5c8e2f1b7a`,
});

const refused = 'could not get secret data from provider';
const notSynced = (more: JsonObject = {}): JsonObject => ({
  conditions: [nowIs('Ready', 'False', 'SecretSyncedError', refused)],
  ...more,
});

/** Its controller names no generation but in what it has synced last. */
export const externalSecret: Play = {
  definition: 'externalsecrets.external-secrets.io',
  sequences: [
    {
      about: 'is awaited until it is synced, while its store cannot be read yet',
      object: object('web/first'),
      moves: [
        { after: 'waiting for the controller', statuses: () => [notSynced({ binding: { name: '' } })] },
        {
          after: refused,
          statuses: () => {
            syncedSince = timeNow();
            return [synced(1)];
          },
        },
      ],
      ends: 'deployed',
      says: '✓ ExternalSecret "web": synced',
    },
    {
      about: 'that is synced with its keys of before is not taken for ready with the new ones',
      object: object('web/second'),
      moves: [
        // Another refresh of the version before.
        { after: 'waiting for the controller', statuses: () => [synced(1)], restsMs },
        { statuses: () => [synced(2)] },
      ],
      ends: 'deployed',
      says: '✓ ExternalSecret "web": synced',
    },
    {
      about: 'whose new key is not there fails after 60 s, and is undone',
      object: object('web/nothing'),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            notSynced({ binding: { name: 'web' }, refreshTime: timeNow(), syncedResourceVersion: '2-5c8e2f1b7a' }),
          ],
        },
      ],
      ends: 'undone',
      says: `✗ ExternalSecret "web": ${refused}`,
    },
  ],
};
