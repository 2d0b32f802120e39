import { describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import { explainApi } from '../../../src/google/explain-api.ts';
import { explainImpersonation, explainSts } from '../../../src/google/explain-sign-in.ts';
import { memberOf } from '../../../src/google/federation.ts';
import { readGoogleError } from '../../../src/google/google-error.ts';

const read = (code: number, body: Json) => readGoogleError(code, body, JSON.stringify(body));

describe('an error of Google', () => {
  test('names the permission, in its words or in its details', () => {
    const words = 'Required "container.clusters.get" permission(s) for "projects/p/locations/l/clusters/c".';
    expect(read(403, { error: { code: 403, message: words, status: 'PERMISSION_DENIED' } }).permission).toBe(
      'container.clusters.get',
    );
    const info = {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'IAM_PERMISSION_DENIED',
      metadata: { permission: 'a.b.c' },
    };
    expect(read(403, { error: { code: 403, message: 'no', details: [info] } })).toMatchObject({
      permission: 'a.b.c',
      reason: 'IAM_PERMISSION_DENIED',
    });
  });

  test('names the API that is not enabled, also in the older form', () => {
    const url = 'https://console.developers.google.com/apis/api/container.googleapis.com/overview?project=123';
    const message = `Kubernetes Engine API has not been used in project 123 before or it is disabled. Enable it by visiting ${url} then retry.`;
    const older = { error: { code: 403, message, errors: [{ reason: 'accessNotConfigured' }] } };
    expect(read(403, older).disabled).toEqual({ service: 'container.googleapis.com', url });
    const oldest = {
      error: {
        code: 403,
        message: 'Kubernetes Engine API is not enabled for this project. Please ensure it is enabled',
      },
    };
    expect(read(403, oldest).disabled).toMatchObject({ service: '' });
  });

  test('may be one of OAuth', () => {
    expect(read(400, { error: 'invalid_grant', error_description: 'stale' })).toMatchObject({
      status: 'invalid_grant',
      message: 'stale',
    });
  });

  test('may be a page, or nothing', () => {
    expect(readGoogleError(502, null, '<html><head><title>502 Bad Gateway</title></head></html>').message).toBe(
      '502 Bad Gateway',
    );
    expect(readGoogleError(502, null, '').message).toBe('HTTP 502');
  });
});

const audience = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/acme';
const claims = { subject: 's', repository: 'acme/shop', repositoryId: '2' };

test('rights are granted to all runs of the repository, whatever branch they are of and form their subject has', () => {
  const pool = 'iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github';
  expect(memberOf(audience, claims)).toBe(`principalSet://${pool}/attribute.repository_id/2`);
  expect(memberOf(audience, { ...claims, repositoryId: undefined })).toBe(`principal://${pool}/subject/s`);
  expect(memberOf('//other', claims)).toBeUndefined();
});

test('an unknown reason of STS is told as it is', () => {
  const failure = explainSts(
    read(400, { error: 'invalid_request', error_description: 'Something new' }),
    audience,
    claims,
  );
  expect(failure.message).toContain('refuses it: Something new');
  expect(failure.hint).toContain('providers describe');
});

test('a service account without a known principal gets a placeholder', () => {
  const nobody = { principal: () => undefined, member: () => undefined };
  const denied = read(403, { error: { code: 403, message: 'denied' } });
  expect(explainImpersonation(denied, 'a@b', nobody).hint).toContain(
    '--role=roles/iam.serviceAccountTokenCreator --member="PRINCIPAL"',
  );
});

test('what is no question of rights keeps the words of the API', () => {
  const failure = explainApi(read(500, { error: { code: 500, message: 'Internal error.' } }), {
    purpose: 'get cluster "c"',
    permission: 'container.clusters.get',
    role: 'r',
    project: 'p',
    principal: undefined,
    member: undefined,
    credentials: 'the input "access-token"',
  });
  expect(failure.message).toBe('cannot get cluster "c": Internal error (HTTP 500)');
});
