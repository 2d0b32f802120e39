import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, testKubeconfig } from '../../support/kubectl.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { Step } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/** A request may begin late on a busy machine, when one that it does not need has been answered: that looks like a round. */
const byChance = 1;

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('rounds');
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

/** Ten objects: config, Services, and two Deployments. */
function application(version: string): object[] {
  const env = { VERSION: version };
  return [
    ...['a', 'b', 'c', 'd'].map((name) => configMap(name, { version })),
    ...['web', 'worker'].map((name) => service(name)),
    ...['queue', 'mail'].map((name) => service(name, { selector: { app: 'worker' } })),
    ...['web', 'worker'].map((name) => deployment(name, { env })),
  ];
}

interface Timeline {
  /** How many rounds follow one another. */
  rounds: number;
  /** The round in which the first object of the user's is written. */
  firstWrite: number | undefined;
  /** The rounds that come once all is ready and was looked at. */
  afterReady: number | undefined;
  /** Requests that the server was asked to try, each as often as it was. */
  dryRuns: string[];
  text: string;
}

/** What the debug log says of the requests of one run, which must succeed. */
async function run(inputs: Record<string, string>, objects: object[] = []): Promise<Timeline> {
  const workspace = createWorkspace({ 'app.yaml': objects });
  const given = { kubeconfig: testKubeconfig(), namespace, release: 'shop', timeout: '60s', ...inputs };
  const step = new Step(given, { workspace, env: { RUNNER_DEBUG: '1' } });
  try {
    const { exit, log } = await step.main();
    expect(exit).toBe(0);
    return timelineIn(log);
  } finally {
    step.dispose();
    removeWorkspace(workspace);
  }
}

function timelineIn(log: string): Timeline {
  const lines = log.split('\n').flatMap((line) => /^::debug::(.*)$/.exec(line)?.[1] ?? []);
  const text = lines.slice(lines.findIndex((line) => /^requests: \d+ in /.test(line))).join('\n');
  const number = (pattern: RegExp) => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  return {
    rounds: number(/^requests: \d+ in (\d+) rounds/) ?? Number.POSITIVE_INFINITY,
    firstWrite: number(/round +(\d+) .* PATCH configmaps\/\S+ -n \S+$/m),
    afterReady: number(/-- all objects are ready \((\d+) rounds? from here\)/),
    dryRuns: [...text.matchAll(/\S+ \S+ -n \S+(?= \(dry run\))/g)].map(([name]) => name),
    text,
  };
}

test('the requests of a run follow one another only where one needs the answer of another', async () => {
  const first = await run({ manifests: '.' }, application('1'));
  // Discovery and the lock; records; what is there; the dry run; the lock is taken; the journal; the write.
  expect(first.firstWrite).toBeLessThanOrEqual(7 + byChance);
  expect(first.dryRuns).toHaveLength(new Set(first.dryRuns).size);

  const changed = await run({ manifests: '.' }, application('2'));
  // Pods that are there are tried once it is known what becomes of their config.
  expect(changed.firstWrite).toBeLessThanOrEqual(8 + byChance);
  // The record; and the end of the journal and the lock.
  expect(changed.afterReady).toBeLessThanOrEqual(2 + byChance);
  expect(changed.dryRuns).toHaveLength(new Set(changed.dryRuns).size);

  const unchanged = await run({ manifests: '.' }, application('2'));
  expect(unchanged.rounds).toBeLessThanOrEqual(4 + byChance);

  const back = await run({ command: 'rollback' });
  expect(back.firstWrite).toBeLessThanOrEqual(12 + byChance);
  expect(back.afterReady).toBeLessThanOrEqual(2 + byChance);
});
