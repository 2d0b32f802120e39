import { describe, expect, test } from '@jest/globals';

import { readInputs } from '../../../src/action/inputs.ts';
import { signInProblems } from '../../../src/action/sign-in-inputs.ts';

const cluster = { cluster: 'bootcamp', location: 'us-central1' };
const provider = {
  'workload-identity-provider': 'projects/123/locations/global/workloadIdentityPools/github/providers/acme',
};

/** Each problem as `message. hint`; the runner sets the defaults. */
function problems(inputs: Record<string, string>): string[] {
  const given = new Map(Object.entries({ endpoint: 'auto', 'export-kubeconfig': 'false', ...inputs }));
  return signInProblems(given).map(({ message, hint = '' }) => `${message}. ${hint}`);
}

describe('what goes together', () => {
  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['a kubeconfig', { kubeconfig: 'a', context: 'b' }],
    ['a cluster and its location', cluster],
    ['a full name', { cluster: 'projects/p/locations/us-central1/clusters/bootcamp' }],
    ['direct Workload Identity Federation', { ...cluster, ...provider, project: 'p' }],
    ['the same with a service account', { ...cluster, ...provider, 'service-account': 'a@p.iam.gserviceaccount.com' }],
    ['a token', { ...cluster, 'access-token': 'ya29' }],
    ['a fleet membership without a cluster', { endpoint: 'connect-gateway', 'fleet-membership': 'bootcamp' }],
    ['both of them', { ...cluster, endpoint: 'connect-gateway', 'fleet-membership': 'bootcamp' }],
    ['the credentials of a step before', { ...cluster, 'export-kubeconfig': 'true' }],
  ])('%s', (_, inputs) => {
    expect(problems(inputs)).toEqual([]);
  });
});

describe('what does not', () => {
  test.each<[string, Record<string, string>, string]>([
    [
      'two clusters',
      { ...cluster, kubeconfig: 'a' },
      'the inputs "cluster" and "kubeconfig" set the cluster in two ways: by sign-in to GKE and by a kubeconfig. Keep one of them.',
    ],
    [
      'a context of a kubeconfig that is not there',
      { ...cluster, context: 'a' },
      'the inputs "cluster" and "context" set the cluster in two ways: by sign-in to GKE and by a kubeconfig. Keep one of them.',
    ],
    [
      'sign-in without a cluster',
      { ...provider, project: 'p' },
      'the inputs "project" and "workload-identity-provider" belong to sign-in to GKE, which needs the input "cluster" too. Set "cluster", or remove the inputs that need it.',
    ],
    [
      'the gateway to nothing',
      { endpoint: 'connect-gateway' },
      'the input "endpoint" belongs to sign-in to GKE, which needs the input "cluster" or "fleet-membership" too. Set "cluster", or remove the inputs that need it.',
    ],
    [
      'two ways to sign in',
      { ...cluster, ...provider, 'access-token': 'ya29' },
      'the inputs "access-token" and "workload-identity-provider" set up 2 ways to sign in: "access-token" is sign-in with a ready-made token, "workload-identity-provider" is sign-in with Workload Identity Federation. Keep one of them.',
    ],
    [
      'half of Workload Identity Federation',
      { ...cluster, 'service-account': 'a@p.iam.gserviceaccount.com' },
      'the input "service-account" belongs to sign-in with Workload Identity Federation, which needs the input "workload-identity-provider" too. Set it, or remove "service-account": other credentials have their own identity.',
    ],
    [
      'half of the Connect Gateway',
      { ...cluster, 'fleet-membership': 'bootcamp' },
      'the input "fleet-membership" belongs to sign-in through the Connect Gateway, which needs "endpoint: connect-gateway" too. Set it, or remove "fleet-membership".',
    ],
    [
      'a short name alone',
      { cluster: 'bootcamp' },
      'sign-in to GKE needs the location of the cluster "bootcamp". Set the input "location" to its zone or region, as "gcloud container clusters list" shows it.',
    ],
    [
      'half of a full name',
      { cluster: 'projects/p/clusters/bootcamp' },
      'the input "cluster" is "projects/p/clusters/bootcamp", which is neither a short nor a full name. Write NAME or projects/PROJECT/locations/LOCATION/clusters/NAME.',
    ],
    [
      'a kubeconfig for steps that cannot sign in',
      { ...cluster, ...provider, 'export-kubeconfig': 'true' },
      'the inputs "export-kubeconfig" and "workload-identity-provider" cannot be combined: later steps do not have the credentials of an input. Sign in with google-github-actions/auth in an earlier step instead; its credentials are available to all later steps.',
    ],
  ])('%s', (_, inputs, expected) => {
    expect(problems(inputs)).toEqual([expected]);
  });

  test('is told all at once', () => {
    expect(
      problems({ ...cluster, kubeconfig: 'a', context: 'b', 'service-account': 'a@b', 'fleet-membership': 'c' }),
    ).toHaveLength(4);
  });
});

describe('formats', () => {
  const read = (inputs: Record<string, string>) =>
    readInputs(
      Object.fromEntries(
        Object.entries({ command: 'status', ...cluster, ...inputs }).map(([id, value]) => [
          `INPUT_${id.toUpperCase()}`,
          value,
        ]),
      ),
      () => undefined,
    );

  test('a provider is named by the number of its project', () => {
    const wrong = { 'workload-identity-provider': provider['workload-identity-provider'].replace('123', 'acme-shop') };
    expect(() => read(wrong)).toThrow('which is not a valid provider name');
    expect(read(provider).workloadIdentityProvider).toBe(provider['workload-identity-provider']);
  });

  test('a service account is named by its e-mail', () => {
    expect(() => read({ ...provider, 'service-account': 'deployer' })).toThrow(
      'which is not a valid service account e-mail address',
    );
  });
});

test('tokens and what is secret in credentials are masked before anything else, also when the inputs are wrong', () => {
  const masked: string[] = [];
  const key = '-----BEGIN PRIVATE KEY-----\\nMIIsecretone\\nMIIsecrettwo\\n-----END PRIVATE KEY-----\\n';
  const json = `{"type":"service_account","private_key_id":"0123abcd","private_key":"${key}","client_email":"a@b"}`;
  const env = { 'INPUT_ACCESS-TOKEN': 'ya29.secret', 'INPUT_CREDENTIALS-JSON': json, INPUT_COMMAND: 'stauts' };
  expect(() => readInputs(env, (secret) => masked.push(secret))).toThrow();
  expect(masked.sort()).toEqual(['0123abcd', 'MIIsecretone', 'MIIsecrettwo', 'ya29.secret']);
});
