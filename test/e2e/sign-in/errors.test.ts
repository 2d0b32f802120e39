import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { join } from 'node:path';

import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import {
  error,
  FakeGoogle,
  invalidToken,
  oauthError,
  principal,
  provider,
  serviceAccount,
  subject,
  type Answer,
  type Call,
} from '../../support/google/fake-google.ts';
import { scriptedServer } from '../../support/scripted-server.ts';
import { certificateFor } from '../../support/certificate.ts';
import { runSignIn, scratch } from './drive.ts';

const output = join(import.meta.dirname, '../../../test-output');

const full = 'projects/acme-shop/locations/us-central1/clusters/bootcamp';
const inputs = {
  command: 'status',
  cluster: 'bootcamp',
  location: 'us-central1',
  project: 'acme-shop',
  'workload-identity-provider': provider,
};
const asServiceAccount = { ...inputs, 'service-account': serviceAccount };

const authority = Buffer.from('-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n').toString('base64');

function described(more: JsonObject = {}): JsonObject {
  return {
    name: 'bootcamp',
    location: 'us-central1',
    endpoint: '203.0.113.7',
    status: 'RUNNING',
    masterAuth: { clusterCaCertificate: authority },
    ...more,
  };
}

interface Row {
  /** The situation, as a user would tell it. */
  when: string;
  inputs?: Record<string, string>;
  script?: (call: Call, count: number) => Answer | undefined;
  cluster?: JsonObject;
  clusters?: Record<string, JsonObject>;
  memberships?: JsonObject[];
  env?: Record<string, string>;
  /** Variables that the job does not have. */
  without?: readonly string[];
  /** What the message and the hint must say. */
  message: string | RegExp;
  hint: string | RegExp;
}

/** Answers one method, leaves the others to the fake. */
const at =
  (id: string, answer: Answer | ((count: number) => Answer | undefined)) =>
  (call: Call, count: number): Answer | undefined => {
    if (call.id !== id) return undefined;
    return typeof answer === 'function' ? answer(count) : answer;
  };

const getCluster = 'container.projects.locations.clusters.get';
const impersonate = 'iamcredentials.projects.serviceAccounts.generateAccessToken';
const sts = (description: string, status = 400) => at('sts.token', oauthError('invalid_grant', description, status));

