import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import { open } from '../../../src/kubernetes/connect/endpoint.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import { run, waitUntil } from '../../cluster/run.ts';
import { figure } from '../../support/figure.ts';
import { FakeGoogle, principal, provider, secret, serviceAccount } from '../../support/google/fake-google.ts';
import { configMap, deployment } from '../../support/objects.ts';
import { scriptedServer } from '../../support/scripted-server.ts';
import { runStep } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { certificateFor } from '../../support/certificate.ts';
import { runSignIn, scratch } from './drive.ts';
import { startProxy } from './proxy.ts';
import { clusterName, counter, front, TokenCluster } from './token-cluster.ts';

/** Someone who signs in with a refresh token. */
const person = 'olga@acme.example';

const bootcamp = { cluster: 'bootcamp', location: 'us-central1', project: 'acme-shop' };
const federation = { 'workload-identity-provider': provider };
const asServiceAccount = { ...federation, 'service-account': serviceAccount };

/** The whole of it when the suite is named, a shorter time among all others. */
const isWhole = Number(process.env['TEST_SHARE'] ?? '1') >= 1;

let cluster: TokenCluster;
let google: FakeGoogle;

beforeAll(async () => {
  cluster = await TokenCluster.start('sign-in', [serviceAccount, principal, person]);
  // A release that `status` can tell of.
  const workspace = createWorkspace({ 'app.yaml': [configMap('shop', { a: '1' })] });
  const { kubeconfig } = cluster.cluster;
  const inputs = { kubeconfig, namespace: 'default', release: 'shop', manifests: 'app.yaml' };
  const deployed = await runStep(inputs, { workspace });
  removeWorkspace(workspace);
  if (deployed.exit !== 0) throw new Error(deployed.log);
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await use(await FakeGoogle.start({ clusters: { [clusterName]: cluster.describe() } }));
});

afterEach(async () => {
  await google[Symbol.asyncDispose]();
});

async function use(other: FakeGoogle): Promise<void> {
  if ((google as FakeGoogle | undefined) !== undefined) await google[Symbol.asyncDispose]();
  google = other;
  cluster.userOf = (token) => google.userOf(token);
  cluster.accepted.clear();
  cluster.refused = 0;
}

/** Makes one of the fake Google's answers to clusters.get. */
function describeCluster(more: Parameters<TokenCluster['describe']>[0]): void {
  google.options.clusters = { [clusterName]: cluster.describe(more) };
}

