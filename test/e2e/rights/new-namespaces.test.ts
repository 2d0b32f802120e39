import { randomBytes } from 'node:crypto';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { knownKinds } from '../../../script/role/kinds.ts';
import { needsOf, type Asked } from '../../../script/role/role.ts';
import { mapConcurrently } from '../../../src/base/concurrency.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import type { MissingRule } from '../../../src/release/role.ts';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { limitedUser, type RbacRule } from '../../support/limited-user.ts';
import { deployment, service } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { image } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/** What `script/rights` prints for namespaces that a run creates: a ClusterRole is enough, and each of its rules is needed. */

const app = () => [deployment('web', { image: image('1.0.0') }), service('web')];

let stage: PreviewStage;
let home: string;
const made: string[] = [];

beforeAll(async () => {
  stage = await PreviewStage.open();
  home = await createNamespace('rights');
});

afterAll(async () => {
  if (made.length > 0) await kubectl(['delete', ...made, '--ignore-not-found']);
  await deleteNamespace(home);
  await stage[Symbol.asyncDispose]();
});

interface Rule {
  rule: RbacRule & { resourceNames?: string[] };
  optional: boolean;
}

function rulesFor(asked: Partial<Asked>): { rules: Rule[]; inside: Rule[] } {
  const manifests = app().map((object) => manifestFrom(object, 'app.yaml'));
  const { rules, inside } = needsOf(manifests, {
    commands: ['deploy'],
    strategies: ['rolling'],
    namespace: 'preview',
    undoOnFailure: true,
    checks: [],
    kinds: knownKinds,
    name: 'deployer',
    ...asked,
  });
  return { rules: grouped(rules), inside: grouped(inside) };
}

/** One rule for all verbs of a resource. */
function grouped(rules: readonly MissingRule[]): Rule[] {
  const byResource = Map.groupBy(rules, ({ group, resource, names, optional }) =>
    JSON.stringify([group, resource, names, optional]),
  );
  return [...byResource.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { group, resource, names, optional } = first;
    const named = names.length === 0 ? {} : { resourceNames: [...names] };
    const verbs = all.flatMap((one) => one.verbs);
    return { rule: { apiGroups: [group], resources: [resource], verbs, ...named }, optional };
  });
}

/** A user who may do this in the whole cluster; answers its kubeconfig. */
async function clusterUser(rules: readonly Rule[]): Promise<string> {
  const name = `rights-${randomBytes(3).toString('hex')}`;
  const kubeconfig = await limitedUser(home, name, []);
  await clusterRole(name, rules);
  const subjects = [{ kind: 'ServiceAccount', namespace: home, name }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  await applied('ClusterRoleBinding', name, { subjects, roleRef });
  return kubeconfig;
}

async function clusterRole(name: string, rules: readonly Rule[]): Promise<void> {
  await applied('ClusterRole', name, { rules: rules.map(({ rule }) => rule) });
}

async function applied(kind: string, name: string, content: object): Promise<void> {
  made.push(`${kind}/${name}`);
  const object = { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, ...content };
  await kubectl(['apply', '-f', '-'], JSON.stringify(object));
}

/** Runs with all rules but one, for each that is needed, and checks that each run is refused over what it lacks. */
async function refusedWithout(
  rules: readonly Rule[],
  run: (kubeconfig: string, index: number) => Promise<StepResult>,
): Promise<void> {
  const needed = rules.filter(({ optional }) => !optional);
  const told = await mapConcurrently(needed, 2, async (missing, index) => {
    const { exit, log } = await run(await clusterUser(rules.filter((rule) => rule !== missing)), index);
    return { ...missing.rule, exit, log };
  });
  expect(told.filter(({ exit }) => exit === 0)).toEqual([]);
  for (const { resources, log } of told) expect(log).toContain(resources[0]);
}

async function namespaceIn(name: string): Promise<string> {
  return await kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'name']);
}

describe('with what script/rights prints, and not without any rule of it,', () => {
  test('a deploy creates the namespace of its release', async () => {
    const namespace = `${home}-new`;
    const { rules } = rulesFor({ namespace, createsNamespace: true });
    const workspace = createWorkspace({ 'app.yaml': app() });
    const inputs = { namespace, release: 'web', manifests: '.', 'create-namespace': 'true', timeout: '60s' };
    const deploy = async (kubeconfig: string) => await runStep({ kubeconfig, ...inputs }, { workspace });
    try {
      await refusedWithout(rules, deploy);
      expect(await namespaceIn(namespace)).toBe('');
      const result = await deploy(await clusterUser(rules));
      expect(result.log).not.toContain('optional rights are missing');
      expect(result.outputs).toMatchObject({ status: 'deployed' });
    } finally {
      removeWorkspace(workspace);
      await deleteNamespace(namespace);
    }
  });

  test('a preview comes and goes, with its rights in all namespaces', async () => {
    stage.github.state.open(1);
    const { rules } = rulesFor({ commands: ['preview'] });
    const preview = async (kubeconfig: string) => await stage.preview(1, app(), { kubeconfig });
    // Rights may come with a new namespace, so that those in there are asked for once it is there; it is taken back at once.
    await refusedWithout(rules, async (kubeconfig, index) => {
      stage.github.state.open(100 + index);
      return await stage.preview(100 + index, app(), { kubeconfig });
    });
    const left = await Promise.all(rules.map((_, index) => stage.namespace(100 + index)));
    expect(
      left.filter((namespace) => namespace !== undefined && namespace.metadata.deletionTimestamp === undefined),
    ).toEqual([]);
    expect(await stage.namespace(1)).toBeUndefined();
    const whole = await preview(await clusterUser(rules));
    expect(whole.log).not.toContain('optional rights are missing');
    expect(whole.outputs).toMatchObject({ status: 'deployed' });

    stage.github.state.close(1);
    const teardown = async (kubeconfig: string) => await stage.teardown({ kubeconfig, teardown: 'all-closed' });
    const { rules: fewer } = rulesFor({ commands: ['teardown'] });
    await refusedWithout(fewer, teardown);
    expect(await stage.isThere(1)).toBe(true);
    expect((await teardown(await clusterUser(fewer))).outputs).toMatchObject({ status: 'swept' });
    expect(await stage.isThere(1)).toBe(false);
  });

  test('a preview gets its rights by a role that it binds to itself', async () => {
    stage.github.state.open(2);
    const previewRole = `preview-${stage.release}`;
    const { rules, inside } = rulesFor({ commands: ['preview', 'teardown'], previewRole });
    await clusterRole(previewRole, inside);
    const preview = async (kubeconfig: string) =>
      await stage.preview(2, app(), { kubeconfig, 'preview-role': previewRole });
    await refusedWithout(rules, preview);
    expect(await stage.namespace(2)).toBeUndefined();
    const kubeconfig = await clusterUser(rules);
    const whole = await preview(kubeconfig);
    expect(whole.log).not.toContain('optional rights are missing');
    expect(whole.outputs).toMatchObject({ status: 'deployed' });
    stage.github.state.close(2);
    const swept = await stage.teardown({ kubeconfig, teardown: 'all-closed' });
    expect(swept.outputs).toMatchObject({ status: 'swept' });
  });
});
