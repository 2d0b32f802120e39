import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import {
  at,
  booleanAt,
  isObject,
  listAt,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../../src/base/json.ts';

const folder = join(import.meta.dirname, '../../../examples/workflows');

/** The example workflows about previews, as they are read. */
const workflows = readdirSync(folder)
  .filter((name) => name.startsWith('preview'))
  .map((name): [string, JsonObject] => [
    name, // Without quotes `on` is a boolean in YAML 1.1.
    load(readFileSync(join(folder, name), 'utf8').replaceAll(/^on:/gm, "'on':")) as JsonObject,
  ]);

const jobsOf = (workflow: JsonObject) => Object.values(objectAt(workflow, 'jobs')).filter(isObject);
const stepsOf = (job: Json) => objectsAt(job, 'steps');
const uses = (job: Json, action: string) =>
  stepsOf(job).some((step) => stringAt(step, 'uses')?.includes(action) === true);

/** Of the workflow and its jobs. */
function groupsOf(workflow: JsonObject): JsonObject[] {
  return [workflow, ...jobsOf(workflow)].map((of) => objectAt(of, 'concurrency')).filter((group) => 'group' in group);
}

describe.each(workflows)('%s', (_, workflow) => {
  test('keeps runs apart by the number of the pull request, since the ref of one that is merged is its base (btclib-org/btclib#1026, apache/incubator-kie#7084)', () => {
    const groups = groupsOf(workflow).map((group) => stringAt(group, 'group') ?? '');
    expect(groups).not.toHaveLength(0);
    expect(groups.filter((group) => /github\.(head_)?ref/.test(group))).toEqual([]);
    expect(groups.filter((group) => !/\.number|pull-request|sweep/.test(group))).toEqual([]);
  });

  test('is started whatever files were changed: with a filter the end of a pull request may match no longer (Infisical/infisical#6483)', () => {
    const events = Object.values(objectAt(workflow, 'on')).filter(isObject);
    expect(events.filter((event) => 'paths' in event || 'paths-ignore' in event)).toEqual([]);
  });

  test('cancels nothing that changes the cluster (lobu-ai/lobu#2912)', () => {
    const deploying = jobsOf(workflow).filter((job) => uses(job, 'gke-rollout@'));
    const cancelled = [workflow, ...deploying].filter(
      (of) => booleanAt(of, 'concurrency', 'cancel-in-progress') === true,
    );
    expect(deploying.length === 0 ? [] : cancelled).toEqual([]);
  });

  test('checks out nothing of a pull request with the rights of the repository (schemalabz/opencouncil#552, NixOS/nixos-homepage#2086)', () => {
    const isPrivileged =
      'pull_request_target' in objectAt(workflow, 'on') || 'workflow_run' in objectAt(workflow, 'on');
    expect(isPrivileged && jobsOf(workflow).some((job) => uses(job, 'actions/checkout@'))).toBe(false);
  });

  test('waits for no event that the token of a workflow never starts, and makes no check runs (LouisBrunner/checks-action#17)', () => {
    expect(Object.keys(objectAt(workflow, 'on'))).not.toContain('deployment_status');
    expect(jobsOf(workflow).filter((job) => at(job, 'permissions', 'checks') !== undefined)).toEqual([]);
  });
});

describe('what closes a pull request', () => {
  const closing = workflows.filter(([, workflow]) => {
    const events = objectAt(workflow, 'on');
    const types = ['pull_request', 'pull_request_target'].flatMap((event) => listAt(events, event, 'types'));
    return types.includes('closed');
  });

  test.each(closing)(
    'in %s neither waits for a deploy nor is replaced by another event (pingdotgg/t3code#5465)',
    (_, workflow) => {
      const groups = groupsOf(workflow).map((group) => stringAt(group, 'group') ?? '');
      expect(groups.filter((group) => group.includes('closed'))).not.toHaveLength(0);
    },
  );
});

test('the sweep is the one of the default branch, whatever workflow a pull request has (langfuse/langfuse#16832, jalantechnologies/node-react-template#167)', () => {
  const sweep = workflows.find(([name]) => name === 'preview-sweep.yml')?.[1] ?? {};
  expect(Object.keys(objectAt(sweep, 'on')).toSorted()).toEqual(['schedule', 'workflow_dispatch']);
});
