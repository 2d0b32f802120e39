import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import {
  hashIn,
  newHashKey,
  restartAnnotation,
  withConfigHashes,
  withHash,
} from '../../../src/manifests/config-hash.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { chooseHash, type ConfigChanges } from '../../../src/apply/config-change.ts';
import { configMap, manifestOf, objectOf } from '../release/build.ts';

const key = newHashKey();
const settings = (value: string) => configMap({ greeting: value, unread: value }, { name: 'settings' });

function workload(kind = 'Deployment', annotations: Record<string, string> = {}): KubernetesObject {
  const valueFrom = { configMapKeyRef: { name: 'settings', key: 'greeting' } };
  const containers = [{ name: 'web', env: [{ name: 'GREETING', valueFrom }] }];
  return objectOf(
    kind === 'Rollout' ? 'argoproj.io/v1alpha1' : 'apps/v1',
    kind,
    { spec: { template: { spec: { containers } } } },
    { annotations },
  );
}

/** The workload as it is deployed with this value. */
function wanting(value: string, object = workload()): Manifest {
  const [manifest] = withConfigHashes([manifestOf(object), manifestOf(settings(value))], key);
  if (manifest === undefined) throw new Error('there is none');
  return manifest;
}

const hashOf = (value: string) => hashIn(wanting(value).object) ?? '';
const liveWith = (hash: string | undefined) => withHash(manifestOf(workload()), hash).object;

function changing(before: KubernetesObject | undefined, after: KubernetesObject | undefined): ConfigChanges {
  return new Map([['/ConfigMap/shop/settings', { before, after }]]);
}

const oneToTwo = changing(settings('one'), settings('two'));
const nothing: ConfigChanges = new Map();
const given = { changes: nothing, isOurs: true, restart: true };
const reads = ['ConfigMap "settings"'];

describe('the hash in the template of a workload that is there', () => {
  test('stays while its config does', () => {
    const now = hashOf('one');
    expect(chooseHash(wanting('one'), liveWith(now), given)).toEqual({ kept: now, fresh: now });
  });

  test('changes with its config', () => {
    const wanted = hashOf('two');
    const choice = chooseHash(wanting('two'), liveWith(hashOf('one')), { ...given, changes: oneToTwo });
    expect(choice).toEqual({ kept: wanted, fresh: wanted, effect: { state: 'renewed', reads } });
  });

  test('changes too where somebody has written the new config already, but the pods have started before', () => {
    const wanted = hashOf('two');
    const choice = chooseHash(wanting('two'), liveWith(hashOf('one')), given);
    expect(choice).toEqual({ kept: wanted, fresh: wanted, effect: { state: 'renewed', reads: [] } });
  });

  test('is another one where somebody had changed the config meanwhile and it is put back', () => {
    const now = hashOf('one');
    const changes = changing(settings('by hand'), settings('one'));
    expect(chooseHash(wanting('one'), liveWith(now), { ...given, changes })).toMatchObject({
      kept: `${now}.1`,
      fresh: `${now}.1`,
    });
    expect(chooseHash(wanting('one'), liveWith(`${now}.1`), { ...given, changes }).kept).toBe(`${now}.2`);
    expect(chooseHash(wanting('one'), liveWith(`${now}.1`), given)).toEqual({ kept: `${now}.1`, fresh: `${now}.1` });
  });

  test('does not come for its own sake: only with changed config, or when the pods are replaced anyhow', () => {
    const wanted = hashOf('two');
    expect(chooseHash(wanting('two'), liveWith(undefined), given)).toEqual({ kept: undefined, fresh: wanted });
    expect(chooseHash(wanting('two'), liveWith(undefined), { ...given, changes: oneToTwo }).kept).toBe(wanted);
  });

  test('does not change because the key is another one', () => {
    const foreign = '00000000.00000000000000000000000000000000';
    expect(chooseHash(wanting('two'), liveWith(foreign), given)).toEqual({ kept: foreign, fresh: hashOf('two') });
    expect(chooseHash(wanting('two'), liveWith(foreign), { ...given, isOurs: false }).kept).toBeUndefined();
  });

  test('stays where it is when nothing of the release is read any more, until the pods are replaced', () => {
    const now = hashOf('one');
    expect(chooseHash(manifestOf(workload()), liveWith(now), given)).toEqual({ kept: now, fresh: undefined });
  });

  test('does not change with an entry that is not read', () => {
    const after = settings('one');
    after['data'] = { greeting: 'one', unread: 'new' };
    const changes = changing(settings('one'), after);
    expect(chooseHash(wanting('one'), liveWith(undefined), { ...given, changes }).kept).toBeUndefined();
  });

  test('comes with config that was not there before', () => {
    const changes = changing(undefined, settings('two'));
    expect(chooseHash(wanting('two'), liveWith(undefined), { ...given, changes }).effect).toEqual({
      state: 'renewed',
      reads,
    });
  });
});

describe('a workload that reloads by itself', () => {
  const byHand = { [restartAnnotation]: 'false' };

  test.each([
    ['the input', workload(), false, 'input'],
    ['its annotation', workload('Deployment', byHand), true, 'annotation'],
  ])('keeps its pods by %s', (_, object, restart, because) => {
    const now = hashOf('one');
    const choice = chooseHash(wanting('two', object), liveWith(now), { isOurs: true, changes: oneToTwo, restart });
    expect(choice).toEqual({ kept: now, fresh: hashOf('two'), effect: { state: 'left', reads, because } });
  });

  test('can be the rule, and one workload the exception', () => {
    const exception = workload('Deployment', { [restartAnnotation]: 'true' });
    const choice = chooseHash(wanting('two', exception), liveWith(undefined), {
      isOurs: true,
      changes: oneToTwo,
      restart: false,
    });
    expect(choice).toMatchObject({ kept: hashOf('two'), effect: { state: 'renewed' } });
  });

  test('says nothing as long as nothing changes', () => {
    const choice = chooseHash(wanting('two'), liveWith(hashOf('one')), { ...given, restart: false });
    expect(choice).toEqual({ kept: hashOf('one'), fresh: hashOf('two') });
  });
});

test.each(['ReplicaSet', 'Rollout'])('the pods of a %s are not replaced, which is told', (kind) => {
  const object = workload(kind);
  expect(chooseHash(manifestOf(object), object, { ...given, changes: oneToTwo })).toEqual({
    kept: undefined,
    fresh: undefined,
    effect: { state: 'left', reads, because: 'kind' },
  });
});
