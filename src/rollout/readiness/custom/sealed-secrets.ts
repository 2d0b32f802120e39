import type { Rule } from '../rule.ts';
import { awaitConditions } from './patience.ts';

export const sealedSecret: Rule = {
  kinds: [{ kind: 'SealedSecret', group: 'bitnami.com' }],
  ready:
    'Synced is True for this generation; accepted after 60 s without a status, or with one that names no generation',
  failed: 'Synced is False for 15 s: what was sealed for another key or name cannot be decrypted',
  source: 'sealed-secrets pkg/controller (updateSealedSecretStatus); sealed-secrets#1355 for the generation',
  judge: (object, facts) =>
    awaitConditions(object, facts, {
      types: ['Synced'],
      observed: 'status',
      failing: [
        {
          type: 'Synced',
          graceMs: 15_000,
          hint: 'Seal it again with the certificate of this cluster, for this name and namespace.',
        },
      ],
    }),
};
