import { describe, expect, test } from '@jest/globals';

import { problemsOfRefusal } from '../../../src/apply/problems.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { manifestOf, objectOf } from '../release/build.ts';

const deployment = objectOf('apps/v1', 'Deployment', {
  spec: { replcas: 1, template: { spec: { containers: [{ name: 'web', imag: 'x' }] } } },
});
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };
const strict = (...fields: string[]) =>
  refusal(400, 'BadRequest', ref, {
    message: `strict decoding error: ${fields.map((f) => `unknown field "${f}"`).join(', ')}`,
  });

class Documented extends FakeApi {
  override explain(_apiVersion?: string, _kind?: string, path: readonly (string | number)[] = []): Promise<never> {
    const isKnown = path.at(-1) === 'replicas';
    const found = {
      path: '',
      type: 'int32',
      description: isKnown ? 'Number of pods.' : '',
      siblings: ['replicas', 'paused'],
    };
    return Promise.resolve(found as never);
  }
}

describe('what the server has against a manifest', () => {
  test('is told with the documentation of the field that was meant', async () => {
    const problems = await problemsOfRefusal(new Documented(), manifestOf(deployment), strict('spec.replcas'));
    expect(problems).toMatchObject([
      {
        message: expect.stringMatching(/"spec\.replcas".*"replicas" is <int32>: Number of pods\./),
        hint: 'Did you mean "replicas"?',
        location: { file: 'spec.replcas.yaml' },
      },
    ]);
  });

  test('is asked for by a create as well, since an apply names the first unknown field only', async () => {
    const api = new Documented();
    api.before = (operation) => {
      if (operation === 'create') throw strict('spec.replcas', 'spec.template.spec.containers[0].imag');
    };
    const problems = await problemsOfRefusal(api, manifestOf(deployment), strict('spec.replcas'));
    expect(problems.map(({ location }) => location?.file)).toEqual([
      'spec.replcas.yaml',
      'spec.template.spec.containers.0.imag.yaml',
    ]);
  });

  test('says how the strategy can be changed, which an apply cannot do (kubernetes/kubernetes#24198)', async () => {
    const causes = [{ field: 'spec.strategy.rollingUpdate', message: 'Forbidden: may not be specified' }];
    const error = refusal(422, 'Invalid', ref, { details: { causes } });
    const [problem] = await problemsOfRefusal(new FakeApi(), manifestOf(deployment), error);
    expect(problem?.hint).toContain('kubectl patch deployment a');
  });

  test('is no problem of the manifest when it is a bug of ours', async () => {
    await expect(problemsOfRefusal(new FakeApi(), manifestOf(deployment), new TypeError('x'))).rejects.toThrow(
      TypeError,
    );
  });
});
