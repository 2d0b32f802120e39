import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { readBoundedFile } from '../base/bounded-file.ts';
import { errorCode, Failure, InvalidInput, messageOf } from '../base/errors.ts';
import { limits } from '../base/limits.ts';
import { givenToken } from './access-token.ts';
import { authorizedUser } from './authorized-user.ts';
import { projectOfServiceAccount } from './cluster-name.ts';
import type { Credentials } from './credentials.ts';
import { readCredentialsFile, secretsOfCredentials, type CredentialsFile } from './credentials-file.ts';
import { externalAccount, githubFederation } from './federation.ts';
import type { Environment } from './hosts.ts';
import { impersonated } from './impersonation.ts';
import { metadataServer } from './metadata-server.ts';
import { serviceAccountKey } from './service-account-key.ts';
import type { Surroundings } from './surroundings.ts';

/** How the inputs say to sign in; at most one of the first three. */
export interface SignInInputs {
  accessToken?: string;
  workloadIdentityProvider?: string;
  credentialsJson?: string;
  /** With a provider: the service account to become. */
  serviceAccount?: string;
}

/** The variables that name a credentials file: the libraries' own, then gcloud's, then that of google-github-actions/auth. */
export const fileVariables = [
  'GOOGLE_APPLICATION_CREDENTIALS',
  'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE',
  'GOOGLE_GHA_CREDS_PATH',
] as const;

/** Where credentials are, apart from the metadata server, before anything is asked. */
type Source =
  | { type: 'access-token'; token: string }
  | { type: 'github'; provider: string; serviceAccount: string | undefined }
  | { type: 'text'; text: string; name: string }
  | { type: 'file'; path: string; name: string };

/** Inputs count before the environment, and that before the file of `gcloud auth application-default login`. */
export function chooseSource(
  inputs: SignInInputs,
  env: Environment,
  exists: (path: string) => boolean = existsSync,
): Source | undefined {
  const { accessToken, workloadIdentityProvider, credentialsJson, serviceAccount } = inputs;
  if (accessToken !== undefined) return { type: 'access-token', token: accessToken };
  if (workloadIdentityProvider !== undefined) {
    return { type: 'github', provider: providerName(workloadIdentityProvider), serviceAccount };
  }
  if (credentialsJson !== undefined)
    return { type: 'text', text: credentialsJson, name: 'the input "credentials-json"' };
  for (const variable of fileVariables) {
    const path = env[variable] ?? '';
    if (path !== '') return { type: 'file', path, name: `the file "${path}" of ${variable}` };
  }
  const folder = env['CLOUDSDK_CONFIG'] ?? join(env['HOME'] ?? homedir(), '.config/gcloud');
  const path = join(folder, 'application_default_credentials.json');
  return exists(path) ? { type: 'file', path, name: `the file "${path}"` } : undefined;
}

/** `projects/1/locations/…`, also from the forms with a host before it. */
function providerName(provider: string): string {
  return provider.replace(/^(?:https:)?\/\/iam\.[^/]+\//, '');
}

/** @throws Failure when there are none, or a file cannot be read */
export async function findCredentials(inputs: SignInInputs, surroundings: Surroundings): Promise<Credentials> {
  const source = chooseSource(inputs, surroundings.env);
  if (source !== undefined) return fromSource(source, surroundings);
  const found = await metadataServer(surroundings);
  if (found !== undefined) return found;
  throw new Failure(
    'no credentials for Google Cloud in the inputs, GOOGLE_APPLICATION_CREDENTIALS and the like, or from a metadata server',
    { hint: 'Set the input "workload-identity-provider", or run google-github-actions/auth in an earlier step.' },
  );
}

/** The universe that the credentials say they belong to. */
export function universeOfInputs(inputs: SignInInputs, env: Environment): string | undefined {
  const source = chooseSource(inputs, env);
  if (source === undefined || source.type === 'access-token' || source.type === 'github') return undefined;
  const file = source.type === 'file' ? readFile(source.path, source.name) : source.text;
  return readCredentialsFile(file, source.name).universe;
}

function fromSource(source: Source, surroundings: Surroundings): Credentials {
  switch (source.type) {
    case 'access-token':
      surroundings.onSecret(source.token);
      return givenToken(source.token);
    case 'github': {
      const projectId = projectOfServiceAccount(source.serviceAccount);
      return {
        ...githubFederation(source.provider, source.serviceAccount, surroundings),
        ...(projectId === undefined ? {} : { projectId }),
      };
    }
    case 'text':
    case 'file': {
      const text = source.type === 'file' ? readFile(source.path, source.name) : source.text;
      secretsOfCredentials(text).forEach(surroundings.onSecret);
      return fromFile(readCredentialsFile(text, source.name), source.name, surroundings);
    }
  }
}

function fromFile(file: CredentialsFile, name: string, surroundings: Surroundings): Credentials {
  const credentials = signingIn(file, name, surroundings);
  const email = credentials.principal()?.replace(/^serviceAccount:/, '');
  const projectId = file.projectId ?? projectOfServiceAccount(email);
  return {
    ...credentials,
    ...(projectId === undefined ? {} : { projectId }),
    ...(file.quotaProject === undefined ? {} : { quotaProject: file.quotaProject }),
    ...(file.universe === undefined ? {} : { universe: file.universe }),
  };
}

function signingIn(file: CredentialsFile, name: string, surroundings: Surroundings): Credentials {
  switch (file.type) {
    case 'service_account':
      return serviceAccountKey(file, name, surroundings);
    case 'external_account':
      return externalAccount(file, name, surroundings);
    case 'authorized_user':
      return authorizedUser(file, name, surroundings);
    case 'impersonated_service_account':
      return impersonated(signingIn(file.source, name, surroundings), file.impersonation, name, surroundings);
  }
}

function readFile(path: string, name: string): string {
  try {
    return readBoundedFile(path, name, limits.credentialsFile).toString();
  } catch (error) {
    if (error instanceof InvalidInput) throw error;
    const isGone = errorCode(error) === 'ENOENT';
    throw new InvalidInput(`${name} ${isGone ? 'is not there' : `cannot be read: ${messageOf(error)}`}`, {
      cause: error,
      hint: isGone
        ? 'Run actions/checkout before google-github-actions/auth: a checkout cleans the workspace, and the file is in it.'
        : 'Check that this runner can read it.',
    });
  }
}
