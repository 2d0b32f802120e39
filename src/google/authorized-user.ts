import type { Credentials } from './credentials.ts';
import type { AuthorizedUser } from './credentials-file.ts';
import { explainGrant } from './explain-sign-in.ts';
import { readGoogleError } from './google-error.ts';
import type { Surroundings } from './surroundings.ts';
import { tokenOf } from './token-answer.ts';

/** Signs in as a person, by the file of `gcloud auth application-default login`. */
export function authorizedUser(user: AuthorizedUser, name: string, surroundings: Surroundings): Credentials {
  const { clock, hosts, onSecret, web } = surroundings;
  const principal = () => (user.account === undefined || user.account === '' ? undefined : `user:${user.account}`);
  const purpose = `sign in with the refresh token of ${name}`;
  return {
    name,
    principal,
    member: principal,
    token: async () => {
      const answer = await web.ask({
        method: 'POST',
        url: hosts.tokenUri,
        purpose,
        form: {
          grant_type: 'refresh_token',
          client_id: user.clientId,
          client_secret: user.clientSecret,
          refresh_token: user.refreshToken,
        },
      });
      if (answer.status >= 300) {
        throw explainGrant(readGoogleError(answer.status, answer.json, answer.text), purpose, name);
      }
      const token = tokenOf(answer.json, purpose, clock);
      onSecret(token.token);
      return token;
    },
  };
}
