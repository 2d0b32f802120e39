import { Failure } from '../base/errors.ts';
import { scopes, type Credentials } from './credentials.ts';
import { readGoogleError } from './google-error.ts';
import { firstOf, type Environment } from './hosts.ts';
import type { Surroundings } from './surroundings.ts';
import { tokenOf } from './token-answer.ts';
import { WebError, type WebAnswer } from './web.ts';

/** The link-local address that Google's machines know; asking for a name would wait for DNS elsewhere. */
const address = '169.254.169.254';

const flavor = 'Google';

/**
 * The service account of the machine that the runner is on (Compute Engine, GKE), or undefined where there is no metadata
 * server of Google: other clouds have one of theirs at the same address.
 */
export async function metadataServer(surroundings: Surroundings): Promise<Credentials | undefined> {
  const { clock, env, onSecret } = surroundings;
  if (env['METADATA_SERVER_DETECTION'] === 'none') return undefined;
  const ask = (path: string, attempts: number) => askServer(path, attempts, surroundings);
  const found = await ask('instance/service-accounts/default/email', 1);
  if (found === undefined) return undefined;
  const project = await ask('project/project-id', 3);
  const email = found.status < 300 ? found.text.trim() : undefined;
  const name = 'the metadata server of this runner';
  const principal = () => (email === undefined ? undefined : `serviceAccount:${email}`);
  return {
    name,
    principal,
    member: principal,
    ...(project === undefined || project.status >= 300 ? {} : { projectId: project.text.trim() }),
    token: async () => {
      const path = `instance/service-accounts/default/token?scopes=${encodeURIComponent(scopes.join(','))}`;
      const answer = await ask(path, 5);
      if (answer === undefined || answer.status >= 300) throw refusal(answer, name);
      const token = tokenOf(answer.json, `get a token from ${name}`, clock);
      onSecret(token.token);
      return token;
    },
  };
}

async function askServer(path: string, attempts: number, { env, web }: Surroundings): Promise<WebAnswer | undefined> {
  try {
    const answer = await web.ask({
      url: `http://${hostOf(env)}/computeMetadata/v1/${path}`,
      headers: { 'Metadata-Flavor': flavor },
      purpose: 'ask the metadata server',
      local: true,
      plainText: true,
      attempts,
      deadlineMs: 2_000,
    });
    return answer.headers['metadata-flavor'] === flavor ? answer : undefined;
  } catch (error) {
    if (error instanceof WebError) return undefined;
    throw error;
  }
}

function hostOf(env: Environment): string {
  return firstOf(env, ['GCE_METADATA_HOST', 'GCE_METADATA_IP']) ?? address;
}

function refusal(answer: WebAnswer | undefined, name: string): Failure {
  const why = answer === undefined ? 'no answer' : readGoogleError(answer.status, answer.json, answer.text).message;
  return new Failure(`cannot get a token from ${name}: ${why}`, {
    hint: 'Give the machine (on GKE: the Kubernetes service account of the runner) a Google service account, or sign in with an input.',
  });
}
