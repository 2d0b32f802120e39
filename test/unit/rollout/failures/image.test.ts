import { describe, expect, test } from '@jest/globals';

import { imageSign } from '../../../../src/rollout/failures/image.ts';

const image = 'registry.test/web:9';
const where = { what: 'container "web"', image, object: { apiVersion: 'v1', kind: 'Pod', name: 'web-a' } };
const seconds = (reason: string, message: string): [string, number | undefined, string] => {
  const sign = imageSign(reason, message, where);
  if (sign === undefined) throw new Error(`no sign for ${reason}`);
  const text = sign.cause.message.replace('container "web": image "registry.test/web:9" ', '');
  return [sign.state, sign.state === 'mayHeal' ? sign.graceMs / 1000 : undefined, text];
};

/** The words of containerd 1.6, as the kubelet passes them on. */
const pulling = `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": `;

describe('an image whose name reads like an answer', () => {
  test.each([
    ['registry.test/web:403', 'not found'],
    ['registry.test/web:429', 'not found'],
    ['registry.test/denied-persons:1', 'not found'],
  ])('%s: is told by the answer alone', (name, text) => {
    const message = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`;
    expect(imageSign('ErrImagePull', message, { ...where, image: name })?.cause.message).toBe(
      `container "web": image "${name}" ${text}`,
    );
  });

  test('and the address of its manifest counts as little', () => {
    const message = `${pulling}unexpected status from HEAD request to https://registry.test/v2/web/manifests/403: 429 Too Many Requests`;
    expect(seconds('ErrImagePull', message)[2]).toBe('cannot be pulled now: rate-limited by the registry');
  });
});

describe('an image that cannot be pulled is told by the words of the runtime', () => {
  test.each([
    [
      'missing',
      `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
      10,
      'not found',
    ],
    [
      'of a repository that is missing',
      `${pulling}pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
      10,
      'cannot be pulled: access denied by the registry',
    ],
    [
      'refused with 401',
      `${pulling}failed to authorize: failed to fetch anonymous token: unexpected status: 401 Unauthorized`,
      10,
      'cannot be pulled: access denied by the registry',
    ],
    [
      'refused with 403',
      `${pulling}unexpected status from HEAD request to https://registry.test/v2/web/manifests/9: 403 Forbidden`,
      10,
      'cannot be pulled: access denied by the registry',
    ],
    [
      'limited with 429',
      `${pulling}unexpected status code https://registry.test/v2/web/manifests/9: 429 Too Many Requests`,
      60,
      'cannot be pulled now: rate-limited by the registry',
    ],
    [
      'limited by Docker Hub',
      `${pulling}toomanyrequests: You have reached your pull rate limit.`,
      60,
      'cannot be pulled now: rate-limited by the registry',
    ],
    [
      'of a host without a name',
      `${pulling}failed to do request: Head "https://registry.test/v2/web/manifests/9": dial tcp: lookup registry.test on 10.0.0.10:53: no such host`,
      60,
      'cannot be pulled: the registry name does not resolve',
    ],
    [
      'refused at the port',
      `${pulling}failed to do request: Head "https://registry.test/v2/web/manifests/9": dial tcp 10.200.1.2:443: connect: connection refused`,
      60,
      'cannot be pulled: the registry is unreachable (connect: connection refused)',
    ],
    [
      'behind an unknown certificate',
      `${pulling}failed to do request: Head "https://registry.test/v2/": x509: certificate signed by unknown authority`,
      60,
      'cannot be pulled: the registry is unreachable (x509: certificate signed by unknown authority)',
    ],
    [
      'for another processor',
      `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": no match for platform in manifest`,
      10,
      'is not built for the CPU architecture of the nodes',
    ],
    [
      'for an unknown reason',
      'rpc error: code = Unknown desc = disk full',
      60,
      'cannot be pulled: rpc error: code = Unknown desc = disk full',
    ],
  ])('%s', (_, message, grace, text) => {
    expect(seconds('ErrImagePull', message)).toEqual(['mayHeal', grace, text]);
    // The kubelet repeats the words of the pull while it backs off.
    expect(seconds('ImagePullBackOff', `Back-off pulling image "${image}": ErrImagePull: ${message}`)[2]).toBe(text);
  });

  test('a port or a digest with 401 in it is no refusal', () => {
    const digest = `registry.test:40100/web@sha256:${'0401'.repeat(16)}`;
    expect(seconds('ErrImagePull', `failed to resolve reference "${digest}": ${digest}: not found`)[2]).toBe(
      'not found',
    );
  });

  test('a name that is none, and one that must not be pulled, are final at once', () => {
    expect(seconds('InvalidImageName', '')).toEqual(['final', undefined, 'is not a valid image reference']);
    expect(seconds('ErrImageNeverPull', '')).toEqual([
      'final',
      undefined,
      'is not on the node, and imagePullPolicy is Never',
    ]);
  });

  test('other reasons to wait are not about the image', () => {
    expect(imageSign('ContainerCreating', '', where)).toBeUndefined();
  });
});