describe('a deploy', () => {
  test('signs in by Workload Identity Federation as a service account, looks the cluster up, and is all that the API server accepts', async () => {
    const files = { 'app.yaml': [deployment('first', { replicas: 2 }), configMap('first', { a: '1' })] };
    const { main, startedAt } = await runSignIn(
      google,
      { ...bootcamp, ...asServiceAccount, release: 'first', manifests: 'app.yaml', timeout: '90s' },
      { files },
    );
    expect(main.log).not.toContain('::error');
    expect(main.outputs).toMatchObject({ status: 'deployed', revision: '1' });
    expect(google.calls.map(({ id }) => id)).toEqual([
      'oidc.token',
      'sts.token',
      'iamcredentials.projects.serviceAccounts.generateAccessToken',
      'container.projects.locations.clusters.get',
    ]);
    expect([...cluster.accepted]).toEqual([serviceAccount]);
    expect(cluster.refused).toBe(0);
    expect(main.log).toContain(
      `signed in with the input "workload-identity-provider" as "serviceAccount:${serviceAccount}"`,
    );
    expect(main.log).toContain(`cluster https://${cluster.address}, context "gke_acme-shop_us-central1_bootcamp"`);
    const ready = ['get', 'deployment', 'first', '-o', 'jsonpath={.status.readyReplicas}'];
    expect(await cluster.cluster.kubectl(ready)).toBe('2');
    figure('sign-in-first-request-ms', (google.calls[0]?.at ?? 0) - startedAt);
    figure('sign-in-until-cluster-known-ms', (google.calls.at(-1)?.at ?? 0) - startedAt);

    const stranger = [
      '--token',
      secret('ya29.stranger'),
      '--client-certificate=',
      '--client-key=',
      'get',
      'configmaps',
    ];
    const bare = { server: `https://${cluster.address}`, folder: scratch({ 'ca.crt': cluster.ca }) };
    const args = [
      '--kubeconfig=/dev/null',
      '--server',
      bare.server,
      '--certificate-authority',
      join(bare.folder, 'ca.crt'),
    ];
    await expect(run(cluster.cluster.binaries['kubectl'] ?? '', [...args, ...stranger])).rejects.toThrow(
      /Unauthorized|logged in/,
    );
  });

  test('outlives its tokens: each is renewed ahead of its end, once for all requests', async () => {
    // 20 s and three minutes when the suite runs whole.
    const lifetimeSeconds = isWhole ? 20 : 8;
    const late = isWhole ? 85 : 13;
    google.options.lifetimeSeconds = lifetimeSeconds;
    const readinessProbe = { httpGet: { path: '/readyz', port: 8080 }, initialDelaySeconds: late, periodSeconds: 1 };
    const pods = {
      replicas: 2,
      readinessProbe,
      spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    };
    const inputs = { ...bootcamp, ...asServiceAccount, manifests: 'app.yaml', release: 'late', timeout: '5m' };
    const before = await runSignIn(google, inputs, { files: { 'app.yaml': [deployment('late', { replicas: 2 })] } });
    expect(before.main.outputs['status']).toBe('deployed');
    google.calls.length = 0;
    cluster.refused = 0;

    // The API server remembers a good token for a while; this door sees each one when it comes.
    let expired = 0;
    using certificate = await certificateFor(['IP:127.0.0.1']);
    await using door = await front(cluster, '', certificate, (token) => {
      if (google.userOf(token) === undefined) expired += 1;
    });
    describeCluster({
      controlPlaneEndpointsConfig: {
        dnsEndpointConfig: { endpoint: door.host, allowExternalTraffic: true },
        ipEndpointsConfig: { enabled: false },
      },
    });
    const { main } = await runSignIn(google, inputs, {
      files: { 'app.yaml': [deployment('late', pods)] },
      env: { NODE_EXTRA_CA_CERTS: certificate.path },
    });
    expect(main.log).not.toContain('::error');
    expect(main.outputs['status']).toBe('deployed');
    const seconds = main.durationMs / 1000;
    expect(seconds).toBeGreaterThan(2 * late);
    const exchanges = google.count('sts.token');
    figure('sign-in-token-seconds', lifetimeSeconds);
    figure('sign-in-run-seconds', seconds.toFixed(0));
    figure('sign-in-exchanges', exchanges);
    figure('sign-in-requests', door.paths.length);
    figure('sign-in-requests-with-an-expired-token', expired);
    // A token serves for three quarters of its life; there may be no request at the moment when it should be renewed.
    expect(exchanges).toBeGreaterThan(1);
    expect(exchanges).toBeLessThanOrEqual(Math.ceil(seconds / (lifetimeSeconds * 0.75)) + 1);
    expect(expired).toBe(0);
    expect(door.paths.length).toBeGreaterThan(2 * exchanges);
  }, 420_000);

  test('goes on with a new token when its own is revoked', async () => {
    // Revoked as soon as the API server has seen it, which remembers it for ten seconds.
    let isRevoked = false;
    cluster.userOf = (token) => {
      const user = google.userOf(token);
      if (user !== undefined && !isRevoked) {
        isRevoked = true;
        google.revokeAll();
      }
      return user;
    };
    const readinessProbe = { httpGet: { path: '/readyz', port: 8080 }, initialDelaySeconds: 13, periodSeconds: 1 };
    const { main } = await runSignIn(
      google,
      { ...bootcamp, ...federation, manifests: 'app.yaml', release: 'revoked', timeout: '90s' },
      { files: { 'app.yaml': [deployment('revoked', { readinessProbe })] } },
    );
    expect(main.log).not.toContain('::error');
    expect(main.outputs['status']).toBe('deployed');
    expect(google.count('sts.token')).toBe(2);
  });

  test('that is cancelled is undone by the post step, which signs in by itself', async () => {
    const image = 'registry.test/slow/ctwoc:2.0.0';
    const { main, post } = await runSignIn(
      google,
      { ...bootcamp, ...federation, manifests: 'app.yaml', release: 'cancelled', timeout: '90s' },
      {
        files: { 'app.yaml': [deployment('cancelled', { image }), configMap('cancelled', { a: '1' })] },
        meanwhile: async (step) => {
          const find = ['get', 'deployment', 'cancelled', '--ignore-not-found', '--output', 'name'];
          await waitUntil('the Deployment is there', 60_000, async () => (await cluster.cluster.kubectl(find)) !== '');
          step.signal('SIGINT');
        },
      },
    );
    expect(main.outputs['status']).toBe('cancelled');
    expect(post.log).toContain('signed in with the input "workload-identity-provider"');
    const left = ['get', 'deployment,configmap', '--output', 'name', '--selector', '!kubernetes.io/nothing'];
    expect(await cluster.cluster.kubectl(left)).not.toContain('/cancelled');
    expect(google.count('sts.token')).toBe(2);
  });
});

