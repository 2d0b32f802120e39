import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import type { Json } from '../../../src/base/json.ts';
import { commitOf, eventOf, pullRequestOf, readEvent, workflowPlace } from '../../../src/github/event.ts';
import { hashOf } from '../../support/github/state.ts';

const head = hashOf(7);
const merge = hashOf(99);
const pull = (changes: Record<string, Json> = {}): Json => ({
  action: 'synchronize',
  pull_request: { number: 7, head: { sha: head, repo: null }, merged: false, ...changes },
});

describe('a pull request', () => {
  test.each(['pull_request', 'pull_request_target'] as const)(
    '%s tells number, action and the head of its branch',
    (name) => {
      const event = eventOf(name, pull());
      expect(event).toEqual({ name, number: 7, action: 'synchronize', headSha: head, merged: false });
      expect(pullRequestOf(event)).toBe(7);
    },
  );

  test('its commit is the head, since the merge for trying shows nowhere', () => {
    expect(commitOf(eventOf('pull_request', pull()), merge)).toBe(head);
  });

  test('once it is merged, its commit is that of the base branch', () => {
    expect(commitOf(eventOf('pull_request', pull({ merged: true })), merge)).toBe(merge);
  });

  test.each<[string, Json | undefined]>([
    ['no payload', undefined],
    ['a list', []],
    ['no pull request', { action: 'opened' }],
    ['a number that is a text', pull({ number: '7' })],
    ['a number below 1', pull({ number: 0 })],
    ['half a number', pull({ number: 1.5 })],
    ['a head that is no hash', pull({ head: { sha: 'main; rm -rf /' } })],
    ['an action that is none', { ...(pull() as object), action: 'a b\n::error::' }],
  ])('with %s it is an event without a rule', (_, payload) => {
    expect(eventOf('pull_request', payload)).toEqual({ name: 'other', event: 'pull_request' });
  });
});

test.each(['merge_group', 'schedule', 'workflow_dispatch', 'push'])('%s is about no pull request', (name) => {
  const event = eventOf(name, {});
  expect(event).toEqual({ name });
  expect(pullRequestOf(event)).toBeUndefined();
  expect(commitOf(event, merge)).toBe(merge);
  expect(commitOf(event, 'refs/heads/x')).toBeUndefined();
});

test('a workflow_run tells the commit, and the pull request where there is one: for forks there is none', () => {
  const of = (numbers: Json[]) => eventOf('workflow_run', { workflow_run: { head_sha: head, pull_requests: numbers } });
  expect(commitOf(of([]), merge)).toBe(head);
  expect(pullRequestOf(of([{ number: 7 }]))).toBe(7);
  expect(pullRequestOf(of([]))).toBeUndefined();
  expect(pullRequestOf(of([{ number: 7 }, { number: 8 }]))).toBeUndefined();
});

test('a branch that was deleted is told, a tag is not', () => {
  expect(eventOf('delete', { ref: 'feature/x', ref_type: 'branch' })).toEqual({ name: 'delete', branch: 'feature/x' });
  expect(eventOf('delete', { ref: 'v1', ref_type: 'tag' })).toEqual({ name: 'other', event: 'delete' });
});

test('any other event is passed on by its name, if that is one', () => {
  expect(eventOf('issue_comment', {})).toEqual({ name: 'other', event: 'issue_comment' });
  expect(eventOf('a b', {})).toEqual({ name: 'other', event: '' });
});

describe('the file of the event', () => {
  let folder: string;
  let path: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'event-'));
    path = join(folder, 'event.json');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  const env = () => ({ GITHUB_EVENT_NAME: 'pull_request', GITHUB_EVENT_PATH: path });

  test('is read', () => {
    writeFileSync(path, JSON.stringify(pull()));
    expect(readEvent(env())).toMatchObject({ name: 'pull_request', number: 7 });
  });

  test('says nothing when it is missing, no JSON, no file or larger than GitHub sends', () => {
    const nothing = { name: 'other', event: 'pull_request' };
    expect(readEvent(env())).toEqual(nothing);
    writeFileSync(path, '{');
    expect(readEvent(env())).toEqual(nothing);
    truncateSync(path, 33 * 1024 * 1024);
    expect(readEvent(env())).toEqual(nothing);
    expect(readEvent({ ...env(), GITHUB_EVENT_PATH: folder })).toEqual(nothing);
  });
});

describe('where the workflow is', () => {
  const env = {
    GITHUB_API_URL: 'https://github.example.com/api/v3',
    GITHUB_SERVER_URL: 'https://github.example.com',
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_REPOSITORY_ID: '4711',
  };

  test('is told by the runner, on GitHub Enterprise Server too', () => {
    expect(workflowPlace(env)).toEqual({
      apiUrl: 'https://github.example.com/api/v3',
      serverUrl: 'https://github.example.com',
      repository: { owner: 'acme', name: 'shop', id: 4711 },
    });
  });

  test('has no id where the runner tells none', () => {
    expect(workflowPlace({ ...env, GITHUB_REPOSITORY_ID: '' })?.repository).toEqual({ owner: 'acme', name: 'shop' });
  });

  test.each([
    ['outside of a workflow', {}],
    ['with an address that is none', { ...env, GITHUB_API_URL: 'github' }],
    ['with a repository that is none', { ...env, GITHUB_REPOSITORY: 'acme/shop/../x' }],
  ])('is not known %s', (_, given) => {
    expect(workflowPlace(given)).toBeUndefined();
  });
});
