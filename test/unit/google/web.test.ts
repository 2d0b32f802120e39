import { describe, expect, test } from '@jest/globals';

import { messageOf } from '../../../src/base/errors.ts';
import { claimsOf } from '../../../src/google/github-oidc.ts';
import { Hosts } from '../../../src/google/hosts.ts';
import { principalOf } from '../../../src/google/federation.ts';
import { Web } from '../../../src/google/web.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { scriptedServer, type Reply } from '../../support/scripted-server.ts';

/** Asks a server that answers so, and says how often it was asked and how long one waited. */
async function ask(replies: readonly Reply[], more: Partial<Parameters<Web['ask']>[0]> = {}) {
  await using server = await scriptedServer((_, count) => replies[Math.min(count, replies.length) - 1] ?? 'reset');
  const clock = new HastyClock();
  const web = new Web({ clock, env: {}, random: () => 0.5 });
  try {
    const answer = await web
      .ask({ url: `${server.url}/x`, purpose: 'try', ...more })
      .catch((error: unknown) => ({ message: messageOf(error) }));
    return { answer, asked: server.received.length, waits: clock.sleeps, received: server.received };
  } finally {
    web.close();
  }
}

const fine: Reply = { json: { a: 1 } };

describe('a question', () => {
  test('is asked again while the server is busy or the connection breaks, each time later', async () => {
    const { answer, waits } = await ask([{ status: 503, json: {} }, 'reset', { status: 429, json: {} }, fine]);
    expect(answer).toMatchObject({ status: 200, json: { a: 1 } });
    expect(waits).toEqual([250, 500, 1000]);
  });

  test('waits as long as the server says, but not for ever', async () => {
    const busy = (seconds: string): Reply => ({ status: 429, json: {}, headers: { 'Retry-After': seconds } });
    expect((await ask([busy('3'), fine])).waits).toEqual([3000]);
    expect(await ask([busy('3600'), fine])).toMatchObject({ answer: { status: 429 }, asked: 1 });
  });

  test('is asked five times at most', async () => {
    expect(await ask([{ status: 500, json: {} }])).toMatchObject({ answer: { status: 500 }, asked: 5 });
  });

  test('that is refused is not asked again, unless that may pass', async () => {
    expect((await ask([{ status: 403, json: {} }])).asked).toBe(1);
    expect((await ask([{ status: 403, json: {} }, fine], { mayPass: () => true })).asked).toBe(2);
  });

  test.each(['https://other.example/', '/login'])(
    'is not asked elsewhere when the server redirects to %s',
    async (Location) => {
      const { answer, asked } = await ask([{ status: 302, text: '', headers: { Location } }, fine]);
      expect(answer).toMatchObject({ message: expect.stringContaining('where credentials must not be sent') });
      expect(asked).toBe(1);
    },
  );

  test('that gets a page instead of JSON is an error', async () => {
    expect((await ask([{ text: '<html>' }])).answer).toMatchObject({
      message: expect.stringContaining('did not answer with JSON'),
    });
  });

  test('is sent as JSON or as a form', async () => {
    const [json] = (await ask([fine], { method: 'POST', json: { a: 'b c' } })).received;
    const [form] = (await ask([fine], { method: 'POST', form: { a: 'b c' } })).received;
    expect(json).toMatchObject({ body: '{"a":"b c"}', headers: { 'content-type': 'application/json' } });
    expect(form).toMatchObject({ body: 'a=b+c', headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  });

  test('with credentials never travels unencrypted to another machine', async () => {
    const web = new Web({ clock: new HastyClock(), env: {} });
    await expect(web.ask({ url: 'http://sts.example.com/v1/token', purpose: 'try' })).rejects.toThrow(
      '"http://sts.example.com" is not https',
    );
  });
});

describe('hosts', () => {
  test.each<[Parameters<Hosts['of']>, string]>([
    [['container'], 'https://container.example.dev'],
    [['connectgateway', 'global'], 'https://connectgateway.example.dev'],
    [['connectgateway', 'us-central1'], 'https://us-central1-connectgateway.example.dev'],
    [['sts'], 'https://sts.internal.example:8443'],
  ])('%j is %s', (service, expected) => {
    const env = { CLOUDSDK_API_ENDPOINT_OVERRIDES_STS: 'https://sts.internal.example:8443/' };
    expect(new Hosts('example.dev', env).of(...service)).toBe(expected);
  });

  test('that are no URL are refused', () => {
    const hosts = new Hosts('example.dev', { CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER: 'container.internal' });
    expect(() => hosts.of('container')).toThrow('CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER is "container.internal"');
  });
});

test('a token of GitHub says who runs, for messages', () => {
  const claims = Buffer.from(
    JSON.stringify({ sub: 'repo:a@1/b@2:ref:x', repository: 'a/b', repository_id: '2' }),
  ).toString('base64url');
  expect(claimsOf(`h.${claims}.s`)).toEqual({ subject: 'repo:a@1/b@2:ref:x', repository: 'a/b', repositoryId: '2' });
  expect(claimsOf('nothing')).toEqual({ subject: undefined, repository: undefined, repositoryId: undefined });
  expect(
    principalOf(
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
      `h.${claims}.s`,
    ),
  ).toBe(
    'principal://iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/subject/repo:a@1/b@2:ref:x',
  );
});
