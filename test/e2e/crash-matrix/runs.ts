import { randomBytes } from 'node:crypto';

import { kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { Step, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import type { Run, Scenario } from './scenarios.ts';

/** The release of all scenarios. */
export const release = 'shop';

/** A namespace of its own with what is there before a scenario. */
export async function prepare(scenario: Scenario): Promise<string> {
  const namespace = `crash-${randomBytes(4).toString('hex')}`;
  await kubectl(['create', 'namespace', namespace]);
  for (const run of scenario.before) {
    const result = await runToEnd(run, namespace, testKubeconfig());
    if (result.exit !== 0) throw new Error(`what is there before ${scenario.name} fails: ${result.log}`);
  }
  return namespace;
}

export interface Started extends Disposable {
  step: Step;
}

export function start(
  { inputs, files }: Run,
  namespace: string,
  kubeconfig: string,
  env: Record<string, string> = {},
): Started {
  const workspace = createWorkspace(files ?? {});
  const common = { namespace, release, kubeconfig, ...(files === undefined ? {} : { manifests: '.' }) };
  const step = new Step({ ...common, timeout: '120s', ...inputs }, { workspace, env });
  return {
    step,
    [Symbol.dispose]: () => {
      step.dispose();
      removeWorkspace(workspace);
    },
  };
}

export async function runToEnd(run: Run, namespace: string, kubeconfig: string): Promise<StepResult> {
  using started = start(run, namespace, kubeconfig);
  return await started.step.main();
}