describe('credentials may be', () => {
  const status = { ...bootcamp, command: 'status' };

  test('those of federation itself, for five minutes', async () => {
    const { main } = await runSignIn(google, { ...status, ...federation });
    expect(main.outputs['status']).toBe('reported');
    expect([...cluster.accepted]).toEqual([principal]);
    expect(google.count('iamcredentials.projects.serviceAccounts.generateAccessToken')).toBe(0);
  });

  test('a token of a step before', async () => {
    const { main } = await runSignIn(google, { ...status, 'access-token': google.issue(serviceAccount) });
    expect(main.outputs['status']).toBe('reported');
    expect(google.calls.map(({ id }) => id)).toEqual(['container.projects.locations.clusters.get']);
  });

  test.each(['as it is', 'in base64'])('the key of a service account, %s, for the host that it names', async (form) => {
    const { privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    google.trust(serviceAccount, serviceAccount);
    const key = {
      type: 'service_account',
      project_id: 'acme-shop',
      private_key_id: randomBytes(20).toString('hex'),
      private_key: privateKey,
      client_email: serviceAccount,
      token_uri: `${google.url('oauth2')}/token`,
    };
    const json = JSON.stringify(key, undefined, 2);
    const given = form === 'as it is' ? json : Buffer.from(json).toString('base64');
    const lines = privateKey.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
    const { main } = await runSignIn(
      google,
      { cluster: 'bootcamp', location: 'us-central1', command: 'status', 'credentials-json': given },
      { secrets: [...lines, key.private_key_id, given] },
    );
    expect(main.outputs['status']).toBe('reported');
    expect([...cluster.accepted]).toEqual([serviceAccount]);
    expect(google.count('oauth2.token')).toBe(1);
  });

  test('the file of a person that GOOGLE_APPLICATION_CREDENTIALS names', async () => {
    const refreshToken = secret('1//refresh');
    const clientSecret = secret('GOCSPX');
    google.trust(refreshToken, person);
    const file = {
      type: 'authorized_user',
      client_id: 'id.apps.googleusercontent.com',
      client_secret: clientSecret,
      refresh_token: refreshToken,
    };
    const folder = scratch({ 'adc.json': JSON.stringify(file) });
    const { main } = await runSignIn(google, status, {
      env: { GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'adc.json') },
      secrets: [refreshToken, clientSecret],
    });
    expect(main.outputs['status']).toBe('reported');
    expect([...cluster.accepted]).toEqual([person]);
  });

  test('what google-github-actions/auth has left, with no rights of the job', async () => {
    const folder = scratch({ 'gha-creds-0123456789abcdef.json': JSON.stringify(fileOfAuth()) });
    const path = join(folder, 'gha-creds-0123456789abcdef.json');
    const job = Object.fromEntries(Object.entries(google.env).filter(([name]) => !name.startsWith('ACTIONS_')));
    const { main } = await runSignIn(
      google,
      { cluster: 'bootcamp', location: 'us-central1', command: 'status' },
      {
        job: { ...job, GOOGLE_GHA_CREDS_PATH: path, GCLOUD_PROJECT: 'acme-shop' },
      },
    );
    expect(main.outputs['status']).toBe('reported');
    expect([...cluster.accepted]).toEqual([serviceAccount]);
  });

  test('those of the machine that the runner is on', async () => {
    const token = google.issue(serviceAccount);
    await using metadata = await scriptedServer(({ path, headers }) => {
      const answers: Record<string, object | string> = {
        '/computeMetadata/v1/instance/service-accounts/default/email': serviceAccount,
        '/computeMetadata/v1/instance/service-accounts/default/token': {
          access_token: token,
          expires_in: 3600,
          token_type: 'Bearer',
        },
        '/computeMetadata/v1/project/project-id': 'acme-shop',
      };
      const found = headers['metadata-flavor'] === 'Google' ? answers[path] : undefined;
      const own = { 'Metadata-Flavor': 'Google' };
      if (found === undefined) return { status: 404, text: 'not found', headers: own };
      return typeof found === 'string' ? { text: found, headers: own } : { json: { ...found }, headers: own };
    });
    const { main } = await runSignIn(
      google,
      { cluster: 'bootcamp', location: 'us-central1', command: 'status' },
      {
        env: { GCE_METADATA_HOST: new URL(metadata.url).host },
      },
    );
    expect(main.outputs['status']).toBe('reported');
    expect([...cluster.accepted]).toEqual([serviceAccount]);
  });
});

