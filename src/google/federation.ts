import { readBoundedFile } from '../base/bounded-file.ts';
import { InvalidInput, messageOf } from '../base/errors.ts';
import { stringAt, type Json } from '../base/json.ts';
import { limits } from '../base/limits.ts';
import { scopes, type AccessToken, type Credentials } from './credentials.ts';
import type { ExternalAccount, SubjectSource } from './credentials-file.ts';
import { explainSts } from './explain-sign-in.ts';
import { claimsOf, githubToken, isNotYet, type Claims } from './github-oidc.ts';
import { readGoogleError } from './google-error.ts';
import { impersonate, serviceAccountIn } from './impersonation.ts';
import type { Surroundings } from './surroundings.ts';
import { checked, tokenOf } from './token-answer.ts';

/** The names that Workload Identity Federation has for whoever holds a token of the other side. */
interface Exchange {
  /** `//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/acme` */
  audience: string;
  tokenUrl: string;
  subjectTokenType: string;
  userProject?: string;
  client?: { id: string; secret: string };
}

const purpose = 'exchange the token of this job for a Google token';

/**
 * Signs in with GitHub's own token for this job, directly or as a service account.
 * @param provider `projects/1/locations/global/workloadIdentityPools/github/providers/acme`
 */
export function githubFederation(
  provider: string,
  serviceAccount: string | undefined,
  surroundings: Surroundings,
): Credentials {
  const { hosts } = surroundings;
  const base = `${hosts.of('iamcredentials')}/v1/projects/-/serviceAccounts`;
  const url = `${base}/${encodeURIComponent(serviceAccount ?? '')}:generateAccessToken`;
  return federation(
    'the input "workload-identity-provider"',
    {
      audience: `//iam.${hosts.universe}/${provider}`,
      tokenUrl: `${hosts.of('sts')}/v1/token`,
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
    },
    () => githubToken(`https://iam.${hosts.universe}/${provider}`, surroundings),
    serviceAccount === undefined ? undefined : { url },
    surroundings,
  );
}

/** Signs in with what a file of type `external_account` says, such as the one of google-github-actions/auth. */
export function externalAccount(file: ExternalAccount, name: string, surroundings: Surroundings): Credentials {
  return federation(name, file, () => subjectToken(file.subject, name, surroundings), file.impersonation, surroundings);
}

function federation(
  name: string,
  exchange: Exchange,
  subject: () => Promise<string>,
  impersonation: ExternalAccount['impersonation'],
  surroundings: Surroundings,
): Credentials {
  let federated: string | undefined;
  let repository: string | undefined;
  const source = { principal: () => federated, member: () => repository };
  const account = impersonation === undefined ? undefined : `serviceAccount:${serviceAccountIn(impersonation.url)}`;
  return {
    name,
    ...(account === undefined ? source : { principal: () => account, member: () => account }),
    token: async () => {
      const jwt = await subject();
      federated = principalOf(exchange.audience, jwt);
      repository = memberOf(exchange.audience, claimsOf(jwt));
      const token = await exchangeToken(exchange, jwt, surroundings);
      if (impersonation === undefined) return token;
      return await impersonate(impersonation, token.token, source, surroundings);
    },
  };
}

/**
 * sts.googleapis.com v1.token. The token that comes back lives as long as the one given, five minutes for GitHub's
 * (google-github-actions/auth#474).
 */
async function exchangeToken(exchange: Exchange, jwt: string, surroundings: Surroundings): Promise<AccessToken> {
  const { clock, onSecret, web } = surroundings;
  const { audience, client, subjectTokenType, tokenUrl, userProject } = exchange;
  const basic = client === undefined ? undefined : Buffer.from(`${client.id}:${client.secret}`).toString('base64');
  const answer = await web.ask({
    method: 'POST',
    url: tokenUrl,
    purpose,
    ...(basic === undefined ? {} : { headers: { Authorization: `Basic ${basic}` } }),
    json: {
      grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
      audience,
      scope: scopes[0],
      requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
      subjectToken: jwt,
      subjectTokenType,
      ...(userProject === undefined ? {} : { options: JSON.stringify({ userProject }) }),
    },
  });
  if (answer.status >= 300) {
    throw explainSts(readGoogleError(answer.status, answer.json, answer.text), audience, claimsOf(jwt));
  }
  const token = tokenOf(answer.json, purpose, clock);
  onSecret(token.token);
  return token;
}

async function subjectToken(source: SubjectSource, name: string, surroundings: Surroundings): Promise<string> {
  const text = source.type === 'file' ? fileText(source.path, name) : await urlText(source, name, surroundings);
  const token = checked(
    source.field === undefined ? text.trim() : fieldOf(text, source.field),
    `get the token that ${name} names`,
  );
  surroundings.onSecret(token);
  return token;
}

function fileText(path: string, name: string): string {
  try {
    return readBoundedFile(path, 'it', limits.credentialsFile).toString();
  } catch (error) {
    throw new InvalidInput(
      `${name} gets its token from the file "${path}", which cannot be read: ${messageOf(error)}`,
      {
        cause: error,
        hint: 'Check that the file exists on this runner.',
      },
    );
  }
}

async function urlText(
  { url, headers }: Extract<SubjectSource, { type: 'url' }>,
  name: string,
  { web, onSecret }: Surroundings,
): Promise<string> {
  for (const [header, value] of Object.entries(headers)) {
    // Not each of them: a mask of `Metadata: True` would hide that word wherever it stands.
    if (/authorization|token|secret|key/i.test(header)) onSecret(value.replace(/^\w+ /, ''));
  }
  const answer = await web.ask({
    url,
    headers,
    purpose: `get the token that ${name} names`,
    plainText: true,
    mayPass: isNotYet,
  });
  if (answer.status < 300) return answer.text;
  const { message } = readGoogleError(answer.status, answer.json, answer.text);
  throw new InvalidInput(`cannot get the token that ${name} names: ${message} (HTTP ${answer.status})`, {
    hint: 'Sign in within the job that deploys: credentials of google-github-actions/auth end with their job.',
  });
}

function fieldOf(text: string, field: string): string | undefined {
  try {
    return stringAt(JSON.parse(text) as Json, field);
  } catch {
    return undefined;
  }
}

/** `principalSet://iam.googleapis.com/projects/1/…/workloadIdentityPools/github/attribute.repository_id/815` */
export function memberOf(audience: string, { repositoryId, subject }: Claims): string | undefined {
  const pool = poolOf(audience);
  if (pool === undefined || subject === undefined) return undefined;
  // Tokens that are not of GitHub know no repository.
  return repositoryId === undefined
    ? `principal://${pool}/subject/${subject}`
    : `principalSet://${pool}/attribute.repository_id/${repositoryId}`;
}

/** `principal://iam.googleapis.com/projects/1/…/workloadIdentityPools/github/subject/repo:acme/shop:ref:refs/heads/main` */
export function principalOf(audience: string, jwt: string): string | undefined {
  const pool = poolOf(audience);
  const { subject } = claimsOf(jwt);
  return pool === undefined || subject === undefined ? undefined : `principal://${pool}/subject/${subject}`;
}

function poolOf(audience: string): string | undefined {
  return /^\/\/(?<pool>.+)\/providers\/[^/]+$/.exec(audience)?.groups?.['pool'];
}
