import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, describe, expect, test } from '@jest/globals';

import { commitOfRun, gitHubRun } from '../../../src/action/github-run.ts';
import { linksOf } from '../../../src/action/links.ts';
import { runIdentity } from '../../../src/action/run-identity.ts';
import { commitLink, origin, runLink } from '../../../src/action/summary/links.ts';
import { hostileText, links, report } from './reports.ts';

const sha = 'b'.repeat(40);
const head = 'd'.repeat(40);
const env = {
  GITHUB_API_URL: 'https://api.github.test',
  GITHUB_SERVER_URL: 'https://github.test',
  GITHUB_REPOSITORY: 'acme/shop',
  GITHUB_RUN_ID: '42',
  GITHUB_RUN_ATTEMPT: '1',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_ACTOR: 'octocat',
  GITHUB_SHA: sha,
};

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Variables of a run whose event is this, as the runner leaves it in a file. */
function withEvent(event: string, name = 'pull_request'): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'gke-rollout-event-'));
  folders.push(folder);
  const path = join(folder, 'event.json');
  writeFileSync(path, event);
  return { ...env, GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path };
}

function pullRequest(more: object = {}): string {
  return JSON.stringify({
    action: 'synchronize',
    pull_request: { number: 7, head: { sha: head }, merged: false, ...more },
  });
}

describe('the run of GitHub', () => {
  test('has its page, and that of the attempt once it was run again', () => {
    expect(gitHubRun(env)).toEqual({
      repository: 'https://github.test/acme/shop',
      url: 'https://github.test/acme/shop/actions/runs/42',
      attemptUrl: 'https://github.test/acme/shop/actions/runs/42',
      event: { name: 'push' },
      actor: 'octocat',
      sha,
    });
    expect(gitHubRun({ ...env, GITHUB_RUN_ATTEMPT: '3' })?.attemptUrl).toMatch(/\/runs\/42\/attempts\/3$/);
  });

  test('is on the server that the runner names, also in a folder of it', () => {
    expect(gitHubRun({ ...env, GITHUB_SERVER_URL: 'https://ghes.test/github/' })?.url).toBe(
      'https://ghes.test/github/acme/shop/actions/runs/42',
    );
  });

  test.each([
    ['without a server', { GITHUB_SERVER_URL: '' }],
    ['of a server that is no address', { GITHUB_SERVER_URL: 'javascript:alert(1)' }],
    ['with credentials in the address', { GITHUB_SERVER_URL: 'https://me:secret@github.test' }],
    ['of a repository that is none', { GITHUB_REPOSITORY: 'a/b/../c)' }],
    ['without a number', { GITHUB_RUN_ID: 'x' }],
  ])('is none %s', (_, wrong) => {
    expect(gitHubRun({ ...env, ...wrong })).toBeUndefined();
  });

  test('of a pull request is about the newest commit of its branch, as the merge commit shows nowhere', () => {
    const found = withEvent(pullRequest());
    expect(runIdentity(found).commit).toBe(head);
    expect(gitHubRun(found)?.pullRequest).toMatchObject({ number: 7, url: 'https://github.test/acme/shop/pull/7' });
  });

  test('of one that was merged is about what has become of the base branch', () => {
    expect(runIdentity(withEvent(pullRequest({ merged: true }))).commit).toBe(sha);
  });

  test('of pull_request_target is about the default branch, which is what is checked out', () => {
    expect(runIdentity(withEvent(pullRequest(), 'pull_request_target')).commit).toBe(sha);
  });

  test.each([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a hash that is none', JSON.stringify({ pull_request: { number: 7, head: { sha: 'main; rm -rf' } } })],
    ['a number that is none', pullRequest({ number: -1 })],
  ])('goes on without its event where that is %s', (_, event) => {
    const found = gitHubRun(withEvent(event));
    expect(found?.pullRequest).toBeUndefined();
    expect(found && commitOfRun(found)).toBe(sha);
  });

  test('goes on without its event where the file is not there', () => {
    expect(gitHubRun({ ...env, GITHUB_EVENT_PATH: '/nowhere/event.json' })?.sha).toBe(sha);
  });
});

