import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { until } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;
let group: string;

beforeAll(async () => {
  namespace = await createNamespace('await');
  group = `${namespace}.gke-rollout.test`;
  const definition = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `widgets.${group}` },
    spec: {
      group,
      names: { kind: 'Widget', plural: 'widgets' },
      scope: 'Namespaced',
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
          subresources: { status: {} },
        },
      ],
    },
  };
  await kubectl(['apply', '-f', '-'], JSON.stringify(definition));
  await kubectl(['wait', `crd/widgets.${group}`, '--for=condition=Established', '--timeout=30s']);
});

afterAll(async () => {
  await kubectl(['delete', 'crd', `widgets.${group}`, '--wait=false', '--ignore-not-found']);
  await deleteNamespace(namespace);
});

interface Run {
  /** Of the input "await", without the kind that each begins with. */
  lines: readonly string[];
  size?: number;
  inputs?: Record<string, string>;
  /** What a controller does while the action waits. */
  meanwhile?: (widget: Widget) => Promise<void>;
}

/** A Widget as its controller and the log of the action have it. */
interface Widget {
  write: (status: object) => Promise<void>;
  untilSaid: (text: string) => Promise<void>;
}

/** One run of the packaged action that deploys one Widget as a release of its own. */
async function deploy(name: string, { lines, size = 1, inputs = {}, meanwhile }: Run): Promise<StepResult> {
  const object = { apiVersion: `${group}/v1`, kind: 'Widget', metadata: { name }, spec: { size } };
  const workspace = createWorkspace({ 'app.yaml': [object] });
  const said: string[] = [];
  const options = { workspace, onLine: (line: string) => said.push(line) };
  const rules = lines.map((line) => `Widget.${group} ${line}`).join('\n');
  const given = { kubeconfig: testKubeconfig(), namespace, release: name, manifests: '.', timeout: '60s' };
  try {
    const running = runStep({ ...given, await: rules, ...inputs }, options);
    const working = meanwhile?.({
      write: async (status) => {
        const patch = ['patch', `widgets.${group}`, name, '-n', namespace, '--subresource=status', '--type=merge'];
        await kubectl([...patch, '-p', JSON.stringify({ status })]);
      },
      untilSaid: async (text) => {
        await until(`the log says: ${text}`, () => Promise.resolve(said.some((line) => line.includes(text))));
      },
    });
    const [result] = await Promise.all([running, working]);
    return result;
  } finally {
    removeWorkspace(workspace);
  }
}

function messageOf({ outputs }: StepResult): string {
  return (JSON.parse(outputs['failure'] ?? '{}') as { message?: string }).message ?? '';
}

async function widgets(): Promise<string[]> {
  const names = await kubectl(['get', `widgets.${group}`, '-n', namespace, '-o', 'jsonpath={.items[*].metadata.name}']);
  return names.split(' ').filter((name) => name !== '');
}

describe('a custom resource that the user says more about', () => {
  test.concurrent('is ready once its status says so, and until then the log says what it says', async () => {
    const result = await deploy('ready', {
      lines: ['ready .status.phase == Running', 'ready .status.pods >= 3'],
      meanwhile: async ({ write, untilSaid }) => {
        const waiting = 'waiting for .status.phase == Running and .status.pods >= 3: ';
        await untilSaid(`${waiting}.status.phase is not set, .status.pods is not set`);
        await write({ phase: 'Pending', pods: '2' });
        await untilSaid(`${waiting}.status.phase is "Pending", .status.pods is "2"`);
        await write({ phase: 'Running', pods: '10' });
      },
    });
    expect(result.exit).toBe(0);
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toContain('.status.phase is "Running", .status.pods is "10"');
  });

  test.concurrent('does not count as it was before its controller has seen the change', async () => {
    const lines = ['ready condition Ready'];
    const status = (observedGeneration: number | string) => ({
      observedGeneration,
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    });
    const first = await deploy('changed', {
      lines,
      meanwhile: async ({ write, untilSaid }) => {
        await untilSaid('waiting for condition Ready == True: condition Ready is not set');
        await write(status(1));
      },
    });
    expect(first.outputs['status']).toBe('deployed');
    const second = await deploy('changed', {
      lines,
      size: 2,
      meanwhile: async ({ write, untilSaid }) => {
        await untilSaid('waiting for the controller: its status is for generation 1, not 2');
        await write(status('2'));
      },
    });
    expect(second.outputs['status']).toBe('deployed');
  });

  test.concurrent('has failed once what it shows has lasted for its grace, and goes again', async () => {
    const graceMs = 4000;
    let brokenAt = 0;
    const result = await deploy('failed', {
      lines: ['ready .status.phase == Running', `failed .status.phase == Error after ${graceMs / 1000}s`],
      meanwhile: async ({ write, untilSaid }) => {
        await untilSaid('waiting for .status.phase == Running: .status.phase is not set');
        brokenAt = Date.now();
        await write({ phase: 'Error', message: 'no such size' });
      },
    });
    expect(Date.now() - brokenAt).toBeGreaterThanOrEqual(graceMs);
    expect(result.exit).toBe(1);
    expect(messageOf(result)).toBe('Widget "failed": .status.phase is "Error": no such size');
    expect(result.log).toContain('by line 2 of the input "await", this is a failure');
    expect(await widgets()).not.toContain('failed');
  });

  test.concurrent('whose path is missing is named with it when time runs out', async () => {
    const result = await deploy('late', { lines: ['ready .status.url exists'], inputs: { timeout: '8s' } });
    expect(result.exit).toBe(1);
    expect(result.log).toContain(
      'not ready in time: Widget "late": waiting for .status.url exists: .status.url is not set',
    );
  });

  test.concurrent('may be one that the run never waits for', async () => {
    const result = await deploy('never', { lines: ['never'] });
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toContain('Widget "never": not waited for: the input "await" says "never"');
    expect(await widgets()).toContain('never');
  });

  test.concurrent('is not even made where a line is wrong', async () => {
    const result = await deploy('wrong', { lines: ['ready .status.phase = Running'] });
    expect(result.exit).toBe(1);
    expect(messageOf(result)).toBe('line 1 of the input "await": "= Running" is not a comparison');
    expect(await widgets()).not.toContain('wrong');
  });
});
