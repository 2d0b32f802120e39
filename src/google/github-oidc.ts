import { Failure } from '../base/errors.ts';
import { stringAt, type Json } from '../base/json.ts';
import { saidAt } from '../base/said.ts';
import { plainText } from './google-error.ts';
import type { Surroundings } from './surroundings.ts';
import { checked } from './token-answer.ts';
import type { WebAnswer } from './web.ts';

const purpose = 'get an OIDC token from GitHub';

/** What GitHub's token says about who runs; for messages only, Google checks it. */
export interface Claims {
  subject: string | undefined;
  repository: string | undefined;
  repositoryId: string | undefined;
}

/**
 * A token of GitHub for this job and this audience; it lives for five minutes.
 * @throws Failure when the job may not have one, or GitHub gives none
 */
export async function githubToken(audience: string, { env, web, onSecret }: Surroundings): Promise<string> {
  const url = env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '';
  const secret = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '';
  if (url === '' || secret === '') {
    const variable = `ACTIONS_ID_TOKEN_REQUEST_${url === '' ? 'URL' : 'TOKEN'}`;
    throw new Failure(`cannot ${purpose}: this job is not allowed to request one: ${variable} is not set`, {
      hint: 'Add "id-token: write" (and "contents: read" for the checkout) to the "permissions:" of the job; runs of forks and Dependabot never get one.',
    });
  }
  onSecret(secret);
  const answer = await web.ask({
    url: `${url}${url.includes('?') ? '&' : '?'}audience=${encodeURIComponent(audience)}`,
    headers: { Authorization: `Bearer ${secret}`, Accept: 'application/json; api-version=2.0' },
    purpose,
    mayPass: isNotYet,
  });
  if (answer.status >= 300) throw refusal(answer);
  const token = checked(stringAt(answer.json, 'value'), purpose);
  onSecret(token);
  return token;
}

/** GitHub's own bookkeeping may lag behind a job that has just started (aws-actions/configure-aws-credentials#469). */
export function isNotYet({ text }: WebAnswer): boolean {
  return /job in '(Pending|Delayed|Queued)' state/.test(text);
}

function refusal({ status, text, json }: WebAnswer): Failure {
  const said = saidAt(json, 'message') ?? plainText(text) ?? 'no reason given';
  const isOver = said.includes("'Completed' state");
  return new Failure(`cannot ${purpose}: ${said} (HTTP ${status})`, {
    hint: isOver
      ? 'Sign in within the job that deploys: its token ends with the job.'
      : 'Run it again; if it keeps failing, check https://www.githubstatus.com and the "permissions:" of the job.',
  });
}

/** Reads the claims of a JWT without checking it. */
export function claimsOf(jwt: string): Claims {
  let claims: Json = null;
  try {
    claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString('utf8')) as Json;
  } catch {
    // Nothing to tell about it then.
  }
  return {
    subject: stringAt(claims, 'sub'),
    repository: stringAt(claims, 'repository'),
    repositoryId: stringAt(claims, 'repository_id'),
  };
}
