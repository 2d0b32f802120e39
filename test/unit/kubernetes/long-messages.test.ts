import { expect, test } from '@jest/globals';

import { limits } from '../../../src/base/limits.ts';
import { ApiError } from '../../../src/kubernetes/errors.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';

const attempt = { verb: 'patch', plural: 'deployments', group: 'apps', subject: 'Deployment "web"' };

test.each([
  ['.a', 400],
  ['.a', 403],
  ['.a', 404],
  ['.a', 409],
  ['.a', 422],
  ['.a', 500],
  ['.a: expected ', 500],
  ["ValidatingAdmissionPolicy 'a' ", 422],
  ['[', 422],
])('an API error with 1 MB of "%s" (status %d) is read at once and cut', async (part, status) => {
  const text = part.repeat(1_048_576 / part.length);
  const message = status === 500 ? `failed to create typed patch object: ${text}` : text;
  const details = { causes: [{ field: text, message: text, reason: 'X' }] };
  const took = await cpuTimeOf(() => {
    const error = new ApiError(status, { kind: 'Status', message, reason: 'Invalid', details }, attempt);
    expect(error.serverMessage).toHaveLength(limits.message.value);
  });
  expect(took).toBeLessThan(SQUARE_MS);
});

test('what an API error says of fields is read with spaces in the keys, and each field of several lines', () => {
  const said = [
    'failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): errors:',
    '  .spec.template.spec.containers[name="a b"].imge: field not declared in schema',
    '  .spec.replcas: field not declared in schema',
    '  .spec.containers[name="c"].env: duplicate entries for key [name="A"]',
  ].join('\n');
  const { message } = new ApiError(500, { kind: 'Status', message: said }, attempt);
  expect(message).toContain('spec.template.spec.containers[name="a b"].imge');
  expect(message).toContain('spec.replcas');
  expect(message).toContain('spec.containers[name="c"].env[name="A"]');
});