const rows: Row[] = [
  {
    when: 'the cluster is in a region, the workflow says a zone (get-gke-credentials#253)',
    inputs: { ...inputs, location: 'us-central1-a' },
    clusters: { [full]: described() },
    message:
      'there is no cluster "bootcamp" in "us-central1-a" of project "acme-shop", but there is one in "us-central1"',
    hint: 'Set the input "location" to "us-central1".',
  },
  {
    when: 'the name of the cluster is misspelt',
    inputs: { ...inputs, cluster: 'bootcmap' },
    clusters: { [full]: described() },
    message: 'there is no cluster "bootcmap" in "us-central1" of project "acme-shop"',
    hint: 'Did you mean "bootcamp" in "us-central1"?',
  },
  {
    when: 'the project has no cluster',
    clusters: {},
    message: 'the project has no cluster at all',
    hint: 'Check the inputs "cluster", "location" and "project".',
  },
  {
    when: 'the service account may not get the cluster (get-gke-credentials#309)',
    inputs: asServiceAccount,
    script: at(
      getCluster,
      error(403, 'PERMISSION_DENIED', `Required "container.clusters.get" permission(s) for "${full}".`),
    ),
    message: `"serviceAccount:${serviceAccount}" lacks the permission "container.clusters.get" in project "acme-shop"`,
    hint: `--role=roles/container.clusterViewer --member="serviceAccount:${serviceAccount}"`,
  },
  {
    when: 'the repository itself may not get the cluster, with direct Workload Identity Federation (auth#424)',
    script: at(
      getCluster,
      error(403, 'PERMISSION_DENIED', `Required "container.clusters.get" permission(s) for "${full}".`),
    ),
    message: `"${principal}" lacks the permission "container.clusters.get"`,
    hint: /--member="principalSet:\/\/iam\.googleapis\.com\/.*\/attribute\.repository_id\/815"/,
  },
  {
    when: 'the API of GKE is not enabled (cloudinfo#378)',
    script: at(
      getCluster,
      error(
        403,
        'PERMISSION_DENIED',
        'Kubernetes Engine API has not been used in project 123456789012 before or it is disabled. Enable it by visiting https://console.developers.google.com/apis/api/container.googleapis.com/overview?project=123456789012 then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems and retry.',
        {
          reason: 'SERVICE_DISABLED',
          metadata: { service: 'container.googleapis.com', consumer: 'projects/123456789012' },
        },
      ),
    ),
    message: 'the API "container.googleapis.com" is not enabled in the project',
    hint: 'Enable it at https://console.developers.google.com/apis/api/container.googleapis.com/overview?project=123456789012 and',
  },
  {
    when: 'the quota project may not be used',
    inputs: { ...inputs, 'quota-project': 'acme-billing' },
    script: at(
      getCluster,
      error(403, 'PERMISSION_DENIED', 'Caller does not have required permission to use project acme-billing.', {
        reason: 'USER_PROJECT_DENIED',
        metadata: { service: 'container.googleapis.com', consumer: 'projects/acme-billing' },
      }),
    ),
    message: 'lacks the permission "serviceusage.services.use" in project "acme-billing"',
    hint: '--role=roles/serviceusage.serviceUsageConsumer',
  },
  {
    when: 'the token is an ID token, or has expired (auth#387)',
    script: at(getCluster, invalidToken()),
    message:
      'Google rejected the token of the input "workload-identity-provider": Request had invalid authentication credentials',
    hint: 'Check that it has not expired and is an access token (not an ID token)',
  },
  {
    when: 'a ready-made token has expired',
    inputs: { command: 'status', cluster: full, 'access-token': 'ya29.a-token-of-yesterday' },
    message: 'Google rejected the token in the input "access-token"; it may have expired',
    hint: 'For longer runs use "workload-identity-provider"',
  },
  {
    when: 'the repository may not become the service account (auth#340, #455, #526)',
    inputs: asServiceAccount,
    script: at(
      impersonate,
      error(
        403,
        'PERMISSION_DENIED',
        "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
        {
          reason: 'IAM_PERMISSION_DENIED',
          metadata: { permission: 'iam.serviceAccounts.getAccessToken' },
        },
      ),
    ),
    message: `"${principal}" lacks the permission "iam.serviceAccounts.getAccessToken" on it, or there is no such service account`,
    hint: `gcloud iam service-accounts add-iam-policy-binding ${serviceAccount} --role=roles/iam.workloadIdentityUser --member="principalSet://`,
  },
  {
    when: 'the attribute condition is about another repository, or the old form of the subject',
    script: sts('The given credential is rejected by the attribute condition.', 401),
    message: `the provider "${provider}" refuses it: The given credential is rejected by the attribute condition`,
    hint: `this run has repository_id "815", repository "acme/shop", sub "${subject}"`,
  },
  {
    when: 'the clock of the runner is wrong (fullsend#705)',
    script: sts('ID Token issued at 1764093600 is stale to sign-in.'),
    message: 'ID Token issued at 1764093600 is stale to sign-in',
    hint: 'Fix the clock of the runner',
  },
  {
    when: 'google.subject is too long',
    script: sts(
      'The size of mapped attribute exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.',
    ),
    message: 'exceeds the 127 bytes limit',
    hint: 'Map google.subject to something shorter',
  },
  {
    when: 'the provider expects another issuer',
    script: sts(
      'The issuer in ID Token https://token.actions.githubusercontent.com does not match the expected ones: https://github.example.com',
    ),
    message: 'does not match the expected ones',
    hint: 'Set the issuer of the provider to https://token.actions.githubusercontent.com',
  },
  {
    when: 'the provider allows other audiences only',
    script: sts('The audience in ID Token [https://iam.googleapis.com/x] does not match the expected audience.'),
    message: 'does not match the expected audience',
    hint: `Leave the allowed audiences of the provider empty, or add "https://iam.googleapis.com/${provider}"`,
  },
  {
    when: 'there is no such pool or provider',
    script: at(
      'sts.token',
      oauthError(
        'invalid_target',
        'The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn\'t exist.',
      ),
    ),
    message: 'the pool or provider is disabled or deleted',
    hint: /exist and are enabled/,
  },
  {
    when: 'the job has no "id-token: write" (auth#16, #27, #62, #260)',
    without: ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'],
    message: 'this job is not allowed to request one: ACTIONS_ID_TOKEN_REQUEST_URL is not set',
    hint: 'Add "id-token: write"',
  },
  {
    when: 'the job that signed in has ended (auth#267)',
    script: at('oidc.token', { status: 403, json: { message: "Can't issue ID_TOKEN for job in 'Completed' state" } }),
    message: "cannot get an OIDC token from GitHub: Can't issue ID_TOKEN for job in 'Completed' state (HTTP 403)",
    hint: 'Sign in within the job that deploys',
  },
  {
    when: 'GitHub is down',
    script: at('oidc.token', { status: 503, text: '<html><title>503 Service Unavailable</title></html>' }),
    message: 'cannot get an OIDC token from GitHub: 503 Service Unavailable (HTTP 503)',
    hint: 'https://www.githubstatus.com',
  },
  {
    when: 'STS cuts every connection (auth#537)',
    script: at('sts.token', 'reset'),
    message:
      /cannot exchange the token of this job for a Google token: cannot reach 127\.0\.0\.1:\d+: the connection (was reset|broke) \(\w+\)/,
    hint: 'Check that this runner can reach the address',
  },
  {
    when: 'a login page of the network answers instead of Google',
    script: at(getCluster, { status: 200, text: '<html><title>Welcome to the guest network</title></html>' }),
    message: /did not answer with JSON/,
    hint: 'Check for a proxy or login page in between',
  },
  {
    when: 'something redirects to another host, which must not see the token',
    script: at(getCluster, { status: 302, text: '', headers: { Location: 'https://login.example.com/?next=x' } }),
    message: /redirects to login\.example\.com, where credentials must not be sent/,
    hint: 'HTTPS_PROXY, NO_PROXY',
  },
  {
    when: 'the file of google-github-actions/auth was cleaned away by a checkout',
    inputs: { command: 'status', cluster: full },
    env: { GOOGLE_APPLICATION_CREDENTIALS: '/nowhere/gha-creds-0123456789abcdef.json' },
    message: 'the file "/nowhere/gha-creds-0123456789abcdef.json" of GOOGLE_APPLICATION_CREDENTIALS is not there',
    hint: 'Run actions/checkout before google-github-actions/auth',
  },
  {
    when: 'nobody signs in at all',
    inputs: { command: 'status', cluster: full },
    env: { METADATA_SERVER_DETECTION: 'none' },
    message: 'no credentials for Google Cloud',
    hint: 'Set the input "workload-identity-provider", or run google-github-actions/auth in an earlier step',
  },
  {
    when: 'the cluster is still being made',
    cluster: described({ status: 'PROVISIONING', endpoint: '' }),
    message: 'cluster "bootcamp" is still being created (PROVISIONING)',
    hint: 'shows RUNNING',
  },
  {
    when: 'the cluster is broken',
    cluster: described({
      status: 'ERROR',
      conditions: [{ canonicalCode: 'RESOURCE_EXHAUSTED', message: 'Out of IP addresses.' }],
    }),
    message: 'cluster "bootcamp" is in an error state (ERROR): Out of IP addresses',
    hint: 'gcloud container clusters describe bootcamp',
  },
  {
    when: 'the public endpoint is asked for and off',
    inputs: { ...inputs, endpoint: 'public' },
    cluster: described({
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { endpoint: 'gke-0123.us-central1.gke.goog', allowExternalTraffic: true },
        ipEndpointsConfig: { enabled: true, enablePublicEndpoint: false, privateEndpoint: '10.0.0.2' },
      },
    }),
    message: 'the public endpoint of cluster "bootcamp" is off',
    hint: 'or use "endpoint: dns" or "endpoint: internal" or "endpoint: connect-gateway"',
  },
  {
    when: 'the internal endpoint is asked for, and the cluster has no addresses',
    inputs: { ...inputs, endpoint: 'internal' },
    cluster: described({
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { endpoint: 'gke-0123.us-central1.gke.goog', allowExternalTraffic: true },
        ipEndpointsConfig: { enabled: false },
      },
    }),
    message: 'cluster "bootcamp" has no addresses: its IP endpoints are off',
    hint: '--enable-ip-access',
  },
  {
    when: 'the DNS endpoint is closed to outside (kube-agents#648)',
    inputs: { ...inputs, endpoint: 'dns' },
    cluster: described({
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { endpoint: 'gke-0123.us-central1.gke.goog', allowExternalTraffic: false },
      },
    }),
    message: 'the DNS endpoint of cluster "bootcamp" is closed to traffic from outside',
    hint: '--enable-dns-access',
  },
  {
    when: 'the cluster is in no fleet, and the Connect Gateway is asked for',
    inputs: { ...inputs, endpoint: 'connect-gateway' },
    cluster: described(),
    message: 'cluster "bootcamp" is not in a fleet',
    hint: '--enable-fleet',
  },
  {
    when: 'there is no such membership',
    inputs: { ...inputs, endpoint: 'connect-gateway', 'fleet-membership': 'bootcmap' },
    cluster: described(),
    memberships: [{ name: 'projects/acme-shop/locations/us-central1/memberships/bootcamp' }],
    message:
      'there is no fleet membership "bootcmap" in project "acme-shop"; there are "projects/acme-shop/locations/us-central1/memberships/bootcamp"',
    hint: 'gcloud container fleet memberships list',
  },
];

