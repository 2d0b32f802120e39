import { describe, expect, test } from '@jest/globals';

import { Failure } from '../../../src/base/errors.ts';
import { open, type Problem } from '../../../src/kubernetes/connect/endpoint.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { scriptedServer, status, type Reply } from '../../support/scripted-server.ts';

/** The hint of the error that a read ends with. */
async function hintFor(server: string, advise: (problem: Problem) => string | undefined): Promise<string | undefined> {
  const clock = new HastyClock();
  const credentials = () => Promise.resolve({ headers: { Authorization: 'Bearer t' } });
  const connection = await open(
    { server, context: 'test', namespace: 'default', credentials, advise },
    { clock, env: {} },
  );
  const client = createClient(connection, { clock, userAgent: 'test' });
  try {
    await client.resources();
  } catch (error) {
    return error instanceof Failure ? error.hint : undefined;
  } finally {
    await client.close();
  }
  return undefined;
}

describe('who knows the server better than a kubeconfig does is asked what to do when', () => {
  test.each<[Problem, Reply]>([
    ['not-authenticated', status(401, 'Unauthorized')],
    ['refused-on-the-way', { status: 403, text: '<title>Error 403 (Forbidden)!!1</title>' }],
  ])('%s', async (problem, reply) => {
    await using server = await scriptedServer(() => reply);
    expect(await hintFor(server.url, (asked) => `about ${asked}`)).toBe(`about ${problem}`);
  });

  test('unreachable', async () => {
    expect(await hintFor('http://127.0.0.1:1', (asked) => `about ${asked}`)).toBe('about unreachable');
  });

  test('and the general hint stays where they know nothing', async () => {
    expect(await hintFor('http://127.0.0.1:1', () => undefined)).toContain('Check the address in the kubeconfig');
  });
});
