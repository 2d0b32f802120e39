import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import { httpError } from '../../../src/http/http.ts';
import {
  ApiError,
  connectionError,
  conflictingManager,
  strictDecodingProblems,
} from '../../../src/kubernetes/errors.ts';
import type { Attempt } from '../../../src/kubernetes/attempt.ts';

const attempt: Attempt = { verb: 'patch', plural: 'deployments', group: 'apps', subject: 'Deployment "web"' };

function refusal(code: number, message: string, more: { reason?: string; causes?: Json[] } = {}): ApiError {
  const { reason = '', causes = [] } = more;
  return new ApiError(code, { kind: 'Status', code, message, reason, details: { causes } }, attempt);
}

describe('a refusal names what was attempted, why it was refused, and what to do', () => {
  // The texts are those of a 1.36 API server.
  test.each<[string, ApiError, string, RegExp]>([
    [
      'unknown fields of a create',
      refusal(
        400,
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replcas", duplicate field "spec.replicas"',
        { reason: 'BadRequest' },
      ),
      'cannot patch Deployment "web": unknown field "spec.replcas", duplicate field "spec.replicas"',
      /Fix or remove/,
    ],
    [
      'a missing right',
      refusal(
        403,
        'deployments.apps "web" is forbidden: User "bob" cannot create resource "deployments" in API group "apps" in the namespace "shop"',
        { reason: 'Forbidden' },
      ),
      'cannot patch Deployment "web": user "bob" is not allowed to create deployments.apps in namespace "shop"',
      /Role in namespace "shop": \{apiGroups: \["apps"\], resources: \["deployments"\], verbs: \["create"\]\}\.$/,
    ],
    [
      'a missing right to logs',
      refusal(
        403,
        'pods "a" is forbidden: User "bob" cannot get resource "pods/log" in API group "" in the namespace "shop"',
      ),
      'cannot patch Deployment "web": user "bob" is not allowed to get pods/log in namespace "shop"',
      /resources: \["pods\/log"\], verbs: \["get"\]/,
    ],
    [
      'a missing right in the whole cluster',
      refusal(403, 'nodes is forbidden: User "bob" cannot list resource "nodes" in API group "" at the cluster scope'),
      'cannot patch Deployment "web": user "bob" is not allowed to list nodes in the whole cluster',
      /ClusterRole: \{apiGroups: \[""\]/,
    ],
    [
      'a missing right on GKE',
      refusal(
        403,
        'deployments.apps is forbidden: User "a@b.c" cannot list resource "deployments" in API group "apps" in the namespace "shop": requires one of ["container.deployments.list"] permission(s).',
      ),
      'cannot patch Deployment "web": user "a@b.c" is not allowed to list deployments.apps in namespace "shop"',
      /or grant the IAM permission "container\.deployments\.list"/,
    ],
    [
      'a namespace that is going',
      refusal(
        403,
        'configmaps "x" is forbidden: unable to create new content in namespace term because it is being terminated',
        {
          causes: [
            {
              reason: 'NamespaceTerminating',
              message: 'namespace term is being terminated',
              field: 'metadata.namespace',
            },
          ],
        },
      ),
      'cannot patch Deployment "web": configmaps "x" is forbidden: unable to create new content in namespace term because it is being terminated',
      /Wait until the namespace is gone/,
    ],
    [
      'a quota',
      refusal(403, 'pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1'),
      'cannot patch Deployment "web": pods "a" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1',
      /quota/,
    ],
    [
      'a missing namespace',
      refusal(404, 'namespaces "nope" not found', { reason: 'NotFound' }),
      'cannot patch Deployment "web": namespaces "nope" not found',
      /create-namespace: true/,
    ],
    [
      'a missing object',
      refusal(404, 'deployments.apps "web" not found', { reason: 'NotFound' }),
      'cannot patch Deployment "web": deployments.apps "web" not found',
      /Create it first, or fix its name/,
    ],
    [
      'a missing kind',
      refusal(404, 'the server could not find the requested resource', { reason: 'NotFound' }),
      'cannot patch Deployment "web": the server could not find the requested resource',
      /CustomResourceDefinition/,
    ],
    [
      'an object that exists',
      refusal(409, 'configmaps "y" already exists', { reason: 'AlreadyExists' }),
      'cannot patch Deployment "web": configmaps "y" already exists',
      /choose another name/,
    ],
    [
      'a webhook that denies',
      refusal(403, 'admission webhook "policy.example.com" denied the request: no latest tags'),
      'cannot patch Deployment "web": admission webhook "policy.example.com" denied it: no latest tags',
      /comply with this policy/,
    ],
    [
      'a webhook that does not answer',
      refusal(
        500,
        'Internal error occurred: failed calling webhook "w.example.com": failed to call webhook: Post "https://w": refused',
      ),
      'cannot patch Deployment "web": the API server could not call webhook "w.example.com": failed to call webhook: Post "https://w": refused',
      /pods behind this webhook/,
    ],
    [
      'expired credentials',
      refusal(401, 'Unauthorized'),
      'cannot patch Deployment "web": the API server rejected the credentials',
      /sign in again/,
    ],
    [
      'an object that is too large',
      refusal(413, 'Request entity too large: limit is 3145728'),
      'cannot patch Deployment "web": the object is too large for the API server (Request entity too large: limit is 3145728)',
      /Split it/,
    ],
  ])('%s', (_, error, message, hint) => {
    expect(error.message).toBe(message);
    expect(error.hint).toMatch(hint);
  });
});

describe('an apply that does not fit the schema, which the server answers with 500', () => {
  const prefix = 'failed to create typed patch object (/web; apps/v1, Kind=Deployment): ';

  test('counts as 400 when fields are unknown', () => {
    const error = refusal(
      500,
      `${prefix}errors:\n  .spec.template.spec.containers[name="c"].imge: field not declared in schema\n  .spec.replcas: field not declared in schema`,
    );
    expect(error.status).toBe(400);
    expect(strictDecodingProblems(error.serverMessage)).toEqual([
      { kind: 'unknown', field: 'spec.template.spec.containers[name="c"].imge' },
      { kind: 'unknown', field: 'spec.replcas' },
    ]);
  });

  test('counts as 400 when a list has two entries of one key', () => {
    const error = refusal(500, `${prefix}.spec.containers[name="c"].env: duplicate entries for key [name="A"]`);
    expect(error.status).toBe(400);
    expect(strictDecodingProblems(error.serverMessage)).toEqual([
      { kind: 'duplicate', field: 'spec.containers[name="c"].env[name="A"]' },
    ]);
  });

  test('counts as 422 with the field as its cause when a type is wrong', () => {
    const error = refusal(500, `${prefix}.spec.replicas: expected numeric (int or float), got string`);
    expect(error.status).toBe(422);
    expect(error.causes).toEqual([
      {
        field: 'spec.replicas',
        message: 'expected numeric (int or float), got string',
        reason: 'FieldValueTypeInvalid',
      },
    ]);
  });

  test('names unknown fields and wrong types together', () => {
    const error = refusal(
      500,
      `${prefix}errors:\n  .spec.a: field not declared in schema\n  .spec.b: expected map, got &{x}`,
    );
    expect(error.status).toBe(400);
    expect(error.message).toContain('unknown field "spec.a", spec.b: expected map, got a value of a different type');
  });

  test('counts as 400 when a value cannot be decoded', () => {
    const text =
      'failed to convert new object (/y; /v1, Kind=Secret) to proper version: illegal base64 data at input byte 0';
    expect(refusal(500, text).status).toBe(400);
  });

  test('any other 500 stays one', () => {
    expect(refusal(500, 'etcdserver: leader changed').status).toBe(500);
  });
});

test('a conflict of an apply names each field and who owns it', () => {
  const error = refusal(409, 'Apply failed with 1 conflict', {
    reason: 'Conflict',
    causes: [
      {
        reason: 'FieldManagerConflict',
        message: 'conflict with "kubectl-edit" using apps/v1',
        field: '.spec.replicas',
      },
    ],
  });
  expect(error.isFieldManagerConflict).toBe(true);
  expect(error.isWriteConflict).toBe(false);
  expect(error.message).toContain('"kubectl-edit" owns .spec.replicas');
  expect(error.causes.map(conflictingManager)).toEqual(['kubectl-edit']);
});

test('a conflict of a guarded write is told apart from one of an apply and from an existing object', () => {
  const error = refusal(409, 'Operation cannot be fulfilled on configmaps "x"', { reason: 'Conflict' });
  expect([error.isWriteConflict, error.isFieldManagerConflict, error.isAlreadyExists]).toEqual([true, false, false]);
});

test.each([
  ['spec.selector: Invalid value: {}: field is immutable'],
  ['spec.clusterIPs[0]: Invalid value: ["10.0.0.1"]: may not change once set'],
  ["spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"],
  ['roleRef: Invalid value: {}: cannot change roleRef'],
])('knows an immutable field by the words "%s"', (message) => {
  expect(refusal(422, message).isImmutable).toBe(true);
  expect(refusal(422, message).hint).toMatch(/is immutable/);
});

test('a long value does not hide why it is invalid', () => {
  const why = `Invalid value: {"a":"${'x'.repeat(5000)}"}: field is immutable`;
  const error = refusal(422, why, { causes: [{ field: 'spec.template', message: why, reason: 'FieldValueInvalid' }] });
  expect(error.message.length).toBeLessThan(300);
  expect(error.message).toMatch(
    /^cannot patch Deployment "web": spec\.template: Invalid value: \{…\}: field is immutable$/,
  );
});

test('of a web page only the title is shown', () => {
  const page = '<html><head><title>502 Bad\nGateway</title></head><body>much more</body></html>';
  expect(new ApiError(502, page, attempt).message).toBe('cannot patch Deployment "web": 502 Bad Gateway');
});

describe('a server that cannot be reached', () => {
  const thrown = (code: string) => Object.assign(new Error('low level'), { code });

  test.each([
    ['ECONNREFUSED', 'connection refused'],
    ['ENOTFOUND', 'the name does not resolve'],
    ['CONNECT_TIMEOUT', 'no answer'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'its certificate authority is unknown'],
    ['CERT_HAS_EXPIRED', 'its certificate has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'its certificate is for a different name'],
  ])('%s is said in words, also when it lies deeper', (code, words) => {
    const error = connectionError(new TypeError('fetch failed', { cause: thrown(code) }), 'https://10.0.0.1:6443/path');
    expect(error.message).toBe(`cannot reach the API server at 10.0.0.1:6443: ${words}`);
    expect(error.hint).toMatch(/\.$/);
  });

  test('a proxy that is down is not taken for the server', () => {
    const error = connectionError(thrown('ECONNREFUSED'), 'https://10.0.0.1', 'proxy:3128');
    expect(error.message).toBe(
      'cannot reach the API server at 10.0.0.1 through the proxy proxy:3128: connection refused',
    );
    expect(error.hint).toMatch(/NO_PROXY/);
  });

  test('what the proxy answers is shown', () => {
    const error = connectionError(
      httpError('PROXY_REFUSED', 'the proxy answered 407', { status: 407 }),
      'https://a',
      'proxy:3128',
    );
    expect(error.message).toMatch(/the proxy answered 407$/);
    expect(error.hint).toMatch(/name and password/);
  });
});
