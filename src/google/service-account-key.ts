import { createSign } from 'node:crypto';

import { InvalidInput } from '../base/errors.ts';
import { scopes, type AccessToken, type Credentials } from './credentials.ts';
import type { ServiceAccountKey } from './credentials-file.ts';
import { explainGrant } from './explain-sign-in.ts';
import { readGoogleError } from './google-error.ts';
import { defaultUniverse } from './hosts.ts';
import type { Surroundings } from './surroundings.ts';
import { tokenOf } from './token-answer.ts';

const lifetimeSeconds = 3600;

/**
 * Signs in with the key of a service account: an assertion signed with it becomes an access token (RFC 7523) at the
 * key's own `token_uri`. Other universes know no such exchange; there the assertion itself is the token.
 */
export function serviceAccountKey(key: ServiceAccountKey, name: string, surroundings: Surroundings): Credentials {
  const { clock, hosts, onSecret } = surroundings;
  return {
    name,
    principal: () => `serviceAccount:${key.email}`,
    member: () => `serviceAccount:${key.email}`,
    token: async () => {
      if (hosts.universe === defaultUniverse) return await exchange(key, name, surroundings);
      const now = Math.floor(clock.now() / 1000);
      const token = sign(key, name, { sub: key.email, scope: scopes.join(' ') }, now);
      onSecret(token);
      return { token, expiresAt: (now + lifetimeSeconds) * 1000 };
    },
  };
}

async function exchange(key: ServiceAccountKey, name: string, surroundings: Surroundings): Promise<AccessToken> {
  const { clock, hosts, onSecret, web } = surroundings;
  const url = key.tokenUri ?? hosts.tokenUri;
  const purpose = `sign in as service account "${key.email}"`;
  const assertion = sign(key, name, { aud: url, scope: scopes.join(' ') }, Math.floor(clock.now() / 1000));
  onSecret(assertion);
  const answer = await web.ask({
    method: 'POST',
    url,
    purpose,
    form: { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion },
  });
  if (answer.status >= 300) throw explainGrant(readGoogleError(answer.status, answer.json, answer.text), purpose, name);
  const token = tokenOf(answer.json, purpose, clock);
  onSecret(token.token);
  return token;
}

/** A JWT signed with the key. @param now seconds since the epoch */
function sign(key: ServiceAccountKey, name: string, claims: Record<string, string>, now: number): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const head = encode({ alg: 'RS256', typ: 'JWT', ...(key.keyId === undefined ? {} : { kid: key.keyId }) });
  const body = encode({ iss: key.email, ...claims, iat: now, exp: now + lifetimeSeconds });
  try {
    const signature = createSign('RSA-SHA256').update(`${head}.${body}`).sign(key.privateKey, 'base64url');
    return `${head}.${body}.${signature}`;
  } catch {
    // The error of OpenSSL says nothing that a user could use.
    throw new InvalidInput(`the "private_key" of ${name} is not a key in PEM`, {
      hint: 'Set it to the whole content of the credentials file; its line endings must be "\\n" within the JSON.',
    });
  }
}
