import { InvalidInput } from '../base/errors.ts';
import { isObject, listAt, numberAt, objectAt, stringAt, stringsAt, type Json, type JsonObject } from '../base/json.ts';

/** What a credentials file says, by its `type`; how each becomes an access token is in the file of that name. */
export type CredentialsFile = Facts & (ServiceAccountKey | ExternalAccount | AuthorizedUser | Impersonated);

interface Facts {
  projectId?: string;
  quotaProject?: string;
  universe?: string;
}

export interface ServiceAccountKey {
  type: 'service_account';
  email: string;
  privateKey: string;
  keyId?: string;
  tokenUri?: string;
}

export interface ExternalAccount {
  type: 'external_account';
  audience: string;
  subjectTokenType: string;
  tokenUrl: string;
  subject: SubjectSource;
  impersonation?: Impersonation;
  /** Of a workforce pool. */
  userProject?: string;
  client?: { id: string; secret: string };
}

/** Where the token of the other identity provider comes from. */
export type SubjectSource = { field?: string } & (
  { type: 'url'; url: string; headers: Record<string, string> } | { type: 'file'; path: string }
);

export interface Impersonation {
  url: string;
  lifetimeSeconds?: number;
  delegates?: string[];
}

export interface AuthorizedUser {
  type: 'authorized_user';
  clientId: string;
  clientSecret: string;
  refreshToken: string;
  account?: string;
}

interface Impersonated {
  type: 'impersonated_service_account';
  source: CredentialsFile;
  impersonation: Impersonation;
}

const understood = 'service_account, external_account, authorized_user or impersonated_service_account';

/**
 * Reads a credentials file, or its text in base64, as people put it into a secret.
 * @param name how messages name it: `the input "credentials-json"`
 * @throws InvalidInput that names the field that is missing, never its value
 */
export function readCredentialsFile(text: string, name: string): CredentialsFile {
  return fileOf(parse(text, name), name);
}

function parse(text: string, name: string): JsonObject {
  const trimmed = text.trim();
  const source = trimmed.startsWith('{') ? trimmed : Buffer.from(trimmed, 'base64').toString('utf8').trim();
  let value: Json | undefined;
  try {
    value = JSON.parse(source) as Json;
  } catch {
    value = undefined;
  }
  if (isObject(value)) return value;
  // The parser's message would quote the text.
  throw new InvalidInput(`${name} is not valid JSON`, {
    hint: 'Set it to the whole content of the credentials file, as is or in base64.',
  });
}

function fileOf(json: JsonObject, name: string): CredentialsFile {
  const facts: Facts = {
    ...given('projectId', stringAt(json, 'project_id')),
    ...given('quotaProject', stringAt(json, 'quota_project_id')),
    ...given('universe', stringAt(json, 'universe_domain')),
  };
  const type = stringAt(json, 'type') ?? '';
  switch (type) {
    case 'service_account':
      return {
        ...facts,
        type,
        email: required(json, 'client_email', name),
        privateKey: required(json, 'private_key', name),
        ...given('keyId', stringAt(json, 'private_key_id')),
        ...given('tokenUri', stringAt(json, 'token_uri')),
      };
    case 'external_account':
      return { ...facts, ...externalAccount(json, name) };
    case 'authorized_user':
      return {
        ...facts,
        type,
        clientId: required(json, 'client_id', name),
        clientSecret: required(json, 'client_secret', name),
        refreshToken: required(json, 'refresh_token', name),
        ...given('account', stringAt(json, 'account')),
      };
    case 'impersonated_service_account': {
      const source = objectAt(json, 'source_credentials');
      const delegates = listAt(json, 'delegates').filter((delegate) => typeof delegate === 'string');
      const url = required(json, 'service_account_impersonation_url', name);
      return { ...facts, type, source: fileOf(source, name), impersonation: { url, delegates } };
    }
    default:
      throw new InvalidInput(`${name} is of type "${type}", which this action does not support`, {
        hint: `Use a file of type ${understood}.`,
      });
  }
}

function externalAccount(json: JsonObject, name: string): ExternalAccount {
  const url = stringAt(json, 'service_account_impersonation_url');
  const lifetimeSeconds = numberAt(json, 'service_account_impersonation', 'token_lifetime_seconds');
  const id = stringAt(json, 'client_id');
  return {
    type: 'external_account',
    audience: required(json, 'audience', name),
    subjectTokenType: required(json, 'subject_token_type', name),
    tokenUrl: required(json, 'token_url', name),
    subject: subjectSource(objectAt(json, 'credential_source'), name),
    ...(url === undefined ? {} : { impersonation: { url, ...given('lifetimeSeconds', lifetimeSeconds) } }),
    ...given('userProject', stringAt(json, 'workforce_pool_user_project')),
    ...(id === undefined ? {} : { client: { id, secret: stringAt(json, 'client_secret') ?? '' } }),
  };
}

function subjectSource(source: JsonObject, name: string): SubjectSource {
  const isJson = stringAt(source, 'format', 'type') === 'json';
  const field = given('field', isJson ? stringAt(source, 'format', 'subject_token_field_name') : undefined);
  const url = stringAt(source, 'url');
  const path = stringAt(source, 'file');
  // Of AWS, the url is that of its own metadata and no subject token.
  const isAws = stringAt(source, 'environment_id') !== undefined;
  if (url !== undefined && !isAws) return { type: 'url', url, headers: stringsAt(source, 'headers'), ...field };
  if (path !== undefined) return { type: 'file', path, ...field };
  const what = isAws ? 'AWS' : Object.keys(source).join(', ');
  throw new InvalidInput(
    `${name} gets its token from ${what === '' ? 'nowhere' : what}, which this action does not support`,
    {
      hint: 'Use a credential_source with "url" or "file", or the input "workload-identity-provider".',
    },
  );
}

function required(json: JsonObject, field: string, name: string): string {
  const value = stringAt(json, field);
  if (value !== undefined && value !== '') return value;
  throw new InvalidInput(`${name} has no "${field}"`, { hint: 'Set it to the whole content of the credentials file.' });
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Record<Key, Value>);
}

/** All that must not show of a credentials file, whatever it turns out to be; for a text that is none, nothing. */
export function secretsOfCredentials(text: string): string[] {
  const trimmed = text.trim();
  const isJson = trimmed.startsWith('{');
  const source = isJson ? trimmed : Buffer.from(trimmed, 'base64').toString('utf8');
  const names =
    'private_key|private_key_id|client_secret|refresh_token|access_token|id_token|subject_token|Authorization';
  const pattern = new RegExp(`"(?:${names})"\\s*:\\s*(?<value>"(?:[^"\\\\]|\\\\.)*")`, 'gi');
  const found = [...source.matchAll(pattern)].flatMap((match) => valuesOf(match.groups?.['value'] ?? '""'));
  return [...new Set([...(isJson ? [] : [trimmed]), ...found])];
}

/** The lines of a value, of a key without those that every key has. An `Authorization` without its scheme as well. */
function valuesOf(quoted: string): string[] {
  let value: string;
  try {
    value = JSON.parse(quoted) as string;
  } catch {
    // A key that was pasted with real line ends: no JSON, but as secret as any.
    value = quoted.slice(1, -1);
  }
  const lines = value.split(/\r?\n|\\n/).filter((line) => line !== '' && !line.startsWith('-----'));
  return lines.flatMap((line) => (/^bearer /i.test(line) ? [line, line.slice(7)] : [line]));
}
