import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

import type { Json, JsonObject } from '../../../src/base/json.ts';
import { stringAt } from '../../../src/base/json.ts';
import { checkAnswer, checkRequest, methodOf, type Asked } from './check.ts';
import { apis, type ApiName } from './discovery.ts';

export const serviceAccount = 'deployer@acme-shop.iam.gserviceaccount.com';
export const pool = 'projects/123456789012/locations/global/workloadIdentityPools/github';
export const provider = `${pool}/providers/acme`;
export const subject = 'repo:acme@4711/shop@815:ref:refs/heads/main';
export const principal = `principal://iam.googleapis.com/${pool}/subject/${subject}`;

/** An answer that a test wants instead of the usual one. */
export type Answer =
  | { status: number; json: Json; headers?: Record<string, string> }
  | { status: number; text: string; headers?: Record<string, string> }
  /** The connection is cut before an answer comes. */
  | 'reset';

export interface Call extends Asked {
  api: ApiName;
  id: string;
  /** The value of the template in the path: `projects/acme-shop/locations/us-central1/clusters/bootcamp`. */
  name: string;
  json: Json;
  /** When it came: milliseconds since the epoch. */
  at: number;
}

export interface FakeGoogleOptions {
  /** How long access tokens live. */
  lifetimeSeconds?: number;
  /** Answers instead of the usual one, where it returns one; `count` counts the calls of this method from 1. */
  script?: (call: Call, count: number) => Answer | undefined;
  /** Clusters by their full name. */
  clusters?: Record<string, JsonObject>;
  memberships?: JsonObject[];
  /** Serve all hosts over TLS at this address and port, by the names that they really have. */
  secure?: { host: string; port: number; cert: string; key: string };
}

interface Identity {
  user: string;
  expiresAt: number;
}

/**
 * GitHub's OIDC and the APIs of Google as loopback servers, one for each host. They hold every request, and their own answers,
 * against the public descriptions, and give tokens that only they know; what does not fit is in `violations`.
 */
export class FakeGoogle implements AsyncDisposable {
  readonly calls: Call[] = [];
  readonly violations: string[] = [];
  /** Every secret that was given away or taken in. */
  readonly secrets = new Set<string>();
  options: FakeGoogleOptions;
  readonly requestToken = secret('request');
  readonly #servers = new Map<ApiName, Server | SecureServer>();
  readonly #sockets = new Set<Duplex>();
  readonly #identities = new Map<string, Identity>();
  readonly #jwts = new Set<string>();
  readonly #signers = new Map<string, string>();

  private constructor(options: FakeGoogleOptions) {
    this.options = options;
    this.secrets.add(this.requestToken);
  }

  static async start(options: FakeGoogleOptions = {}): Promise<FakeGoogle> {
    const google = new FakeGoogle(options);
    for (const api of Object.keys(apis) as ApiName[]) {
      if (options.secure === undefined) await google.#listen(api);
    }
    if (options.secure !== undefined) await google.#listenSecurely(options.secure);
    return google;
  }