describe('the console of Google', () => {
  const console = (context: string, namespace?: string, variables = {}) =>
    linksOf({ context, ...(namespace === undefined ? {} : { namespace }) }, undefined, variables).console;

  test('is another one in another universe', () => {
    const context = 'gke_acme-shop_us-central1_bootcamp';
    expect(console(context, 'shop', { 'INPUT_UNIVERSE-DOMAIN': 'example-universe.com' })).toBeUndefined();
    expect(console(context, 'shop', { GOOGLE_CLOUD_UNIVERSE_DOMAIN: 'example-universe.com' })).toBeUndefined();
    expect(console(context, 'shop', { 'INPUT_UNIVERSE-DOMAIN': 'googleapis.com' })).toBeDefined();
  });

  test('shows workloads and logs of the namespace', () => {
    const found = console('gke_acme-shop_us-central1_bootcamp', 'shop');
    expect(decodeURIComponent(found?.workloads ?? '')).toBe(
      'https://console.cloud.google.com/kubernetes/workload/overview?project=acme-shop&pageState=("savedViews":("c":["gke/us-central1/bootcamp"],"n":["shop"]))',
    );
    expect(decodeURIComponent(found?.logs ?? '').split('\n')).toEqual([
      'https://console.cloud.google.com/logs/query;query=resource.type="k8s_container"',
      'resource.labels.project_id="acme-shop"',
      'resource.labels.location="us-central1"',
      'resource.labels.cluster_name="bootcamp"',
      'resource.labels.namespace_name="shop"?project=acme-shop',
    ]);
  });

  test.each(['kind-shop', 'gke_', 'gke_acme_us-central1_a_b', 'gke_acme-shop_us-central1_x"](http://evil.test)'])(
    'is not linked for the context %s',
    (context) => {
      expect(console(context, 'shop')).toBeUndefined();
    },
  );
});

describe('a link in the summary', () => {
  const { repository } = links;

  test('leads from the commit to what has changed since the one before', () => {
    const now = report({ commit: sha, previousCommit: head, links });
    expect(origin(now)).toBe(
      `[\`bbbbbbb\`](${repository}/commit/${sha}) ([changes since ddddddd](${repository}/compare/${head}...${sha})), ` +
        `[pull request 7](${repository}/pull/7), [run 42](${repository}/actions/runs/42/attempts/2) by octocat`,
    );
  });

  test('is none to changes where the commit is the same', () => {
    expect(origin(report({ commit: sha, previousCommit: sha, links }))).not.toContain('compare');
  });

  test('is none where no address is known, or what is recorded is no hash', () => {
    expect(origin(report({ commit: sha }))).toBe('`bbbbbbb`');
    expect(commitLink(links, 'main/../../evil')).toBe('`main/..`');
    expect(origin(report({ commit: hostileText, links }))).not.toContain('/commit/');
  });

  test('leads only to runs of this repository, whatever the cluster has recorded', () => {
    expect(runLink(links, `${repository}/actions/runs/41`, 'octocat')).toBe(`[octocat](${repository}/actions/runs/41)`);
    for (const run of ['http://evil.test/actions/runs/1', `${repository}/actions/runs/1)[x](http://evil.test`])
      expect(runLink(links, run, 'octocat')).toBe('octocat');
  });
});

describe('how a workflow names this action', () => {
  const usesOf = (GITHUB_ACTION_REPOSITORY: string, GITHUB_ACTION_REF: string) =>
    linksOf({}, undefined, { GITHUB_ACTION_REPOSITORY, GITHUB_ACTION_REF }).uses;

  test('is what the runner says', () => {
    expect(usesOf('acme/gke-rollout', 'v1')).toBe('acme/gke-rollout@v1');
    expect(usesOf('acme/gke-rollout', 'refs/tags/v1')).toBe('acme/gke-rollout@refs/tags/v1');
  });

  test.each([
    ['', ''],
    ['acme/gke-rollout', ''],
    ['acme', 'v1'],
    ['acme/gke-rollout\n- run: x', 'v1'],
    ['acme/gke-rollout', 'v1\n- run: x'],
  ])('is not told where it comes with the checkout, or is no plain name: %j, %j', (name, ref) => {
    expect(usesOf(name, ref)).toBeUndefined();
  });
});
