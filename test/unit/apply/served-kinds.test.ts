import { expect, test } from '@jest/globals';

import type { Resource } from '../../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { untilServed } from '../../../src/apply/served-kinds.ts';
import { FakeApi } from '../../support/fake-api.ts';

const definition: KubernetesObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gadgets.example.test' },
  spec: {
    group: 'example.test',
    scope: 'Namespaced',
    names: { kind: 'Gadget', plural: 'gadgets' },
    versions: [
      { name: 'v1', served: true },
      { name: 'v1alpha1', served: false },
    ],
  },
};

/** Discovery tells of the kind only after it was asked anew this many times. */
class SlowDiscovery extends FakeApi {
  readonly #after: number;
  asked = 0;

  constructor(after: number) {
    super();
    this.#after = after;
  }

  override forgetDiscovery(): void {
    this.asked += 1;
  }

  override async resource(apiVersion: string, kind: string): Promise<Resource | undefined> {
    return this.asked > this.#after && apiVersion === 'example.test/v1'
      ? await super.resource(apiVersion, kind)
      : undefined;
  }
}

/** Time that passes only while somebody sleeps. */
function clockFrom(start: number) {
  let now = start;
  return {
    now: () => now,
    sleep: (ms: number) => {
      now += ms;
      return Promise.resolve();
    },
  };
}

const { signal } = new AbortController();

test('a new kind is waited for until discovery tells of it, versions that are not served aside', async () => {
  const api = new SlowDiscovery(2);
  await untilServed(api, [definition], { clock: clockFrom(0), signal, deadline: 60_000 });
  expect(api.asked).toBe(3);
});

test('one that discovery never tells of is an error that names it', async () => {
  const api = new SlowDiscovery(Number.POSITIVE_INFINITY);
  await expect(untilServed(api, [definition], { clock: clockFrom(0), signal, deadline: 1000 })).rejects.toThrow(
    'the cluster does not serve the new kind "Gadget"',
  );
});
