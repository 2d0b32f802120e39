import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

const script = join(import.meta.dirname, '../../../script/move-major-tag');
const tags = ['v1', 'v1.2.9', 'v1.2.10', 'v1.10.0', 'v1.11.0-rc.1', 'v2.0.0', 'v3.0.0'];

let folder: string;
let commit: string;

/** A repository with tags, and a `gh` that knows the tag v1 only and writes down what it is asked for. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'move-major-tag-'));
  for (const name of ['script', 'bin']) mkdirSync(join(folder, name));
  copyFileSync(script, join(folder, 'script/move-major-tag'));
  const gh = 'case "$*" in *ref/tags/v1) ;; *ref/tags/*) [ "$3" = --method ] || exit 1 ;; esac';
  writeFileSync(join(folder, 'bin/gh'), `#!/bin/sh\necho "$*" >> "${folder}/asked"\n${gh}\n`);
  chmodSync(join(folder, 'bin/gh'), 0o755);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.com', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  git('init', '-q');
  git('commit', '-q', '--allow-empty', '-m', 'first');
  for (const tag of tags) git('tag', '-a', tag, '-m', tag);
  commit = git('rev-parse', 'HEAD').trim();
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function move(tag: string): { code: number | null; asked: string } {
  const env = { ...process.env, PATH: `${folder}/bin:${process.env['PATH'] ?? ''}`, GITHUB_REPOSITORY: 'acme/x' };
  writeFileSync(join(folder, 'asked'), '');
  const { status } = spawnSync(join(folder, 'script/move-major-tag'), [tag], { env });
  return { code: status, asked: readFileSync(join(folder, 'asked'), 'utf8') };
}

test('the newest version takes the major tag along, to the commit behind an annotated tag', () => {
  expect(move('v1.10.0')).toEqual({
    code: 0,
    asked: expect.stringContaining(`--method PATCH repos/acme/x/git/refs/tags/v1 -f sha=${commit} -F force=true`),
  });
});

test('the first version of a major creates its tag', () => {
  expect(move('v2.0.0').asked).toContain(`--method POST repos/acme/x/git/refs -f ref=refs/tags/v2 -f sha=${commit}`);
});

test('a fix of an older version does not take the major tag back', () => {
  expect(move('v1.2.10')).toEqual({ code: 0, asked: '' });
});

test('what is no version moves nothing', () => {
  for (const tag of ['v1', 'v1.11.0-rc.1', 'main', '']) expect(move(tag)).toEqual({ code: 2, asked: '' });
});