const told: { when: string; message: string; hint: string }[] = [];
let google: FakeGoogle;

beforeEach(async () => {
  google = await FakeGoogle.start();
});

afterEach(async () => {
  await google[Symbol.asyncDispose]();
});

afterAll(() => {
  mkdirSync(output, { recursive: true });
  const items = told.map(({ when, message, hint }) => `- **${when}**\n  ${message}.\n  ${hint}\n`);
  writeFileSync(join(output, 'sign-in-errors.md'), `# What sign-in says when it fails\n\n${items.join('\n')}`);
});

/** Runs until it fails, and keeps what a user reads then. */
async function fails(row: Row): Promise<{ message: string; hint: string; log: string }> {
  google.options = {
    clusters: row.clusters ?? { [full]: row.cluster ?? described() },
    memberships: row.memberships ?? [],
    ...(row.script === undefined ? {} : { script: row.script }),
  };
  const job = Object.fromEntries(Object.entries(google.env).filter(([name]) => row.without?.includes(name) !== true));
  const given = row.inputs ?? inputs;
  const { main, failure } = await runSignIn(google, given, { job, ...(row.env === undefined ? {} : { env: row.env }) });
  expect(main.exit).toBe(1);
  const { message, hint = '' } = failure;
  // The last line is what people see first.
  expect(main.log).toContain('::error');
  told.push({ when: row.when, message, hint });
  return { message, hint, log: main.log };
}

