import { Failure } from '../base/errors.ts';
import type { Credentials } from './credentials.ts';
import type { Claims } from './github-oidc.ts';
import type { GoogleError } from './google-error.ts';

/** What to do about an answer of STS, by its words; the first that fits counts. */
const stsRules: readonly [says: RegExp, hint: (audience: string, claims: Claims) => string][] = [
  [
    /rejected by the attribute condition/i,
    (_, claims) =>
      `Fix the attribute condition of the provider: this run has ${seen(claims)}; since July 2026 subjects of new repositories include ids (repo:OWNER@ID/REPO@ID:…), so compare assertion.repository_id instead.`,
  ],
  [
    /stale to sign-in|expired|issued at (?:(?!issued at ).)* in the future/i,
    () => 'Fix the clock of the runner, or run it again: the GitHub token lasts five minutes.',
  ],
  [
    /127 bytes/,
    () =>
      'Map google.subject to something shorter in the provider, such as assertion.repository_id: 127 bytes are the limit.',
  ],
  [
    /disabled|deleted|not found|invalid_target/i,
    (audience) => `Check that the pool and the provider of "${audience}" exist and are enabled.`,
  ],
  [
    /issuer/i,
    () =>
      'Set the issuer of the provider to https://token.actions.githubusercontent.com (on GitHub Enterprise Server: https://HOST/_services/token).',
  ],
  [
    /audience/i,
    (audience) =>
      `Leave the allowed audiences of the provider empty, or add "https:${audience}" to them; its name must have the number of the project, not its id.`,
  ],
  [
    /mapp(ed|ing)/i,
    () =>
      'Fix the attribute mapping of the provider: each assertion.NAME in it must be a claim of GitHub, and google.subject must be mapped.',
  ],
];

/** STS does not take the token of GitHub (or of another provider). */
export function explainSts(error: GoogleError, audience: string, claims: Claims): Failure {
  if (error.disabled !== undefined)
    return apiIsDisabled('exchange the token of this job for a Google token', error.disabled);
  const provider = audience.replace(/^\/\/[^/]+\//, '');
  const text = `${error.status} ${error.message}`;
  const rule = stsRules.find(([says]) => says.test(text));
  return new Failure(
    `cannot exchange the token of this job for a Google token: the provider "${provider}" refuses it: ${error.message}`,
    {
      hint:
        rule?.[1](audience, claims) ??
        'Check the input "workload-identity-provider" against "gcloud iam workload-identity-pools providers describe".',
    },
  );
}

function seen({ subject, repository, repositoryId }: Claims): string {
  const parts = [
    repositoryId === undefined ? undefined : `repository_id "${repositoryId}"`,
    repository === undefined ? undefined : `repository "${repository}"`,
    subject === undefined ? undefined : `sub "${subject}"`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? 'a token without these claims' : parts.join(', ');
}

/** @param source who wanted to become the service account, as far as known */
export function explainImpersonation(
  error: GoogleError,
  account: string,
  source: Pick<Credentials, 'principal' | 'member'>,
): Failure {
  const attempt = `get a token of service account "${account}"`;
  if (error.disabled !== undefined) return apiIsDisabled(attempt, error.disabled);
  if (error.code === 403 || error.code === 404) {
    const permission = error.permission ?? 'iam.serviceAccounts.getAccessToken';
    const principal = source.principal();
    const who = principal ?? 'the signed-in identity';
    const member = source.member() ?? 'PRINCIPAL';
    const role =
      principal?.startsWith('principal') === true
        ? 'roles/iam.workloadIdentityUser'
        : 'roles/iam.serviceAccountTokenCreator';
    return new Failure(
      `cannot ${attempt}: "${who}" lacks the permission "${permission}" on it, or there is no such service account`,
      {
        hint: `Grant it with: gcloud iam service-accounts add-iam-policy-binding ${account} --role=${role} --member="${member}"; this can take 5 minutes to take effect.`,
      },
    );
  }
  return new Failure(`cannot ${attempt}: ${error.message} (HTTP ${error.code})`, {
    hint:
      error.code === 400
        ? 'Fix the e-mail of the service account; a lifetime over an hour needs an organization policy.'
        : 'Run it again; if it keeps failing, check https://status.cloud.google.com.',
  });
}

/** The token endpoint does not take a key or a refresh token. */
export function explainGrant(error: GoogleError, purpose: string, name: string): Failure {
  const text = `${error.status} ${error.message}`;
  const hint = /invalid_rapt|reauth/i.test(text)
    ? `Sign in again: the organization requires it regularly. Better use "workload-identity-provider" than ${name}.`
    : /signature|account not found|invalid_client|deleted|revoked|Bad Request/i.test(text)
      ? `Create a new key or sign in again: the one of ${name} was deleted or disabled.`
      : /invalid_grant|token(?:(?!token).)*time|iat|exp/i.test(text)
        ? 'Fix the clock of the runner, and check that the key still exists.'
        : 'Run it again; if it keeps failing, check https://status.cloud.google.com.';
  return new Failure(`cannot ${purpose}: ${error.message} (HTTP ${error.code})`, { hint });
}

export function apiIsDisabled(attempt: string, { service, url }: { service: string; url: string }): Failure {
  const name = service === '' ? 'an API' : `the API "${service}"`;
  return new Failure(`cannot ${attempt}: ${name} is not enabled in the project`, {
    hint: `Enable it at ${url} and run this again a few minutes later.`,
  });
}
