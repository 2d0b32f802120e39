import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { isObject, objectAt, objectsAt, stringAt, type JsonObject } from '../../../src/base/json.ts';

const root = join(import.meta.dirname, '../../..');

interface Workflow {
  path: string;
  text: string;
  content: JsonObject;
}

const workflows: Workflow[] = ['.github/workflows', 'examples/workflows'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((file) => {
    const path = join(folder, file);
    const text = readFileSync(join(root, path), 'utf8');
    // Without quotes `on` is a boolean in YAML 1.1.
    const content = load(text.replaceAll(/^on:/gm, "'on':"));
    if (!isObject(content)) throw new Error(`"${path}" is not a workflow`);
    return { path, text, content };
  }),
);

/** A line like `uses: actions/checkout@0123… # v1.2.3`, where an action of others is used. */
const pinned = /^ *(?:- )?uses: (?<action>[\w.-]+\/[\w./-]+)@[0-9a-f]{40} # (?<version>v?\d+\.\d+\.\d+)$/;
/** What the examples are about: their readers put in the version that they want, as SECURITY.md says. */
const own = 'acme/gke-rollout@v1';

/** Takes the number of a pull request and nothing else of it. */
const onlyTearsDown = 'examples/workflows/preview-closed.yml';

const jobsOf = ({ content }: Workflow) => Object.entries(objectAt(content, 'jobs'));
const stepsOf = (workflow: Workflow) => jobsOf(workflow).flatMap(([, job]) => objectsAt(job, 'steps'));
const usesOf = ({ text }: Workflow) =>
  text.split('\n').filter((line) => /^ *(?:- )?uses:/.test(line) && !line.endsWith(`uses: ${own}`));

test('there are workflows of our own and examples', () => {
  expect(workflows.map(({ path }) => path)).toEqual(
    expect.arrayContaining(['.github/workflows/release.yml', 'examples/workflows/deploy.yml']),
  );
});

test('one version of an action is used everywhere', () => {
  const versions = new Map<string, Set<string>>();
  for (const line of workflows.flatMap(usesOf)) {
    const action = /uses: (?<owner>[\w.-]+\/[\w.-]+)/.exec(line)?.groups?.['owner'] ?? line;
    versions.set(action, (versions.get(action) ?? new Set()).add(line.slice(line.indexOf('@'))));
  }
  expect([...versions].filter(([, found]) => found.size > 1)).toEqual([]);
});

test('a closed pull request is only torn down by what runs with the rights of the repository', () => {
  const workflow = workflows.find(({ path }) => path === onlyTearsDown);
  expect(workflow?.content['on']).toEqual({ pull_request_target: { types: ['closed'] } });
  const steps = workflow === undefined ? [] : stepsOf(workflow);
  expect(steps.map((step) => [stringAt(step, 'uses'), stringAt(step, 'with', 'command')])).toEqual([[own, 'teardown']]);
});

describe.each(workflows.map((workflow) => [workflow.path, workflow] as const))('%s', (_, workflow) => {
  test('pins actions by commit and says which version that is', () => {
    expect(usesOf(workflow).filter((line) => !pinned.test(line))).toEqual([]);
    const used = stepsOf(workflow).filter((step) => stringAt(step, 'uses') !== undefined);
    const ours = used.filter((step) => stringAt(step, 'uses') === own);
    expect(usesOf(workflow)).toHaveLength(used.length - ours.length);
  });

  test('permits nothing by default, and says why of each permission of a job', () => {
    expect(workflow.content['permissions']).toEqual({});
    for (const [, content] of jobsOf(workflow)) {
      // Neither "write-all" nor "read-all".
      expect(typeof objectAt(content)['permissions']).toMatch(/^(?:undefined|object)$/);
      for (const permission of Object.keys(objectAt(content, 'permissions'))) {
        expect(workflow.text).toMatch(new RegExp(`^ {6}${permission}: (?:read|write) # \\S`, 'm'));
      }
    }
  });

  test('puts nothing of an event, nor any other expression, into a script', () => {
    const scripts = stepsOf(workflow).flatMap((step) => [
      stringAt(step, 'run') ?? '',
      stringAt(step, 'with', 'script') ?? '',
    ]);
    expect(scripts.filter((script) => script.includes('${{'))).toEqual([]);
  });

  test('runs nothing of a pull request with the rights of the repository', () => {
    const events = workflow.content['on'];
    const names = isObject(events) ? Object.keys(events) : [events].flat();
    const trusted = names.filter((name) => name === 'pull_request_target' || name === 'workflow_run');
    expect(trusted).toEqual(workflow.path === onlyTearsDown ? ['pull_request_target'] : []);
    expect(jobsOf(workflow).filter(([, job]) => stringAt(job, 'secrets') === 'inherit')).toEqual([]);
  });

  test('leaves no token behind in a checkout', () => {
    const checkouts = stepsOf(workflow).filter((step) => stringAt(step, 'uses')?.startsWith('actions/checkout@'));
    expect(checkouts.filter((step) => objectAt(step, 'with')['persist-credentials'] !== false)).toEqual([]);
  });

  test('ends each job in time', () => {
    expect(jobsOf(workflow).filter(([, job]) => typeof objectAt(job)['timeout-minutes'] !== 'number')).toEqual([]);
  });
});
