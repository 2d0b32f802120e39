import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';

import { stringAt, type JsonObject } from '../../../src/base/json.ts';
import { kubectl } from '../../support/kubectl.ts';
import { limitedUser } from '../../support/limited-user.ts';
import { deployment, service } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';
import { image } from '../../support/strategy-stage.ts';

let stage: PreviewStage;
let home: string;
let made: string[];
/** Of a user who may do what docs/previews.md grants in its narrow way, and nothing more. */
let kubeconfig: string;

beforeAll(async () => {
  stage = await PreviewStage.open();
  home = `${stage.release}-ci`;
  await kubectl(['create', 'namespace', home]);
  kubeconfig = await limitedUser(home, 'previews', []);
  const objects = narrowRoles().map((object) => named(object, stage.release));
  made = objects.map((object) => `${stringAt(object, 'kind') ?? ''}/${stringAt(object, 'metadata', 'name') ?? ''}`);
  await kubectl(['apply', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n---\n'));
});

afterAll(async () => {
  await kubectl(['delete', ...made, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', home, '--wait=false']);
  await stage[Symbol.asyncDispose]();
});

/** The first block of YAML below "### Narrow". */
function narrowRoles(): JsonObject[] {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/previews.md'), 'utf8');
  const block = /### Narrow\n[\s\S]*?```yaml\n(?<yaml>[\s\S]*?)```/.exec(page)?.groups?.['yaml'] ?? '';
  return loadAll(block) as JsonObject[];
}

/** Under names of this test alone, bound to its own user. */
function named(object: JsonObject, suffix: string): JsonObject {
  const text = JSON.stringify(object).replaceAll(
    /gke-rollout-preview(?<rest>-namespaces)?/g,
    `gke-rollout-preview$<rest>-${suffix}`,
  );
  const renamed = JSON.parse(text) as JsonObject;
  if (!('subjects' in renamed)) return renamed;
  return { ...renamed, subjects: [{ kind: 'ServiceAccount', namespace: home, name: 'previews' }] };
}

test('the narrow roles of docs/previews.md are enough for a preview, its next version, its undo and its end', async () => {
  stage.github.state.open(1);
  const inputs = { kubeconfig, 'preview-role': `gke-rollout-preview-${stage.release}`, 'preview-limit': '5' };
  const web = (version: string) => [deployment('web', { image: image(version) }), service('web')];
  const first = await stage.preview(1, web('1.0.0'), inputs);
  expect(first.log).not.toMatch(/^::error/m);
  expect(first).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
  expect(await stage.versionOf(1)).toContain('1.0.0');
  expect(await stage.preview(1, web('2.0.0'), inputs)).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
  expect(await stage.preview(1, web('9.9.9'), inputs)).toMatchObject({ exit: 1, outputs: { status: 'undone' } });
  expect(await stage.versionOf(1)).toContain('2.0.0');
  stage.github.state.close(1);
  const swept = await stage.teardown({ kubeconfig, teardown: 'all-closed' });
  expect(swept).toMatchObject({ exit: 0, outputs: { status: 'swept' } });
  expect(await stage.isThere(1)).toBe(false);
});

test('and for nothing in other namespaces', async () => {
  stage.github.state.open(2);
  const other = { kubeconfig, command: 'deploy', namespace: 'default' };
  const result = await stage.preview(2, [service('web')], other);
  expect(result).toMatchObject({ exit: 1, outputs: { status: 'failed' } });
  expect(result.log).toContain('lacks rights');
});
