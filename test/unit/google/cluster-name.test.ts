import { describe, expect, test } from '@jest/globals';

import { notFound, pathOf } from '../../../src/google/cluster.ts';
import { projectOfServiceAccount, resolveClusterName } from '../../../src/google/cluster-name.ts';
import { parseMembership } from '../../../src/google/connect-gateway.ts';

const full = 'projects/shop/locations/us-central1/clusters/bootcamp';
const name = { project: 'shop', location: 'us-central1', cluster: 'bootcamp' };

describe('the name of a cluster', () => {
  test.each([
    full,
    `//container.googleapis.com/${full}`,
    `https://container.googleapis.com/v1/${full}`,
    full.replace('locations', 'zones'),
  ])('may be full: %s', (cluster) => {
    expect(resolveClusterName({ cluster }, {})).toEqual(name);
  });

  test('may be short, with what the inputs, the environment and the credentials say, in this order', () => {
    const short = { cluster: 'bootcamp', location: 'us-central1' };
    const env = { CLOUDSDK_CORE_PROJECT: 'shop', GCP_PROJECT: 'other' };
    expect(resolveClusterName({ ...short, project: 'shop' }, { GOOGLE_CLOUD_PROJECT: 'other' }, 'other')).toEqual(name);
    expect(resolveClusterName(short, env, 'other')).toEqual(name);
    expect(resolveClusterName(short, { GOOGLE_CLOUD_PROJECT: '' }, 'shop')).toEqual(name);
    expect(() => resolveClusterName(short, {})).toThrow('the project of the cluster is not set');
  });

  test('may not be said twice in different ways', () => {
    expect(() => resolveClusterName({ cluster: full, location: 'us-east1' }, {})).toThrow(
      'the input "location" is "us-east1", but the input "cluster" names the location "us-central1"',
    );
    expect(resolveClusterName({ cluster: full, project: 'shop' }, { GCP_PROJECT: 'other' })).toEqual(name);
  });

  test('leads to a path that it cannot leave', () => {
    expect(pathOf({ ...name, cluster: '../x?y' })).toBe('projects/shop/locations/us-central1/clusters/..%2Fx%3Fy');
  });
});

test.each([
  ['deployer@acme-shop.iam.gserviceaccount.com', 'acme-shop'],
  ['deployer@shop.acme.example.iam.gserviceaccount.com', 'shop.acme.example'],
  ['123-compute@developer.gserviceaccount.com', undefined],
  ['olga@acme.example', undefined],
  [undefined, undefined],
])('the project of %s is %s', (email, project) => {
  expect(projectOfServiceAccount(email)).toBe(project);
});

describe('a cluster that is not there', () => {
  const told = (all: { name: string; location: string }[] | undefined) => {
    const { message, hint = '' } = notFound({ ...name, location: 'us-central1-a' }, all);
    return `${message}. ${hint}`;
  };
  const start = 'there is no cluster "bootcamp" in "us-central1-a" of project "shop"';

  test.each<[string, Parameters<typeof told>[0], string]>([
    [
      'elsewhere',
      [{ name: 'bootcamp', location: 'us-central1' }],
      `${start}, but there is one in "us-central1". Set the input "location" to "us-central1".`,
    ],
    [
      'in two places',
      [
        { name: 'bootcamp', location: 'us-central1' },
        { name: 'bootcamp', location: 'us-east1' },
      ],
      `${start}, but there is one in "us-central1" and in "us-east1". Set the input "location" to "us-central1" or "us-east1".`,
    ],
    [
      'called almost so',
      [{ name: 'bootcamps', location: 'us-east1' }],
      `${start}. Did you mean "bootcamps" in "us-east1"?`,
    ],
    [
      'nothing like it',
      [{ name: 'prod', location: 'us-east1' }],
      `${start}; the project has "prod" (us-east1). Check the inputs`,
    ],
    [
      'unknown, as nobody may list',
      undefined,
      `${start}. Check its name and location with "gcloud container clusters list"`,
    ],
  ])('is %s', (_, all, expected) => {
    expect(told(all)).toContain(expected);
  });
});

test('a membership is known by its full name, with or without the host', () => {
  const membership = { project: '1', location: 'us-central1', name: 'bootcamp' };
  expect(parseMembership('projects/1/locations/us-central1/memberships/bootcamp')).toEqual(membership);
  expect(parseMembership('//gkehub.googleapis.com/projects/1/locations/us-central1/memberships/bootcamp')).toEqual(
    membership,
  );
  expect(parseMembership('bootcamp')).toBeUndefined();
});