/** The credentials file as google-github-actions/auth v3 writes it. */
function fileOfAuth(): object {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = google.env;
  const audience = encodeURIComponent(`https://iam.googleapis.com/${provider}`);
  return {
    type: 'external_account',
    audience: `//iam.googleapis.com/${provider}`,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${google.url('sts')}/v1/token`,
    service_account_impersonation_url: `${google.url('iamcredentials')}/v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`,
    credential_source: {
      url: `${url ?? ''}&audience=${audience}`,
      headers: { Authorization: `Bearer ${token ?? ''}` },
      format: { type: 'json', subject_token_field_name: 'value' },
    },
  };
}

describe('the way to the API server may be', () => {
  const status = { ...bootcamp, ...federation, command: 'status' };
  const config = (more: object) => ({ controlPlaneEndpointsConfig: more }) as Parameters<typeof describeCluster>[0];

  test('its internal address, when there is no other', async () => {
    const ipEndpointsConfig = { enabled: true, enablePublicEndpoint: false, privateEndpoint: cluster.address };
    describeCluster({ ...config({ ipEndpointsConfig }), endpoint: cluster.nowhere });
    const { main } = await runSignIn(google, status);
    expect(main.outputs['status']).toBe('reported');
    expect(main.log).toContain('endpoint internal of cluster "bootcamp", as it has no public address');
  });

  test('its DNS endpoint, with a certificate that everybody trusts', async () => {
    using certificate = await certificateFor(['IP:127.0.0.1']);
    await using door = await front(cluster, '', certificate);
    const dnsEndpointConfig = { endpoint: door.host, allowExternalTraffic: true };
    describeCluster(config({ dnsEndpointConfig, ipEndpointsConfig: { enabled: false } }));
    const { main } = await runSignIn(google, status, { env: { NODE_EXTRA_CA_CERTS: certificate.path } });
    expect(main.outputs['status']).toBe('reported');
    expect(main.log).toContain('endpoint dns of cluster "bootcamp"');
    expect(door.paths.length).toBeGreaterThan(0);
  });

  test('the Connect Gateway of its region: a whole deploy, by the number of the project (google-cloud-python#13852)', async () => {
    const prefix = '/v1/projects/123456789012/locations/us-central1/gkeMemberships/bootcamp';
    await using door = await front(cluster, prefix);
    describeCluster({
      fleet: {
        project: 'acme-shop',
        membership: '//gkehub.googleapis.com/projects/acme-shop/locations/us-central1/memberships/bootcamp',
      },
    });
    const { main } = await runSignIn(
      google,
      {
        ...bootcamp,
        ...federation,
        endpoint: 'connect-gateway',
        manifests: 'app.yaml',
        release: 'gateway',
        timeout: '90s',
      },
      {
        files: { 'app.yaml': [deployment('gateway')] },
        env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_CONNECTGATEWAY: `http://${door.host}/` },
      },
    );
    expect(main.log).not.toContain('::error');
    expect(main.outputs['status']).toBe('deployed');
    expect(google.count('cloudresourcemanager.projects.get')).toBe(1);
    expect(door.paths.filter((path) => !path.startsWith(prefix))).toEqual([]);
  });

  test.each([
    ['found in another location than global (get-gke-credentials#344)', { ...bootcamp }],
    [
      'named by itself, for members that are no GKE clusters too',
      { project: 'acme-shop', 'fleet-membership': 'attached' },
    ],
  ])('a membership %s', async (_, inputs) => {
    const link = `//container.googleapis.com/${clusterName}`;
    google.options.memberships = [
      {
        name: 'projects/123456789012/locations/us-east1/memberships/bootcamp',
        endpoint: { gkeCluster: { resourceLink: link } },
      },
      { name: 'projects/123456789012/locations/global/memberships/attached' },
    ];
    const path = 'cluster' in inputs ? 'us-east1/gkeMemberships/bootcamp' : 'global/memberships/attached';
    await using door = await front(cluster, `/v1/projects/123456789012/locations/${path}`);
    const { main } = await runSignIn(
      google,
      { ...inputs, ...federation, command: 'status', endpoint: 'connect-gateway' },
      { env: { CLOUDSDK_API_ENDPOINT_OVERRIDES_CONNECTGATEWAY: `http://${door.host}` } },
    );
    expect(main.outputs['status']).toBe('reported');
    expect(google.count('cloudresourcemanager.projects.get')).toBe(0);
  });

  test('a proxy, for Google, for GitHub and for Kubernetes, each by its real name', async () => {
    const hosts = [
      'run-actions.githubusercontent.test',
      'sts.googleapis.com',
      'iamcredentials.googleapis.com',
      'container.googleapis.com',
    ];
    using certificate = await certificateFor(hosts.map((name) => `DNS:${name}`));
    const { machine } = cluster.cluster;
    await use(
      await FakeGoogle.start({
        clusters: { [clusterName]: cluster.describe() },
        secure: { host: machine, port: 443, cert: certificate.cert, key: certificate.key },
      }),
    );
    const env = { NODE_EXTRA_CA_CERTS: certificate.path };
    const inputs = { ...bootcamp, ...asServiceAccount, command: 'status' };
    {
      await using proxy = await startProxy(hosts, machine);
      const { main } = await runSignIn(google, inputs, { env: { ...env, HTTPS_PROXY: proxy.url } });
      expect(main.outputs['status']).toBe('reported');
      expect(proxy.connected()).toEqual([...hosts, cluster.address].map((host) => `${host}:443`));
    }
    await using proxy = await startProxy(hosts, machine);
    const range = `${cluster.address.split('.').slice(0, 3).join('.')}.0/24`;
    const { main } = await runSignIn(google, inputs, {
      env: { ...env, HTTPS_PROXY: proxy.url, NO_PROXY: `localhost,${range}` },
    });
    expect(main.outputs['status']).toBe('reported');
    expect(proxy.connected()).toEqual(hosts.map((host) => `${host}:443`));
  });
});

