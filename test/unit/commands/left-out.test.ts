import { describe, expect, test } from '@jest/globals';

import { describeLeftOut, reasonToLeaveJob, sift, type Look } from '../../../src/commands/left-out.ts';
import { Failure } from '../../../src/base/errors.ts';
import { connectionError } from '../../../src/kubernetes/errors.ts';
import { keyOf, refOf } from '../../../src/kubernetes/object.ts';
import { manifestOf, objectOf } from '../release/build.ts';
import type { Outcome, Revision } from '../../../src/release/revision-shape.ts';

function revisionOf(outcome: Outcome): Revision {
  const time = '2026-01-01T00:00:00Z';
  const facts = { release: 'web', strategy: 'rolling', startedAt: time, finishedAt: time, images: {}, objects: [] };
  return { ...facts, revision: 2, outcome };
}

const job = (type?: string) => {
  const conditions = type === undefined ? [] : [{ type, status: 'True' }];
  return objectOf('batch/v1', 'Job', { status: { conditions } });
};

describe('a Job of an earlier revision (IBM/mcp-context-forge#1546)', () => {
  test('that has run is left, whether it is still there or not', () => {
    expect(reasonToLeaveJob(job(), revisionOf('superseded'), job('Complete'))).toContain('has already run');
    expect(reasonToLeaveJob(job(), revisionOf('superseded'), job('Failed'))).toContain('has already run');
    expect(reasonToLeaveJob(job(), revisionOf('superseded'), undefined)).toContain('is gone');
  });

  test('that has never run is made, and one that runs is compared as all objects are', () => {
    expect(reasonToLeaveJob(job(), revisionOf('failed'), undefined)).toBeUndefined();
    expect(reasonToLeaveJob(job(), revisionOf('superseded'), job())).toBeUndefined();
  });

  test('is not one of another group', () => {
    const other = objectOf('batch.volcano.sh/v1alpha1', 'Job', {});
    expect(reasonToLeaveJob(other, revisionOf('superseded'), undefined)).toBeUndefined();
  });
});

describe('what the server refuses', () => {
  const [good, bad] = ['good', 'bad'].map((name) => manifestOf(objectOf('v1', 'ConfigMap', {}, { name })));
  const all = [good, bad].filter((manifest) => manifest !== undefined);
  const refusing = (error: Error): Look => {
    return (of) => (of.some((manifest) => manifest === bad) ? Promise.reject(error) : Promise.resolve([]));
  };

  test('is left with its reason, and the rest goes back', async () => {
    const sifted = await sift(all, revisionOf('superseded'), new Map(), refusing(new Failure('no')));
    expect(sifted).toEqual({ manifests: [good], left: [{ manifest: bad, reason: 'no' }] });
    expect(describeLeftOut([...sifted.left, ...sifted.left])).toBe(
      'ConfigMap "bad" is left as it is: no (1 more: see the summary)',
    );
  });

  test('is no verdict where the server cannot be reached', async () => {
    const error = connectionError(new Error('reset'), 'https://fake.test');
    await expect(sift(all, revisionOf('superseded'), new Map(), refusing(error))).rejects.toBe(error);
  });

  test('is asked once where nothing is refused', async () => {
    let calls = 0;
    const look: Look = () => {
      calls += 1;
      return Promise.resolve([]);
    };
    const running = new Map(all.map(({ object }) => [keyOf(refOf(object)), object]));
    expect((await sift(all, revisionOf('superseded'), running, look)).manifests).toEqual(all);
    expect(calls).toBe(1);
  });
});
