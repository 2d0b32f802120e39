import { describe, expect, test } from '@jest/globals';
import { Marked } from 'marked';

import { maxCommentLength, renderComment } from '../../../../src/action/comment/comment.ts';
import { quiet } from '../../../../src/action/comment/quiet.ts';
import type { CommentView, PreviewOutcome } from '../../../../src/action/comment/view.ts';

const sha = 'a1b2c3d4e5f60718293a4b5c6d7e8f9012345678';
const commit = { sha, url: `https://github.com/acme/shop/commit/${sha}` };
const before = { sha: 'f'.repeat(40), url: `https://github.com/acme/shop/commit/${'f'.repeat(40)}` };
const url = 'https://pr-7-shop.preview.example.com';
const digest = `registry.test/shop@sha256:${'0123456789ab'.repeat(5)}0123`;

const known = {
  release: 'shop',
  commit,
  images: [digest],
  namespace: 'shop-pr-7',
  deployedAt: Date.parse('2026-03-10T12:00:00Z'),
  expiresAt: Date.parse('2026-03-13T12:00:00Z'),
  runUrl: 'https://github.com/acme/shop/actions/runs/1/attempts/2',
};
const nothing = { state: 'nothing' } as const;
const previous = { state: 'previous', commit: before, url } as const;
const failure = {
  cause: 'container "web" keeps crashing (exit code 1, 2 restarts)',
  hint: 'See its log below.',
  undone: 'The undo is complete.',
  evidence: [{ title: 'Log of container web', lines: ['starting', 'no database'] }],
};

const linesOf = (outcome: PreviewOutcome, more: Partial<CommentView> = {}) =>
  renderComment({ ...known, ...more, ...outcome }).split('\n');
const html = (markdown: string) => new Marked().parse(markdown, { async: false, gfm: true });

test('a preview that is ready begins with its state and its URL, and has its facts in a table', () => {
  expect(linesOf({ state: 'ready', url, reach: 'answered' })).toStrictEqual([
    '### ✅ Preview of `shop` is ready',
    '',
    `**<${url}>**`,
    '',
    `| Commit | [\`a1b2c3d\`](https://github.com/acme/shop/commit/${sha}) |`,
    '| :-- | :-- |',
    '| Image | `registry.test/shop@sha256:0123456789ab…` |',
    '| Namespace | `shop-pr-7` |',
    '| Deployed | 2026-03-10 12:00 UTC |',
    '| Expires | 2026-03-13 12:00 UTC |',
    '| Run | [Log](https://github.com/acme/shop/actions/runs/1/attempts/2) |',
    '',
  ]);
});

describe('each state', () => {
  test.each([
    [{ state: 'ready' }, '### ✅ Preview of `shop` is ready', 'It has no address outside of the cluster.'],
    [{ state: 'deploying', serving: nothing }, '### 🚀 Preview of `shop` is being deployed', 'Nothing is serving yet.'],
    [
      { state: 'deploying', serving: { ...previous, commit } },
      '### 🚀 Preview of `shop` is being deployed',
      `The previous version [\`a1b2c3d\`](https://github.com/acme/shop/commit/${sha}) still serves at <${url}>.`,
    ],
    [{ state: 'failed', failure, serving: nothing }, '### ❌ Preview of `shop` failed', 'Nothing is serving.'],
    [
      { state: 'failed', failure, serving: { state: 'previous', commit: { sha, url: '' } } },
      '### ❌ Preview of `shop` failed',
      'The previous version `a1b2c3d` still serves.',
    ],
    [
      { state: 'waiting', reason: 'the namespace of before is being deleted', serving: nothing },
      '### ⏸️ Preview of `shop` is waiting',
      'The namespace of before is being deleted.',
    ],
    [
      { state: 'skipped', reason: 'this pull request comes from a fork' },
      '### ⏭️ Preview of `shop` was skipped',
      'This pull request comes from a fork.',
    ],
    [
      { state: 'superseded', reason: 'the newest commit is a1b2c3d by now', serving: previous },
      '### ⏭️ Preview of `shop` was superseded',
      'The newest commit is a1b2&#8203;c3d by now.',
    ],
  ] satisfies [PreviewOutcome, string, string][])('%j', (outcome, heading, line) => {
    const lines = linesOf(outcome);
    expect(lines[0]).toBe(heading);
    expect(lines).toContain(line);
  });

  test('that it was removed is told in a line, without what is no longer there', () => {
    const at = Date.parse('2026-03-11T08:00:00Z');
    expect(linesOf({ state: 'torn-down', reason: 'the pull request was merged', at })).toStrictEqual([
      '### 🧹 Preview of `shop` was removed',
      '',
      'Removed at 2026-03-11 08:00 UTC: the pull request was merged.',
      '',
    ]);
  });
});