describe('export-kubeconfig', () => {
  test('lets kubectl in later steps sign in through the plugin, and the post step takes it away', async () => {
    const token = google.issue(serviceAccount);
    const answer = { apiVersion: 'client.authentication.k8s.io/v1beta1', kind: 'ExecCredential', status: { token } };
    // Stands for gke-gcloud-auth-plugin: it insists on what it is asked with, and gives a token.
    const plugin = `#!/bin/sh\n[ "$1" = --use_application_default_credentials ] && [ -f "$GOOGLE_APPLICATION_CREDENTIALS" ] && cat <<'END'\n${JSON.stringify(answer)}\nEND\n`;
    const folder = scratch({ 'gke-gcloud-auth-plugin': plugin }, 0o755);
    const credentials = join(scratch({ 'creds.json': JSON.stringify(fileOfAuth()) }), 'creds.json');
    let path = '';
    const { main } = await runSignIn(
      google,
      { ...bootcamp, command: 'status', 'export-kubeconfig': 'true' },
      {
        env: {
          GOOGLE_APPLICATION_CREDENTIALS: credentials,
          PATH: [folder, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
        },
        between: async ({ exported }) => {
          path = exported['KUBECONFIG'] ?? '';
          expect(statSync(path).mode & 0o777).toBe(0o600);
          expect(readFileSync(path, 'utf8')).not.toContain('"token"');
          const kubectl = cluster.cluster.binaries['kubectl'] ?? '';
          expect(
            await run(kubectl, ['get', 'namespace', 'default', '--output', 'name'], { env: { KUBECONFIG: path } }),
          ).toBe('namespace/default\n');
        },
      },
    );
    expect(main.outputs['status']).toBe('reported');
    expect(path).not.toBe('');
    expect(existsSync(path)).toBe(false);
    rmSync(folder, { recursive: true });
  });

  test('without the plugin is an error that says how to get it', async () => {
    const credentials = join(scratch({ 'creds.json': JSON.stringify(fileOfAuth()) }), 'creds.json');
    const { main, failure } = await runSignIn(
      google,
      { ...bootcamp, command: 'status', 'export-kubeconfig': 'true' },
      { env: { GOOGLE_APPLICATION_CREDENTIALS: credentials, PATH: '/nowhere' } },
    );
    expect(main.exit).toBe(1);
    expect(failure.message).toContain('needs the program "gke-gcloud-auth-plugin", which is not on PATH');
    expect(failure.hint).toContain('gcloud components install gke-gcloud-auth-plugin');
  });
});

test('a hundred requests in a row use one or two connections', async () => {
  await using counted = await counter(new URL(cluster.cluster.server).hostname, 6443);
  const connection = await open(
    {
      server: `https://${counted.host}`,
      ca: cluster.ca,
      context: 'test',
      namespace: 'default',
      credentials: () => Promise.resolve({ headers: { Authorization: `Bearer ${google.issue(serviceAccount)}` } }),
    },
    { clock: systemClock, env: {} },
  );
  const client = createClient(connection, { clock: systemClock, userAgent: 'test' });
  const started = performance.now();
  for (let request = 0; request < 100; request += 1) {
    await client.read({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: 'kube-system',
      name: 'extension-apiserver-authentication',
    });
  }
  figure('sign-in-connections-per-100-requests', counted.connections);
  figure('sign-in-ms-per-request', ((performance.now() - started) / 100).toFixed(1));
  await client.close();
  expect(counted.connections).toBeLessThanOrEqual(2);
});