describe('a newcomer is told what to do when', () => {
  test.each(rows.map((row) => [row.when, row] as const))('%s', async (_, row) => {
    const { message, hint } = await fails(row);
    expect(message).toMatch(row.message);
    expect(hint).toMatch(row.hint);
  });

  test('the internal address of the cluster cannot be reached from here (get-gke-credentials#308)', async () => {
    const { message, hint } = await fails({
      when: 'the internal address of the cluster cannot be reached from here (get-gke-credentials#308)',
      inputs: { ...inputs, endpoint: 'internal' },
      cluster: described({
        controlPlaneEndpointsConfig: {
          ipEndpointsConfig: { enabled: true, enablePublicEndpoint: false, privateEndpoint: nowhere() },
        },
      }),
      message: '',
      hint: '',
    });
    expect(message).toMatch(/cannot reach the API server at [\d.:]+: (no answer|there is no route to it)/);
    expect(hint).toMatch('Use a runner in the network of cluster "bootcamp"');
    expect(hint).toMatch('or "endpoint: dns" or "endpoint: connect-gateway"');
  });

  test('the DNS endpoint asks IAM and does not let us through (teleport#54923)', async () => {
    using certificate = await certificateFor(['IP:127.0.0.1']);
    await using door = await secureDoor(certificate, 403, '<html><title>Error 403 (Forbidden)!!1</title></html>');
    const { message, hint } = await fails({
      when: 'the DNS endpoint asks IAM and does not let us through (teleport#54923)',
      inputs: asServiceAccount,
      cluster: described({
        controlPlaneEndpointsConfig: {
          dnsEndpointConfig: { endpoint: door.host, allowExternalTraffic: true },
          ipEndpointsConfig: { enabled: false },
        },
      }),
      env: { NODE_EXTRA_CA_CERTS: certificate.path },
      message: '',
      hint: '',
    });
    expect(message).toContain('Error 403 (Forbidden)');
    expect(hint).toContain(`Grant "serviceAccount:${serviceAccount}" the permission "container.clusters.connect"`);
    expect(hint).toContain(`--member="serviceAccount:${serviceAccount}"`);
  });

  test('the API server does not know the token, also a new one (auth#406)', async () => {
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    };
    await using server = await scriptedServer(() => ({ status: 401, json: status }));
    const { message, hint } = await fails({
      when: 'the API server does not know the token, also a new one (auth#406)',
      inputs: {
        ...asServiceAccount,
        endpoint: 'connect-gateway',
        'fleet-membership': 'projects/1/locations/global/memberships/bootcamp',
      },
      memberships: [{ name: 'projects/1/locations/global/memberships/bootcamp' }],
      env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_CONNECTGATEWAY: server.url },
      message: '',
      hint: '',
    });
    expect(message).toContain('the API server rejected the credentials');
    expect(hint).toContain(`Check that "serviceAccount:${serviceAccount}" still exists`);
    expect(google.count('sts.token')).toBe(2);
  });
});

