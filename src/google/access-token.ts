import { InvalidInput } from '../base/errors.ts';
import type { AccessToken, Credentials } from './credentials.ts';

/** A token that somebody else has made: it serves for as long as it does, and nobody can renew it here. */
export function givenToken(token: string): Credentials {
  let used = false;
  return {
    name: 'the input "access-token"',
    principal: () => undefined,
    member: () => undefined,
    token: (): Promise<AccessToken> => {
      if (used) {
        // Asked for another one: the first was refused.
        return Promise.reject(
          new InvalidInput('Google rejected the token in the input "access-token"; it may have expired', {
            hint: 'Get it right before this step: it lasts an hour at most and cannot be renewed. For longer runs use "workload-identity-provider".',
          }),
        );
      }
      used = true;
      return Promise.resolve({ token });
    },
  };
}
