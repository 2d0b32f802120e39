import { mkdirSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { deployment, sampleImage } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { brokenCases, type BrokenCase } from './cases.ts';

/** The output `failure`. */
interface Diagnosis {
  reason: string;
  message: string;
  hint?: string;
  namedAfterSeconds?: number;
}

/** A state that does not heal has its name this soon after its first sign. */
const secondsUntilNamed = 15;

const timedOut = 'not ready in time: ';
const diagnoses = new Map<BrokenCase, Diagnosis>();

afterAll(() => {
  const table = tableOf(diagnoses);
  const folder = join(import.meta.dirname, '../../../test-output');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'diagnosis.md'), table);
  writeSync(2, table);
  const early = [...diagnoses].flatMap(([{ ends }, { namedAfterSeconds }]) =>
    ends === undefined && namedAfterSeconds !== undefined ? [namedAfterSeconds] : [],
  );
  figure('diagnosis-cases', diagnoses.size);
  figure('diagnosis-slowest-seconds', Math.max(...early));
});

/* The cases wait most of the time; jest runs five of them side by side. */
test.concurrent.each(brokenCases.map((broken) => [broken.cause, broken] as const))('%s', async (_, broken) => {
  const { result, diagnosis } = await deploy(broken);
  expect(diagnosis).toMatchObject({
    reason: expect.stringMatching(broken.reason),
    message: sentence(broken.says),
    hint: broken.hint,
  });
  expect(result.exit).toBe(1);
  expect(result.outputs['status']).toBe(broken.ends === 'before the write' ? 'failed' : 'undone');
  expect(result.log.includes(timedOut)).toBe(broken.ends === 'timeout');
  const limit = broken.ends === undefined ? (broken.within ?? secondsUntilNamed) : Infinity;
  expect(diagnosis.namedAfterSeconds ?? (limit === Infinity ? 0 : NaN)).toBeLessThanOrEqual(limit);
  for (const place of placesOfLastWords(result)) expect(place).toContain(broken.evidence ?? '');
});

/** Where the last lines of a crash are to be read: the box of the summary, an annotation, and the folded evidence. */
function placesOfLastWords({ summary, log }: StepResult): string[] {
  const box = summary.split('\n').filter((line) => line.startsWith('> '));
  const annotations = log.split('\n').filter((line) => line.startsWith('::error '));
  const evidence = summary.slice(Math.max(0, summary.indexOf('<summary>Evidence')));
  return [box.join('\n'), annotations.join('\n'), evidence];
}

test.concurrent('a paused Deployment is no failure, and the log says that nothing happens', async () => {
  const namespace = await createNamespace('paused');
  const result = await deployInto(namespace, 'paused', [deployment('paused', { spec: { paused: true } })]);
  expect(result.exit).toBe(0);
  expect(result.log).toContain('paused by its manifest: 0 of 1 pod updated; run "resume" to continue');
  await deleteNamespace(namespace);
});

async function deploy(broken: BrokenCase): Promise<{ result: StepResult; diagnosis: Diagnosis }> {
  const namespace = await createNamespace(broken.name);
  const before = (broken.before?.(namespace) ?? []).map((object) => JSON.stringify(object)).join('\n---\n');
  try {
    if (before !== '') await kubectl(['apply', '-n', namespace, '-f', '-'], before);
    // Pods that came before it would be refused for another reason than that of the case.
    await kubectl(['wait', 'serviceaccount/default', '-n', namespace, '--for=create', '--timeout=30s']);
    if (broken.untilRefused === true) await untilPodsAreRefused(namespace);
    const objects = JSON.parse(
      JSON.stringify(broken.objects).replaceAll('"CLASS"', JSON.stringify(namespace)),
    ) as object[];
    const result = await deployInto(namespace, broken.name, objects, broken.inputs);
    const failure = JSON.parse(
      textOr(result.outputs['failure'], '{"reason":"","message":"no failure","hint":""}'),
    ) as Diagnosis;
    const message = failure.message.replace(timedOut, '').replaceAll(namespace, 'shop');
    const diagnosis = { ...failure, message };
    diagnoses.set(broken, diagnosis);
    return { result, diagnosis };
  } finally {
    if (before !== '')
      await kubectl(['delete', '-n', namespace, '--ignore-not-found', '--wait=false', '-f', '-'], before);
    await deleteNamespace(namespace);
  }
}

function textOr(text: string | undefined, fallback: string): string {
  return text === undefined || text === '' ? fallback : text;
}

/** A policy takes effect a moment after it was written. */
async function untilPodsAreRefused(namespace: string): Promise<void> {
  const tryOne = ['run', 'probe', `--image=${sampleImage}`, '-n', namespace, '--dry-run=server'];
  const isRefused = () =>
    kubectl(tryOne).then(
      () => false,
      () => true,
    );
  for (let tries = 0; tries < 100; tries += 1) if (await isRefused()) return;
  throw new Error(`pods in the namespace "${namespace}" are not refused`);
}

async function deployInto(
  namespace: string,
  release: string,
  objects: readonly object[],
  inputs: Record<string, string> = {},
): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': objects });
  try {
    const common = { kubeconfig: testKubeconfig(), namespace, release, manifests: '.', timeout: '90s' };
    return await runStep({ ...common, ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

/** What a user reads, as a table in Markdown; without seconds where only the time-out tells. */
function tableOf(found: ReadonlyMap<BrokenCase, Diagnosis>): string {
  const rows = [...found].map(([{ cause, ends }, { message, hint, namedAfterSeconds }]) => [
    cause,
    message,
    hint ?? '',
    ends === 'timeout' ? 'time-out' : ends === 'before the write' ? ends : String(namedAfterSeconds),
  ]);
  return [['cause', 'sentence', 'hint', 'seconds'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`)
    .join('');
}

function sentence(says: string | RegExp): unknown {
  return says instanceof RegExp ? expect.stringMatching(says) : says;
}