  /** The variables that a job with `id-token: write` has, and gcloud's overrides for each host. */
  get env(): Record<string, string> {
    const oidc = this.options.secure === undefined ? this.url('oidc') : 'https://run-actions.githubusercontent.test';
    const job = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${oidc}/idtoken?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: this.requestToken,
    };
    if (this.options.secure !== undefined) return job;
    const services = (Object.keys(apis) as ApiName[]).filter((api) => api !== 'oidc');
    return {
      ...job,
      CLOUDSDK_AUTH_TOKEN_HOST: `${this.url('oauth2')}/token`,
      ...Object.fromEntries(
        services.map((api) => [`CLOUDSDK_API_ENDPOINT_OVERRIDES_${api.toUpperCase()}`, `${this.url(api)}/`]),
      ),
    };
  }

  url(api: ApiName): string {
    const address = this.#servers.get(api)?.address() as AddressInfo;
    return `http://127.0.0.1:${address.port}`;
  }

  /** How often a method was called: `sts.token`. */
  count(id: string): number {
    return this.calls.filter((call) => call.id === id).length;
  }

  /** Who a token is for an API server, or undefined when it is none, or no longer. */
  userOf(token: string): string | undefined {
    const identity = this.#identities.get(token);
    return identity === undefined || identity.expiresAt <= Date.now() ? undefined : identity.user;
  }

  /** From now on no token counts that was given before. */
  revokeAll(): void {
    this.#identities.clear();
  }

  /** A token as a step before would have got it. */
  issue(user: string, prefix = 'ya29.given'): string {
    const token = secret(prefix);
    this.secrets.add(token);
    this.#identities.set(token, { user, expiresAt: Date.now() + this.#lifetimeMs });
    return token;
  }

  /** Whom the token endpoint takes a refresh token, or an assertion of this issuer, for. */
  trust(proof: string, user: string): void {
    this.#signers.set(proof, user);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...new Set(this.#servers.values())].map((server) => new Promise((done) => server.close(done))));
  }

  get #lifetimeMs(): number {
    return (this.options.lifetimeSeconds ?? 3600) * 1000;
  }

  async #listen(api: ApiName): Promise<void> {
    const server = createServer(this.#listener(() => api));
    this.#servers.set(api, server);
    server.on('connection', (socket) => this.#sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  async #listenSecurely({ cert, host, key, port }: NonNullable<FakeGoogleOptions['secure']>): Promise<void> {
    const apiOf = (name: string): ApiName =>
      (Object.keys(apis) as ApiName[]).find((api) => name.startsWith(`${api}.`)) ?? 'oidc';
    const server = createSecureServer({ cert, key }, this.#listener(apiOf));
    this.#servers.set('oidc', server);
    server.on('connection', (socket) => this.#sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(port, host, resolve));
  }

  #listener(apiOf: (host: string) => ApiName): RequestListener {
    return (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const url = new URL(request.url ?? '', 'http://server');
        const asked = { httpMethod: request.method ?? '', url, headers: request.headers, body };
        const answer = this.#answer(apiOf(request.headers.host ?? ''), asked);
        if (answer === 'reset') {
          request.socket.resetAndDestroy();
          return;
        }
        const type = 'json' in answer ? 'application/json; charset=UTF-8' : 'text/html; charset=UTF-8';
        response.writeHead(answer.status, { 'Content-Type': type, ...answer.headers });
        response.end('json' in answer ? JSON.stringify(answer.json) : answer.text);
      });
    };
  }

  #answer(api: ApiName, asked: Asked): Answer {
    const found = methodOf(api, asked);
    if (found === undefined) {
      this.violations.push(`${api}: no method ${asked.httpMethod} ${asked.url.pathname}`);
      return error(404, 'NOT_FOUND', 'Method not found.');
    }
    const { method, name } = found;
    const problems = checkRequest(method, asked);
    this.violations.push(...problems);
    const isJson = method.contentType === 'application/json';
    const json = isJson ? (JSON.parse(asked.body) as Json) : Object.fromEntries(new URLSearchParams(asked.body));
    const call: Call = { ...asked, api, id: method.id, name, json, at: Date.now() };
    this.calls.push(call);
    const answer =
      problems.length > 0
        ? error(400, 'INVALID_ARGUMENT', problems.join('; '))
        : (this.options.script?.(call, this.count(method.id)) ?? this.#usual(call));
    if (answer !== 'reset' && 'json' in answer)
      this.violations.push(...checkAnswer(method, answer.status, answer.json));
    return answer;
  }

  #usual(call: Call): Answer {
    const { api, id, json, name } = call;
    switch (id) {
      case 'oidc.token':
        return this.#idToken(call);
      case 'sts.token':
        return this.#exchange(json);
      case 'oauth2.token':
        return this.#grant(json);
      default:
    }
    const user = this.userOf((call.headers.authorization ?? '').replace('Bearer ', ''));
    if (user === undefined) return invalidToken();
    switch (id) {
      case 'iamcredentials.projects.serviceAccounts.generateAccessToken': {
        const token = this.issue(name.split('/').at(-1) ?? '', 'ya29.c.impersonated');
        return {
          status: 200,
          json: { accessToken: token, expireTime: new Date(Date.now() + this.#lifetimeMs).toISOString() },
        };
      }
      case 'container.projects.locations.clusters.get': {
        const cluster = this.options.clusters?.[name];
        // It says "zones" even for a region (google-github-actions/get-gke-credentials#253).
        const missing = `Not found: ${name.replace('/locations/', '/zones/')}.`;
        return cluster === undefined ? error(404, 'NOT_FOUND', missing) : { status: 200, json: cluster };
      }
      case 'container.projects.locations.clusters.list': {
        const clusters = Object.entries(this.options.clusters ?? {})
          .filter(([full]) => full.startsWith(name.replace(/-$/, '')))
          .map(([, cluster]) => cluster);
        return { status: 200, json: clusters.length === 0 ? {} : { clusters } };
      }
      case 'gkehub.projects.locations.memberships.get': {
        const found = this.options.memberships?.find((one) => one['name'] === name);
        return found === undefined
          ? error(404, 'NOT_FOUND', `Resource '${name}' was not found`)
          : { status: 200, json: found };
      }
      case 'gkehub.projects.locations.memberships.list': {
        const filter = /resourceLink="(?<link>[^"]+)"/.exec(call.url.searchParams.get('filter') ?? '')?.groups?.[
          'link'
        ];
        const all = this.options.memberships ?? [];
        const resources = all.filter((one) => filter === undefined || JSON.stringify(one).includes(`"${filter}"`));
        return { status: 200, json: resources.length === 0 ? {} : { resources } };
      }
      case 'cloudresourcemanager.projects.get':
        return {
          status: 200,
          json: { name: 'projects/123456789012', projectId: name.replace('projects/', ''), state: 'ACTIVE' },
        };
      default:
        throw new Error(`nobody wrote an answer for ${api} ${id}`);
    }
  }

  #idToken({ headers, url }: Call): Answer {
    if (headers.authorization !== `Bearer ${this.requestToken}`) return { status: 401, json: { message: 'bad token' } };
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'https://token.actions.githubusercontent.com',
      aud: url.searchParams.get('audience'),
      sub: subject,
      repository: 'acme/shop',
      repository_id: '815',
      iat: now,
      exp: now + 300,
    };
    const jwt = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}.${secret('sig')}`;
    this.#jwts.add(jwt);
    this.secrets.add(jwt);
    return { status: 200, json: { value: jwt, count: 1 } };
  }

  #exchange(json: Json): Answer {
    const jwt = stringAt(json, 'subjectToken') ?? '';
    const audience = stringAt(json, 'audience') ?? '';
    if (!this.#jwts.has(jwt)) return oauthError('invalid_grant', 'The given token was not issued by this issuer.');
    const { aud } = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as { aud: string };
    if (audience !== `//iam.googleapis.com/${provider}` || aud !== `https:${audience}`) {
      return oauthError('invalid_grant', 'The audience in ID Token does not match the expected audience.');
    }
    const token = this.issue(principal, 'ya29.d.federated');
    return { status: 200, json: this.#oauthToken(token) };
  }

  #grant(json: Json): Answer {
    const assertion = stringAt(json, 'assertion') ?? '';
    if (assertion !== '') this.secrets.add(assertion);
    const issuer = assertion === '' ? undefined : claimOf(assertion, 'iss');
    const user = this.#signers.get(issuer ?? stringAt(json, 'refresh_token') ?? '');
    if (user === undefined) return oauthError('invalid_grant', 'Invalid JWT Signature.');
    return { status: 200, json: this.#oauthToken(this.issue(user, 'ya29.c.granted')) };
  }

  #oauthToken(token: string): JsonObject {
    return {
      access_token: token,
      expires_in: this.options.lifetimeSeconds ?? 3600,
      token_type: 'Bearer',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
  }
}

export function secret(prefix: string): string {
  return `${prefix}.${randomBytes(18).toString('base64url')}`;
}

function claimOf(jwt: string, claim: string): string {
  const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as Record<string, string>;
  return claims[claim] ?? '';
}

/** An error in the form that Google's APIs have, with an ErrorInfo where there is a reason. */
export function error(
  code: number,
  status: string,
  message: string,
  info?: { reason: string; metadata?: Record<string, string> },
): Answer {
  const details =
    info === undefined
      ? {}
      : { details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', domain: 'googleapis.com', ...info }] };
  return { status: code, json: { error: { code, message, status, ...details } } };
}

export function oauthError(name: string, description: string, status = 400): Answer {
  return { status, json: { error: name, error_description: description } };
}

export function invalidToken(): Answer {
  return error(
    401,
    'UNAUTHENTICATED',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    { reason: 'ACCESS_TOKEN_TYPE_UNSUPPORTED' },
  );
}
