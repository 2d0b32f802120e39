import { describe, expect, test } from '@jest/globals';

import { readCredentialsFile, secretsOfCredentials } from '../../../src/google/credentials-file.ts';
import { chooseSource, type SignInInputs } from '../../../src/google/find-credentials.ts';

const provider = 'projects/1/locations/global/workloadIdentityPools/github/providers/acme';

describe('credentials are looked for', () => {
  const source = (inputs: SignInInputs, env: Record<string, string>, there: string[] = []) =>
    chooseSource(inputs, { HOME: '/home/me', ...env }, (path) => there.includes(path));
  const all = {
    GOOGLE_APPLICATION_CREDENTIALS: '/adc.json',
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE: '/gcloud.json',
    GOOGLE_GHA_CREDS_PATH: '/gha.json',
  };

  test('in the inputs first', () => {
    expect(source({ accessToken: 't' }, all)).toEqual({ type: 'access-token', token: 't' });
    expect(source({ credentialsJson: '{}' }, all)).toMatchObject({
      type: 'text',
      name: 'the input "credentials-json"',
    });
    expect(source({ workloadIdentityProvider: provider, serviceAccount: 'a@b' }, all)).toEqual({
      type: 'github',
      provider,
      serviceAccount: 'a@b',
    });
  });

  test.each(['', '//iam.googleapis.com/', 'https://iam.googleapis.com/'])('by a provider after "%s"', (prefix) => {
    expect(source({ workloadIdentityProvider: prefix + provider }, {})).toMatchObject({ provider });
  });

  test('then in the files that variables name, those of the libraries before those of gcloud', () => {
    const rest: Record<string, string> = { ...all };
    const paths = Object.entries(all).map(([variable]) => {
      const found = source({}, rest);
      Reflect.deleteProperty(rest, variable);
      return found?.type === 'file' ? found.path : undefined;
    });
    expect(paths).toEqual(['/adc.json', '/gcloud.json', '/gha.json']);
  });

  test('then where gcloud keeps the login of a person, and nowhere else', () => {
    const path = '/home/me/.config/gcloud/application_default_credentials.json';
    expect(source({}, {}, [path])).toMatchObject({ type: 'file', path });
    const other = '/config/application_default_credentials.json';
    expect(source({}, { CLOUDSDK_CONFIG: '/config' }, [other])).toMatchObject({ path: other });
    expect(source({}, {})).toBeUndefined();
  });
});

describe('a credentials file', () => {
  const external = {
    type: 'external_account',
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
  };

  test.each<[string, object, object]>([
    [
      'a key',
      {
        type: 'service_account',
        client_email: 'a@b',
        private_key: 'k',
        token_uri: 'https://t',
        project_id: 'p',
        universe_domain: 'u.example',
      },
      {
        type: 'service_account',
        email: 'a@b',
        privateKey: 'k',
        tokenUri: 'https://t',
        projectId: 'p',
        universe: 'u.example',
      },
    ],
    [
      'an external account with a url',
      {
        ...external,
        credential_source: {
          url: 'https://x',
          headers: { a: 'b' },
          format: { type: 'json', subject_token_field_name: 'value' },
        },
      },
      { subject: { type: 'url', url: 'https://x', headers: { a: 'b' }, field: 'value' } },
    ],
    [
      'an external account with a file',
      { ...external, credential_source: { file: '/t' } },
      { subject: { type: 'file', path: '/t' } },
    ],
    [
      'a login',
      { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r', quota_project_id: 'q' },
      { refreshToken: 'r', quotaProject: 'q' },
    ],
    [
      'somebody who becomes a service account',
      {
        type: 'impersonated_service_account',
        service_account_impersonation_url: 'https://i',
        delegates: ['d'],
        source_credentials: { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' },
      },
      { source: { refreshToken: 'r' }, impersonation: { url: 'https://i', delegates: ['d'] } },
    ],
  ])('may be %s, also in base64', (_, file, expected) => {
    const text = JSON.stringify(file);
    expect(readCredentialsFile(text, 'it')).toMatchObject(expected);
    expect(readCredentialsFile(Buffer.from(text).toString('base64'), 'it')).toMatchObject(expected);
  });

  test.each<[string, string, string]>([
    ['no JSON', '{"private_key": "MIIsecret', 'it is not valid JSON'],
    ['base64 of nothing', 'bm90aGluZw==', 'it is not valid JSON'],
    ['a list', '[]', 'it is not valid JSON'],
    ['another type', '{"type":"gdch_service_account"}', 'it is of type "gdch_service_account"'],
    ['a key without its key', '{"type":"service_account","client_email":"a@b"}', 'it has no "private_key"'],
    [
      'AWS',
      JSON.stringify({ ...external, credential_source: { environment_id: 'aws1', url: 'http://169.254.169.254' } }),
      'it gets its token from AWS, which this action does not support',
    ],
    [
      'a program',
      JSON.stringify({ ...external, credential_source: { executable: { command: 'c' } } }),
      'it gets its token from executable, which this action does not support',
    ],
  ])('that is %s is told without its secrets', (_, text, message) => {
    expect(() => readCredentialsFile(text, 'it')).toThrow(message);
    expect(() => readCredentialsFile(text, 'it')).not.toThrow('MIIsecret');
  });

  test('has its secrets found, whatever its form', () => {
    const file = {
      type: 'external_account',
      private_key: '-----BEGIN PRIVATE KEY-----\nMIIone\nMIItwo\n-----END PRIVATE KEY-----\n',
      refresh_token: '1//r',
      client_email: 'a@b',
      credential_source: { headers: { Authorization: 'Bearer eyJsecret' } },
    };
    const secrets = ['MIIone', 'MIItwo', '1//r', 'Bearer eyJsecret', 'eyJsecret'];
    const text = JSON.stringify(file, undefined, 2);
    const base64 = Buffer.from(text).toString('base64');
    expect(secretsOfCredentials(text)).toEqual(secrets);
    expect(secretsOfCredentials(base64)).toEqual([base64, ...secrets]);
    // Pasted with real line ends, it is no JSON.
    expect(secretsOfCredentials(text.replaceAll('\\n', '\n'))).toEqual(secrets);
  });
});
