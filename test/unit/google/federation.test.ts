import { expect, test } from '@jest/globals';

import { externalAccount } from '../../../src/google/federation.ts';
import { Hosts } from '../../../src/google/hosts.ts';
import { Web } from '../../../src/google/web.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { scriptedServer } from '../../support/scripted-server.ts';

const audience = '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q';

test('of the headers that a token is asked for with, those that hold secrets are masked, and no ordinary words', async () => {
  await using server = await scriptedServer(({ path }) =>
    path === '/subject'
      ? { text: 'eyJ.subject.x' }
      : { json: { access_token: 'ya29.d.federated', expires_in: 300, token_type: 'Bearer' } },
  );
  const masked: string[] = [];
  const clock = new HastyClock();
  const web = new Web({ clock, env: {} });
  const credentials = externalAccount(
    {
      type: 'external_account',
      audience,
      subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
      tokenUrl: `${server.url}/token`,
      subject: {
        type: 'url',
        url: `${server.url}/subject`,
        headers: { Metadata: 'True', Authorization: 'Bearer eyJ.request.x' },
      },
    },
    'the file "x"',
    { clock, web, hosts: new Hosts('googleapis.com', {}), env: {}, onSecret: (secret) => masked.push(secret) },
  );
  await expect(credentials.token()).resolves.toEqual({ token: 'ya29.d.federated', expiresAt: clock.now() + 300_000 });
  expect(masked).toEqual(['eyJ.request.x', 'eyJ.subject.x', 'ya29.d.federated']);
  expect(server.received[0]?.headers).toMatchObject({ metadata: 'True', authorization: 'Bearer eyJ.request.x' });
  web.close();
});
