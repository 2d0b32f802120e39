import type { JsonObject } from '../../../src/base/json.ts';
import { nowIs, restsMs, timeNow, type Play } from './play.ts';

const object = (...dnsNames: string[]) => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'web' },
  spec: { secretName: 'web-tls', dnsNames, issuerRef: { name: 'internal', kind: 'Issuer' } },
});

const absent = 'Issuing certificate as Secret does not exist';
const changed = 'Fields on existing CertificateRequest resource not up to date: [spec.dnsNames]';
const refused =
  'The certificate request has failed to complete and will be retried: Failed to wait for order resource "web-3" to become ready: order is in "invalid" state';

const issuing = (observedGeneration: number, reason: string, message: string) =>
  nowIs('Issuing', 'True', reason, message, { observedGeneration });
const notReady = (observedGeneration: number, reason: string, message: string) =>
  nowIs('Ready', 'False', reason, message, { observedGeneration });
const isReady = (observedGeneration: number) =>
  nowIs('Ready', 'True', 'Ready', 'Certificate is up to date and has not expired', { observedGeneration });

const valid = () => ({
  notBefore: timeNow(),
  notAfter: new Date(Date.now() + 86_400_000).toISOString().replace(/\.\d+Z$/, 'Z'),
  renewalTime: new Date(Date.now() + 57_600_000).toISOString().replace(/\.\d+Z$/, 'Z'),
});

const next = { nextPrivateKeySecretName: 'web-x7x7x' };

/** One controller of cert-manager starts an issuance, one makes the key, one ends it, and one says whether what is there serves. */
export const certificate: Play = {
  definition: 'certificates.cert-manager.io',
  sequences: [
    {
      about: 'is awaited until it is issued',
      object: object('web.example.com'),
      moves: [
        {
          after: 'waiting for the controller',
          statuses: () => [
            { conditions: [issuing(1, 'DoesNotExist', absent)] },
            { conditions: [issuing(1, 'DoesNotExist', absent), notReady(1, 'DoesNotExist', absent)] },
            { conditions: [issuing(1, 'DoesNotExist', absent), notReady(1, 'DoesNotExist', absent)], ...next },
          ],
        },
        {
          after: `being issued: ${absent}`,
          statuses: () => [{ conditions: [notReady(1, 'DoesNotExist', absent)], revision: 1 }],
        },
        {
          after: `not Ready yet: DoesNotExist: ${absent}`,
          statuses: () => [{ conditions: [isReady(1)], revision: 1, ...valid() }],
        },
      ],
      ends: 'deployed',
      says: '✓ Certificate "web": issued',
    },
    {
      about: 'that was ready with its names of before is not taken for ready with the new ones',
      object: object('web.example.com', 'www.example.com'),
      moves: [
        { after: 'waiting for the controller', restsMs },
        { statuses: () => reissued(2) },
        {
          after: `being issued: ${changed}`,
          statuses: () => [{ conditions: [isReady(2)], revision: 2, ...valid() }],
        },
      ],
      ends: 'deployed',
      says: '✓ Certificate "web": issued',
    },
    {
      about: 'that its issuer refuses fails after 30 s, and is undone',
      object: object('web.example.com', 'not-ours.example.org'),
      moves: [
        { after: 'waiting for the controller', statuses: () => reissued(3) },
        {
          after: `being issued: ${changed}`,
          statuses: () => [
            {
              conditions: [
                nowIs('Issuing', 'False', 'Failed', refused, { observedGeneration: 3 }),
                notReady(3, 'RequestChanged', changed),
              ],
              ...{ revision: 2, failedIssuanceAttempts: 1, lastFailureTime: timeNow(), ...valid() },
            },
          ],
        },
      ],
      ends: 'undone',
      says: `✗ Certificate "web": ${refused}`,
    },
  ],
};

/** What is there serves no more once its request does not match. */
function reissued(generation: number): JsonObject[] {
  const [conditions, old] = [[issuing(generation, 'RequestChanged', changed)], isReady(generation - 1)];
  return [
    { conditions: [...conditions, old], revision: generation - 1, ...valid() },
    {
      conditions: [...conditions, notReady(generation, 'RequestChanged', changed)],
      revision: generation - 1,
      ...valid(),
    },
    {
      conditions: [...conditions, notReady(generation, 'RequestChanged', changed)],
      ...{ revision: generation - 1, ...next, ...valid() },
    },
  ];
}
