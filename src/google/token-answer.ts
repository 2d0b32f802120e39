import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { numberAt, stringAt, type Json } from '../base/json.ts';
import type { AccessToken } from './credentials.ts';

/** An answer with `access_token` and `expires_in` (seconds), as OAuth, STS and the metadata server give it. */
export function tokenOf(json: Json, purpose: string, clock: Clock): AccessToken {
  const seconds = numberAt(json, 'expires_in');
  return {
    token: checked(stringAt(json, 'access_token'), purpose),
    ...(seconds === undefined ? {} : { expiresAt: clock.now() + seconds * 1000 }),
  };
}

/** An answer of IAM Service Account Credentials: `accessToken` and `expireTime` (RFC 3339). */
export function impersonatedTokenOf(json: Json, purpose: string): AccessToken {
  const expiresAt = Date.parse(stringAt(json, 'expireTime') ?? '');
  return {
    token: checked(stringAt(json, 'accessToken'), purpose),
    ...(Number.isNaN(expiresAt) ? {} : { expiresAt }),
  };
}

export function checked(token: string | undefined, purpose: string): string {
  if (token !== undefined && token !== '') return token;
  throw new Failure(`cannot ${purpose}: the response has no token`, {
    hint: 'Check that the expected server answers there.',
  });
}