describe('what passes by itself is not told at all:', () => {
  const passing: [string, (call: Call, count: number) => Answer | undefined][] = [
    [
      'GitHub does not know yet that the job runs (configure-aws-credentials#469)',
      at('oidc.token', (count) =>
        count < 3 ? { status: 403, json: { message: "Can't issue ID_TOKEN for job in 'Pending' state" } } : undefined,
      ),
    ],
    ['GitHub cuts the connection (auth#496, #502)', at('oidc.token', (count) => (count < 3 ? 'reset' : undefined))],
    ['STS cuts the connection (auth#537)', at('sts.token', (count) => (count < 3 ? 'reset' : undefined))],
    [
      'STS is busy',
      at('sts.token', (count) =>
        count < 3 ? error(503, 'UNAVAILABLE', 'The service is currently unavailable.') : undefined,
      ),
    ],
    [
      'GKE asks to come back in a second',
      at(getCluster, (count) =>
        count < 2
          ? {
              ...(error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded') as { status: number; json: JsonObject }),
              headers: { 'Retry-After': '1' },
            }
          : undefined,
      ),
    ],
    ['GKE refuses a token once', at(getCluster, (count) => (count < 2 ? invalidToken() : undefined))],
  ];

  test.each(passing)('%s', async (_, script) => {
    google.options = { clusters: { [full]: described({ status: 'STOPPING' }) }, script };
    // It gets as far as the description of the cluster, which is one that ends the run.
    const { failure, main } = await runSignIn(google, inputs);
    expect(failure.message).toBe('cluster "bootcamp" is being deleted (STOPPING)');
    expect(main.log.match(/::error/g)).toHaveLength(1);
  });
});

test('credentials that nobody can read are named without being shown', async () => {
  const path = join(scratch({ 'creds.json': '{"type": "service_account", "private_key": "MIIsecret' }), 'creds.json');
  const { failure, main } = await runSignIn(
    google,
    { command: 'status', cluster: full },
    { env: { GOOGLE_APPLICATION_CREDENTIALS: path }, secrets: ['MIIsecret'] },
  );
  expect(failure.message).toBe(`the file "${path}" of GOOGLE_APPLICATION_CREDENTIALS is not valid JSON`);
  expect(main.exit).toBe(1);
});

/** An address of the test cluster's own network that nobody has; elsewhere, one of this machine on which nobody listens. */
function nowhere(): string {
  const config = JSON.parse(readFileSync(testKubeconfig(), 'utf8')) as { clusters: { cluster: { server: string } }[] };
  const index = /10\.200\.(?<index>\d+)\./.exec(config.clusters[0]?.cluster.server ?? '')?.groups?.['index'];
  return index === undefined ? '127.0.0.2' : `10.203.${index}.250`;
}

async function secureDoor(tls: { cert: string; key: string }, status: number, page: string) {
  const server = createServer({ cert: tls.cert, key: tls.key }, (_, response) => {
    response.writeHead(status, { 'Content-Type': 'text/html; charset=UTF-8' }).end(page);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    host: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
