import { describe, expect, test } from '@jest/globals';

import {
  annotationsOfPreview,
  identityOf,
  labelsOfPreview,
  labelsOfRepository,
  ownership,
  readPreview,
} from '../../../src/preview/identity.ts';
import { facts, head, hour, identity, now, previewNamespaceObject } from './build.ts';

test('the labels say whose preview it is, each with a value that a label may have', () => {
  const labels = labelsOfPreview(identity);
  expect(labels).toStrictEqual({
    'app.kubernetes.io/managed-by': 'gke-rollout',
    'gke-rollout/preview': 'true',
    'gke-rollout/github-server': 'github.com',
    'gke-rollout/repository-id': '42',
    'gke-rollout/pull-request': '7',
    'gke-rollout/release': 'shop',
  });
  expect(labels).toMatchObject(labelsOfRepository(identity));
});

test('a server with a port fits into a label', () => {
  const repository = { id: 42, owner: 'acme', name: 'shop', url: 'https://git.example.com:8443/acme/shop' };
  expect(identityOf(repository, 7, 'shop')).toStrictEqual({ ...identity, server: 'git.example.com_8443' });
});

test('what is not known is taken away from the annotations', () => {
  const { runUrl, url, expiresAt, author, ...least } = facts();
  expect([runUrl, url, expiresAt, author]).not.toContain(undefined);
  expect(annotationsOfPreview(least)).toStrictEqual({
    'gke-rollout/repository': 'acme/shop',
    'gke-rollout/head-sha': head,
    'gke-rollout/branch': 'prices',
    'gke-rollout/author': null,
    'gke-rollout/pull-request-url': 'https://github.com/acme/shop/pull/7',
    'gke-rollout/run-url': null,
    'gke-rollout/url': null,
    'gke-rollout/deployed-at': '2026-03-10T11:00:00.000Z',
    'gke-rollout/expires-at': null,
    'gke-rollout/keep': null,
  });
});

describe('a namespace read as a preview', () => {
  test('tells all that was written', () => {
    expect(readPreview(previewNamespaceObject({ facts: { keep: true } }))).toStrictEqual({
      state: 'preview',
      preview: {
        ...identity,
        ...facts({ keep: true }),
        namespace: 'shop-pr-7',
        uid: 'uid-7',
        resourceVersion: '100',
        createdAt: now - 2 * hour,
      },
    });
  });

  test('tells since when it is going', () => {
    const reading = readPreview(previewNamespaceObject({ metadata: { deletionTimestamp: '2026-03-10T11:00:00Z' } }));
    expect(reading).toMatchObject({ preview: { goingSince: now - hour } });
  });

  test.each([
    ['has no labels of one', { labels: { 'gke-rollout/preview': undefined } }],
    ['is of another manager', { labels: { 'app.kubernetes.io/managed-by': 'argocd' } }],
    ['says that it is none', { labels: { 'gke-rollout/preview': 'false' } }],
  ])('is none where it %s', (_, options) => {
    expect(readPreview(previewNamespaceObject(options))).toStrictEqual({ state: 'none' });
    expect(ownership(previewNamespaceObject(options), identity)).toStrictEqual({
      is: 'not-a-preview',
      reason: 'is not a preview: it does not have the labels of one',
    });
  });

  test.each([
    ['has no label "gke-rollout/repository-id"', { labels: { 'gke-rollout/repository-id': undefined } }],
    ['has no label "gke-rollout/github-server"', { labels: { 'gke-rollout/github-server': undefined } }],
    ['has no label "gke-rollout/release"', { labels: { 'gke-rollout/release': '' } }],
    [
      'has the label "gke-rollout/pull-request", which is not a number',
      { labels: { 'gke-rollout/pull-request': '7a' } },
    ],
    [
      'has the label "gke-rollout/pull-request", which is not a number',
      { labels: { 'gke-rollout/pull-request': '007' } },
    ],
    [
      'has the label "gke-rollout/pull-request", which is not a number',
      { labels: { 'gke-rollout/pull-request': '-7' } },
    ],
  ])("is unreadable, and nobody's, where it %s", (reason, options) => {
    expect(readPreview(previewNamespaceObject(options))).toStrictEqual({ state: 'unreadable', reason });
    expect(ownership(previewNamespaceObject(options), identity)).toStrictEqual({ is: 'not-a-preview', reason });
  });

  test.each([
    ['has "gke-rollout/expires-at", which is not a time', { annotations: { 'gke-rollout/expires-at': 'tomorrow' } }],
    ['has "gke-rollout/expires-at", which is not a time', { annotations: { 'gke-rollout/expires-at': '2026' } }],
    ['has "gke-rollout/deployed-at", which is not a time', { annotations: { 'gke-rollout/deployed-at': '' } }],
    [
      'has the annotation "gke-rollout/keep", which is neither true nor false',
      { annotations: { 'gke-rollout/keep': 'yes' } },
    ],
    ['has no uid or no resourceVersion', { metadata: { uid: undefined } }],
    ['does not say when it was created', { metadata: { creationTimestamp: undefined } }],
  ])('is unreadable where it %s', (reason, options) => {
    expect(readPreview(previewNamespaceObject(options))).toStrictEqual({ state: 'unreadable', reason });
  });
});

describe('whose a preview is', () => {
  test('ours is ours, whatever its name and its annotations', () => {
    const namespace = previewNamespaceObject({
      metadata: { name: 'other' },
      annotations: { 'gke-rollout/keep': 'yes' },
    });
    expect(ownership(namespace, identity)).toStrictEqual({ is: 'ours' });
  });

  test.each([
    [{ repositoryId: 43 }, 'other-repository', 'is a preview of another repository, "acme/shop" on github.com'],
    [
      { server: 'git.example.com' },
      'other-repository',
      'is a preview of another repository, "acme/shop" on git.example.com',
    ],
    [{ number: 77 }, 'other-preview', 'is the preview of pull request 77, release "shop"'],
    [{ release: 'blog' }, 'other-preview', 'is the preview of pull request 7, release "blog"'],
  ])('one with %j is not', (other, is, reason) => {
    expect(ownership(previewNamespaceObject({ identity: other }), identity)).toStrictEqual({ is, reason });
  });

  test('a repository that does not give its name is named by its id', () => {
    const namespace = previewNamespaceObject({
      identity: { repositoryId: 43 },
      annotations: { 'gke-rollout/repository': undefined },
    });
    expect(ownership(namespace, identity)).toMatchObject({
      reason: 'is a preview of another repository, of id 43 on github.com',
    });
  });
});