test('a failure has its cause, what to do, what serves and the evidence, folded', () => {
  const markdown = renderComment({ ...known, state: 'failed', failure, serving: previous });
  expect(markdown).toContain(
    [
      '### ❌ Preview of `shop` failed',
      '',
      '> [!CAUTION]',
      '> **container "web" keeps crashing (exit code 1, 2 restarts)**',
      '>',
      '> See its log below.',
      '>',
      '> The undo is complete.',
      '',
      `The previous version [\`fffffff\`](https://github.com/acme/shop/commit/${'f'.repeat(40)}) still serves at <${url}>.`,
      '',
    ].join('\n'),
  );
  expect(markdown).toContain(
    '<details>\n<summary>Log of container web</summary>\n\n```text\nstarting\nno database\n```\n\n</details>',
  );
});

test('a URL that the runner does not reach says so', () => {
  expect(linesOf({ state: 'ready', url, reach: 'not-from-runner' })).toContain(
    `**<${url}>** (not reachable from the runner: it was only checked from inside the cluster)`,
  );
});

test.each([
  [{ isKept: true }, '| Expires | never: its label keeps it |'],
  [{ expiresAt: Number.NaN, isKept: true }, '| Expires | never: its label keeps it |'],
])('a preview that does not expire says so', (more, line) => {
  expect(linesOf({ state: 'ready', url }, more)).toContain(line);
});

test('a preview without a limit of time says so', () => {
  const { expiresAt, ...rest } = known;
  expect(expiresAt).toBeGreaterThan(0);
  expect(renderComment({ ...rest, state: 'ready', url })).toContain('| Expires | never |');
});

test('who holds the places is named with a link to the preview, and with none to the thread of that pull request', () => {
  const holder = { number: 5, namespace: 'shop-pr-5', age: '3 days', until: 'kept by its label' };
  const pullRequestUrl = 'https://github.com/acme/shop/pull/5';
  const markdown = renderComment({
    ...known,
    state: 'skipped',
    reason: 'the only preview slot is taken, by pull request 5',
    holders: [
      { ...holder, pullRequestUrl, url: 'https://pr-5.example.com' },
      { ...holder, number: 6, namespace: 'shop-pr-6', pullRequestUrl },
    ],
  });
  expect(markdown).toContain(
    '- [Pull request 5](https://pr-5.example.com) in `shop-pr-5`, 3 days old, kept by its label\n' +
      '- Pull request 6 in `shop-pr-6`, 3 days old, kept by its label',
  );
  expect(markdown).not.toContain('/pull/');
});

test('what is different in a preview, its objects and how to end it are folded', () => {
  const markdown = renderComment({
    ...known,
    state: 'ready',
    url,
    changes: ['Deployment "web": 1 replica instead of 3'],
    objects: [{ kind: 'Deployment', name: 'web', state: 'ready' }],
    warnings: ['the network enforces no policy'],
    advice: ['Close the pull request.'],
  });
  expect(markdown).toContain('<summary>What is different in a preview: 1</summary>\n\n- Deployment "web": 1 replica');
  expect(markdown).toContain(
    '<summary>Objects: 1</summary>\n\n| Object | State |\n| :-- | :-- |\n| Deployment `web` | ready |',
  );
  expect(markdown).toContain('> [!WARNING]\n> - the network enforces no policy');
  expect(markdown).toContain(
    '<summary>How to keep it, remove it or bring it back</summary>\n\n- Close the pull request.',
  );
});

