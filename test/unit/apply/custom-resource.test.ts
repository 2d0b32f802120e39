import { describe, expect, test } from '@jest/globals';

import { definitionsOf, problemsOfCustomResource } from '../../../src/apply/custom-resource.ts';
import { manifestOf, objectOf } from '../release/build.ts';

const definitions = definitionsOf([
  objectOf('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
    spec: {
      group: 'shop.test',
      scope: 'Namespaced',
      names: { kind: 'Widget' },
      versions: [
        {
          name: 'v1',
          served: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  properties: {
                    size: { type: 'integer' },
                    parts: { type: 'array', items: { properties: { name: {} } } },
                    free: { 'x-kubernetes-preserve-unknown-fields': true },
                    map: { additionalProperties: { type: 'string' } },
                  },
                },
              },
            },
          },
        },
        { name: 'v0', served: false, schema: {} },
      ],
    },
  }),
]);

const problems = (apiVersion: string, spec: Parameters<typeof objectOf>[2]) =>
  problemsOfCustomResource(manifestOf(objectOf(apiVersion, 'Widget', { spec })), definitions);

describe('an object whose definition comes with the same deploy', () => {
  test('is fine when its version is served and its fields are known', () => {
    expect(problems('shop.test/v1', { size: 1, parts: [{ name: 'a' }], free: { x: [1] }, map: { any: 'y' } })).toEqual(
      [],
    );
  });

  test('has each unknown field named, with what was meant', () => {
    expect(problems('shop.test/v1', { siz: 1, parts: [{ nme: 'a' }] })).toMatchObject([
      { message: expect.stringContaining('"spec.siz"'), hint: expect.stringContaining('"size"') },
      { message: expect.stringContaining('"spec.parts[0].nme"'), location: { file: 'spec.parts.0.nme.yaml' } },
    ]);
  });

  test('must be of a version that is served', () => {
    expect(problems('shop.test/v0', {})).toMatchObject([{ hint: expect.stringContaining('"v1"') }]);
  });

  test('is not judged when no definition is about it', () => {
    expect(problems('other.test/v1', { any: 1 })).toBeUndefined();
  });
});
