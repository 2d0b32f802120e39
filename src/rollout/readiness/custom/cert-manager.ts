import { stringAt } from '../../../base/json.ts';
import { condition, timeOf } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { progressing, troubled, type Facts, type Rule } from '../rule.ts';
import { judgeConditions } from './conditions.ts';
import { acceptSlow, awaitConditions, readyAs, whenSilent } from './patience.ts';

const group = 'cert-manager.io';

export const certificate: Rule = {
  kinds: [{ kind: 'Certificate', group }],
  ready:
    'Ready is True for this generation, Issuing is not True, and it has not expired; accepted while it is still being issued after 5 min, and after 60 s without a status',
  failed: 'Issuing is False for 30 s while Ready is not True: the next attempt is an hour away or more',
  source: 'cert-manager pkg/controller/certificates/{issuing,readiness,trigger}',
  judge: judgeCertificate,
};

const failedMs = 30_000;
/** Challenges of ACME wait for DNS, ms. */
const issuingMs = 300_000;

function judgeCertificate(object: KubernetesObject, facts: Facts): Verdict {
  const silent = whenSilent(object, facts);
  if (silent !== undefined) return silent;
  const { changed, generation, now } = facts;
  const found = condition(object, 'Ready');
  const issuing = condition(object, 'Issuing');
  const isSeen = [found, issuing].some((one) => !changed || (one?.observedGeneration ?? 0) >= generation);
  if (isSeen && found?.status !== 'True' && issuing?.status === 'False') {
    return troubled(object, failedMs, {
      reason: issuing.reason === '' ? 'Failed' : issuing.reason,
      message: issuing.message === '' ? 'it could not be issued' : issuing.message,
      hint: 'Fix what the message says, or the issuer that the Certificate names; its CertificateRequests and Orders tell more.',
    });
  }
  if (isSeen && issuing?.status === 'True') {
    const message = issuing.message === '' ? 'waiting for a new certificate' : issuing.message;
    return acceptSlow(progressing(`being issued: ${message}`), facts, issuingMs, 'not issued yet');
  }
  const verdict = judgeConditions(object, facts, { types: ['Ready'], observed: 'conditions', failing: [] });
  const until = timeOf(stringAt(object, 'status', 'notAfter'));
  if (verdict.state === 'ready' && until !== undefined && until <= now)
    return progressing('it has expired: waiting for a new one');
  return readyAs(verdict, 'issued');
}

export const issuer: Rule = {
  kinds: ['Issuer', 'ClusterIssuer'].map((kind) => ({ kind, group })),
  ready: 'Ready is True for this generation; accepted after 60 s without a status',
  failed: 'Ready is False for 60 s',
  source: 'cert-manager pkg/controller/{issuers,clusterissuers}',
  judge: (object, facts) =>
    awaitConditions(object, facts, {
      types: ['Ready'],
      observed: 'conditions',
      failing: [
        {
          type: 'Ready',
          graceMs: 60_000,
          hint: 'Fix what the message says: usually a Secret, an address or an account of the issuer.',
        },
      ],
    }),
};