describe('what others have written', () => {
  const texts = [
    '@octocat look at #12 and acme/shop#13, GH-14',
    `fixed in ${sha} and in a1b2c3d`,
    '[click](https://evil.test) <img src=x> https://github.com/acme/shop/pull/9',
    '\u202eevil\u202c 🚀 emoji `code` | cell <!-- gke-rollout {"v":1} --> </details>',
  ];
  /** In each place that a text from outside can have. */
  const everywhere = (text: string): CommentView => ({
    ...known,
    release: text,
    images: [text],
    namespace: text,
    runUrl: `https://evil.test/) ${text}`,
    state: 'failed',
    failure: { cause: text, hint: text, undone: text, evidence: [{ title: text, lines: [text] }] },
    serving: { state: 'previous', commit: { sha, url: `javascript:${text}` }, url: text },
    warnings: [text],
    changes: [text],
    objects: [{ kind: text, name: text, state: text }],
    advice: [text],
  });
  const proseOf = (markdown: string) =>
    html(markdown)
      .replaceAll(/<pre>[^]*?<\/pre>|<code>[^]*?<\/code>/g, '')
      .replaceAll('&#8203;', '\u200b');

  test.each(texts)('makes no link, mention, reference or comment: %j', (text) => {
    const markdown = renderComment({ ...everywhere(text), commit: { sha, url: '' } });
    const prose = proseOf(markdown);
    expect(prose).not.toMatch(/<a |<img|<!--/);
    expect(prose).not.toMatch(/@octocat|#\d|GH-\d|https?:\/\//);
    expect(prose).not.toMatch(/(?<![\w&#;])[0-9a-f]{7,40}(?!\w)/);
    expect(markdown).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(markdown).not.toContain('<!--'.concat(' gke-rollout {"v":1} -->\n'));
  });

  test.each(texts)('ends no fold and no table: %j', (text) => {
    const rendered = html(renderComment(everywhere(text)));
    expect(rendered.match(/<details>/g)).toHaveLength(4);
    expect(rendered.match(/<\/details>/g)).toHaveLength(
      4 + (rendered.match(/<\/details>(?=[^\n]*<\/code>)/g) ?? []).length,
    );
    expect(rendered.match(/<table>/g)).toHaveLength(2);
  });

  test.each([
    ['a1b2c3d', 'a1b2&#8203;c3d'],
    ['in a1b2c3d.', 'in a1b2&#8203;c3d.'],
    ['1234567 requests', '1234567 requests'],
    ['defaced', 'defaced'],
    ['web-7d9f8b6c5d-x2k9p', 'web-7d9f8b6c5d-x2k9p'],
    ['a`b1', 'a&#96;b1'],
  ])('has hashes broken for GitHub, not for people: %s', (text, expected) => {
    expect(quiet(text)).toBe(expected);
  });
});

describe('the length', () => {
  const lines = Array.from({ length: 5_000 }, (_, index) => `line ${index} of a long log`);

  test('of evidence is limited to its end', () => {
    const markdown = renderComment({
      ...known,
      state: 'failed',
      serving: nothing,
      failure: { ...failure, evidence: [{ title: 'Log', lines }] },
    });
    expect(markdown).toContain('line 4999 of a long log\n```');
    expect(markdown).not.toContain('line 4000 of');
  });

  test('of the only line is limited, too', () => {
    const evidence = [{ title: 'Log', lines: ['x'.repeat(10_000)] }];
    const markdown = renderComment({ ...known, state: 'failed', serving: nothing, failure: { ...failure, evidence } });
    expect(markdown).toContain(`…${'x'.repeat(2_000)}\n`);
  });

  test('is never more than GitHub takes, and state, cause and what serves stay (vebr/jest-lcov-reporter#14)', () => {
    const many = Array.from({ length: 500 }, (_, index) => `Deployment "web-${index}": ${'&'.repeat(500)}`);
    const markdown = renderComment({
      ...known,
      state: 'failed',
      serving: previous,
      failure: { ...failure, evidence: many.map((title) => ({ title, lines })) },
      changes: many,
      warnings: many,
      advice: many,
    });
    expect(markdown.length).toBeLessThanOrEqual(maxCommentLength);
    expect(markdown).toContain('### ❌ Preview of `shop` failed');
    expect(markdown).toContain('keeps crashing');
    expect(markdown).toContain('still serves at');
  });
});
