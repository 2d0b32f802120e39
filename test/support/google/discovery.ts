/**
 * What the public descriptions of Google's APIs (their discovery documents) say about the calls that signing in needs: paths,
 * parameters, and the fields of what is sent and answered. Fields that nobody here sends or reads are left out of large
 * answers.
 */

export type Schema =
  | { type: 'string'; format?: 'google-datetime' | 'byte' | 'google-duration'; enum?: readonly string[] }
  | { type: 'integer' | 'boolean' | 'any' }
  | { type: 'array'; items: Schema }
  | { type: 'object'; properties: Readonly<Record<string, Schema>>; required?: readonly string[] }
  | { type: 'map'; values: Schema };

export interface Method {
  id: string;
  httpMethod: 'GET' | 'POST';
  /** A template of RFC 6570: `{+name}` may hold slashes, as `pattern` says. */
  path: string;
  pattern?: string;
  query?: readonly string[];
  /** `none`: what is called to get a token. */
  authorization: 'bearer' | 'none';
  contentType?: 'application/json' | 'application/x-www-form-urlencoded';
  request?: Schema;
  response: Schema;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
});
const list = (items: Schema): Schema => ({ type: 'array', items });

/** container v1 `Cluster` */
const cluster = object(
  {
    name: text,
    location: text,
    zone: text,
    selfLink: text,
    endpoint: text,
    status: {
      type: 'string',
      enum: ['STATUS_UNSPECIFIED', 'PROVISIONING', 'RUNNING', 'RECONCILING', 'STOPPING', 'ERROR', 'DEGRADED'],
    },
    statusMessage: text,
    conditions: list(object({ code: text, canonicalCode: text, message: text })),
    masterAuth: object({ clusterCaCertificate: { type: 'string', format: 'byte' } }),
    masterAuthorizedNetworksConfig: object({ enabled: flag }),
    privateClusterConfig: object({
      enablePrivateEndpoint: flag,
      enablePrivateNodes: flag,
      privateEndpoint: text,
      publicEndpoint: text,
    }),
    controlPlaneEndpointsConfig: object({
      dnsEndpointConfig: object({ endpoint: text, allowExternalTraffic: flag }),
      ipEndpointsConfig: object({
        enabled: flag,
        enablePublicEndpoint: flag,
        publicEndpoint: text,
        privateEndpoint: text,
        globalAccess: flag,
        authorizedNetworksConfig: object({ enabled: flag }),
      }),
    }),
    fleet: object({ project: text, membership: text, preRegistered: flag }),
  },
  ['name', 'location', 'status'],
);

/** gkehub v1 `Membership` */
const membership = object(
  {
    name: text,
    state: object({ code: text }),
    endpoint: object({ gkeCluster: object({ resourceLink: text, clusterMissing: flag }) }),
  },
  ['name'],
);

/** `google.rpc.Status` in an answer that is no success */
export const errorSchema = object(
  {
    error: object(
      {
        code: { type: 'integer' },
        message: text,
        status: text,
        errors: list({ type: 'any' }),
        details: list({ type: 'any' }),
      },
      ['code', 'message'],
    ),
  },
  ['error'],
);

/** RFC 6749, section 5.2 */
export const oauthErrorSchema = object({ error: text, error_description: text, error_uri: text }, ['error']);

const oauthToken = object(
  {
    access_token: text,
    expires_in: { type: 'integer' },
    token_type: text,
    issued_token_type: text,
    scope: text,
    id_token: text,
  },
  ['access_token', 'expires_in', 'token_type'],
);

export const apis = {
  sts: [
    {
      id: 'sts.token',
      httpMethod: 'POST',
      path: 'v1/token',
      authorization: 'none',
      contentType: 'application/json',
      request: object(
        {
          audience: text,
          grantType: { type: 'string', enum: ['urn:ietf:params:oauth:grant-type:token-exchange'] },
          options: text,
          requestedTokenType: { type: 'string', enum: ['urn:ietf:params:oauth:token-type:access_token'] },
          scope: text,
          subjectToken: text,
          subjectTokenType: text,
        },
        ['audience', 'grantType', 'requestedTokenType', 'subjectToken', 'subjectTokenType', 'scope'],
      ),
      response: oauthToken,
    },
  ],
  iamcredentials: [
    {
      id: 'iamcredentials.projects.serviceAccounts.generateAccessToken',
      httpMethod: 'POST',
      path: 'v1/{+name}:generateAccessToken',
      pattern: '^projects/-/serviceAccounts/[^/]+$',
      authorization: 'bearer',
      contentType: 'application/json',
      request: object(
        { delegates: list(text), lifetime: { type: 'string', format: 'google-duration' }, scope: list(text) },
        ['scope'],
      ),
      response: object({ accessToken: text, expireTime: { type: 'string', format: 'google-datetime' } }, [
        'accessToken',
        'expireTime',
      ]),
    },
  ],
  container: [
    {
      id: 'container.projects.locations.clusters.list',
      httpMethod: 'GET',
      path: 'v1/{+parent}/clusters',
      pattern: '^projects/[^/]+/locations/[^/]+$',
      authorization: 'bearer',
      response: object({ clusters: list(cluster), missingZones: list(text) }),
    },
    {
      id: 'container.projects.locations.clusters.get',
      httpMethod: 'GET',
      path: 'v1/{+name}',
      pattern: '^projects/[^/]+/locations/[^/]+/clusters/[^/]+$',
      authorization: 'bearer',
      response: cluster,
    },
  ],
  gkehub: [
    {
      id: 'gkehub.projects.locations.memberships.list',
      httpMethod: 'GET',
      path: 'v1/{+parent}/memberships',
      pattern: '^projects/[^/]+/locations/[^/]+$',
      query: ['filter', 'orderBy', 'pageSize', 'pageToken'],
      authorization: 'bearer',
      response: object({ resources: list(membership), nextPageToken: text, unreachable: list(text) }),
    },
    {
      id: 'gkehub.projects.locations.memberships.get',
      httpMethod: 'GET',
      path: 'v1/{+name}',
      pattern: '^projects/[^/]+/locations/[^/]+/memberships/[^/]+$',
      authorization: 'bearer',
      response: membership,
    },
  ],
  cloudresourcemanager: [
    {
      id: 'cloudresourcemanager.projects.get',
      httpMethod: 'GET',
      path: 'v3/{+name}',
      pattern: '^projects/[^/]+$',
      authorization: 'bearer',
      response: object(
        { name: text, parent: text, projectId: text, state: text, displayName: text, createTime: text, etag: text },
        ['name'],
      ),
    },
  ],
  /** OAuth's token endpoint has no discovery document: RFC 6749 and RFC 7523 describe it. */
  oauth2: [
    {
      id: 'oauth2.token',
      httpMethod: 'POST',
      path: 'token',
      authorization: 'none',
      contentType: 'application/x-www-form-urlencoded',
      request: object(
        { grant_type: text, assertion: text, client_id: text, client_secret: text, refresh_token: text },
        ['grant_type'],
      ),
      response: oauthToken,
    },
  ],
  /** GitHub's: docs.github.com, "OpenID Connect reference". */
  oidc: [
    {
      id: 'oidc.token',
      httpMethod: 'GET',
      path: 'idtoken',
      query: ['api-version', 'audience'],
      authorization: 'bearer',
      response: object({ value: text, count: { type: 'integer' } }, ['value']),
    },
  ],
} as const satisfies Record<string, readonly Method[]>;

export type ApiName = keyof typeof apis;
