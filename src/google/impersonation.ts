import { scopes, type AccessToken, type Credentials } from './credentials.ts';
import type { Impersonation } from './credentials-file.ts';
import { explainImpersonation } from './explain-sign-in.ts';
import { readGoogleError } from './google-error.ts';
import type { Surroundings } from './surroundings.ts';
import { impersonatedTokenOf } from './token-answer.ts';

/** An hour: more needs a policy of the organization. */
const lifetimeSeconds = 3600;

/**
 * A token of a service account, by whoever may make one (iamcredentials.googleapis.com v1
 * projects.serviceAccounts.generateAccessToken).
 * @param token of the one who impersonates
 * @param source who that is, as far as known
 */
export async function impersonate(
  impersonation: Impersonation,
  token: string,
  source: Pick<Credentials, 'principal' | 'member'>,
  { web, onSecret }: Surroundings,
): Promise<AccessToken> {
  const account = serviceAccountIn(impersonation.url);
  const purpose = `get a token of service account "${account}"`;
  const delegates = impersonation.delegates ?? [];
  const answer = await web.ask({
    method: 'POST',
    url: impersonation.url,
    headers: { Authorization: `Bearer ${token}` },
    purpose,
    json: {
      scope: [...scopes],
      lifetime: `${impersonation.lifetimeSeconds ?? lifetimeSeconds}s`,
      ...(delegates.length === 0 ? {} : { delegates }),
    },
  });
  if (answer.status >= 300) {
    throw explainImpersonation(readGoogleError(answer.status, answer.json, answer.text), account, source);
  }
  const made = impersonatedTokenOf(answer.json, purpose);
  onSecret(made.token);
  return made;
}

/** A file of type `impersonated_service_account`: others' credentials, and whom to become with them. */
export function impersonated(
  source: Credentials,
  impersonation: Impersonation,
  name: string,
  surroundings: Surroundings,
): Credentials {
  const principal = () => `serviceAccount:${serviceAccountIn(impersonation.url)}`;
  return {
    name,
    principal,
    member: principal,
    token: async () => {
      const { token } = await source.token();
      return await impersonate(impersonation, token, source, surroundings);
    },
  };
}

/** The e-mail in `https://…/serviceAccounts/EMAIL:generateAccessToken`. */
export function serviceAccountIn(url: string): string {
  const found = /\/serviceAccounts\/(?<email>[^/:]+):generateAccessToken$/.exec(url)?.groups?.['email'];
  return decodeURIComponent(found ?? url);
}
