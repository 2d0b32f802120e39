import { describe, expect, test } from '@jest/globals';

import { commands, type CommandName } from '../../../src/commands/index.ts';
import type { AnyCommand } from '../../../src/commands/command.ts';
import type { CommandInputs } from '../../../src/commands/inputs.ts';
import { lookAhead } from '../../../src/commands/look-ahead.ts';
import { Failures, messageOf } from '../../../src/base/errors.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import type { Grant } from '../../../src/release/rights.ts';
import { RightsCheck } from '../../../src/release/rights-check.ts';
import { Report } from '../../../src/report/report.ts';
import { RolloutWatch } from '../../../src/report/watch.ts';
import { parseUserRules } from '../../../src/rollout/readiness/user/parse-rules.ts';
import { rolling } from '../../../src/strategies/rolling.ts';
import { custom } from '../../support/custom-resource.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { contextOf, options } from './build.ts';

const takers: CommandName[] = ['deploy', 'promote', 'rollback', 'plan', 'preview'];

test('the commands that wait for custom resources take the input "await", and no others', () => {
  const taking = Object.entries<AnyCommand>(commands).filter(([, { inputs }]) => inputs.includes('await'));
  expect(taking.map(([name]) => name)).toEqual(takers);
});

test.each(takers.filter((name) => name !== 'preview'))(
  '%s names a line that is wrong before it asks the cluster anything',
  async (name) => {
    const api = new FakeApi();
    const given = { ...options, await: '\nWidget.example.com redy condition Ready' } as unknown as CommandInputs;
    const declared: AnyCommand = commands[name];
    const error: unknown = await declared
      .run(contextOf(api, 'me'), { ...given, release: 'web' })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Failures);
    expect(messageOf(error)).toBe('line 2 of the input "await": "redy" is not "ready", "failed" or "never"');
    expect(api.log).toEqual([]);
  },
);

describe('before the first write', () => {
  /** What a look ahead at one VolumeSnapshot warns of, and which grants it expects for it. */
  async function ahead(await_: string) {
    const api = new FakeApi();
    const grants: Grant[] = [];
    const rights = new RightsCheck(api, silentReporter, { command: 'deploy', release: 'web' });
    rights.expect = (more) => grants.push(...more);
    const context = { ...contextOf(api, 'me'), rights };
    const report = new Report(context, 'deploy', options);
    const metadata = { name: 'data', namespace: 'shop' };
    const object = { apiVersion: 'snapshot.storage.k8s.io/v1', kind: 'VolumeSnapshot', metadata };
    const rollOut = {
      ...options,
      strategy: 'rolling',
      forceConflicts: false,
      keepOldForMs: 0,
      newNamespaces: new Set<string>(),
      checks: [],
      restartOnConfig: undefined,
      userRules: parseUserRules(await_),
    };
    const purpose = {
      command: 'rollback',
      status: 'rolled-back' as const,
      manifests: [manifestFrom(object, 'app.yaml')],
      strategy: rolling,
      surplus: [],
      done: 'live',
      attempt: 'rollback',
    };
    await lookAhead(context, rollOut, purpose, report);
    const verbs = grants.filter(({ resource }) => resource === 'volumesnapshots').flatMap((grant) => grant.verbs);
    return { warnings: report.finish('deployed', '').warnings, verbs: [...new Set(verbs)] };
  }

  test('the right to watch a kind is asked for where the user waits for it, and only then', async () => {
    const awaited = await ahead('VolumeSnapshot.snapshot.storage.k8s.io ready .status.readyToUse == true');
    expect(awaited.verbs).toEqual(expect.arrayContaining(['list', 'watch']));
    expect((await ahead('')).verbs).not.toContain('watch');
    expect((await ahead('VolumeSnapshot.snapshot.storage.k8s.io never')).verbs).not.toContain('watch');
  });

  test('a line about what the release does not have is told', async () => {
    const { warnings } = await ahead(
      'VolumeSnapshot.snapshot.storage.k8s.io/data never\nVolumeSnapshot.snapshot.storage.k8s.io/date never\nWidget.example.com never',
    );
    expect(warnings).toEqual([
      'line 2 of the input "await" has no effect: the release has no VolumeSnapshot.snapshot.storage.k8s.io/date',
      'line 3 of the input "await" has no effect: the release has no Widget.example.com',
    ]);
  });
});

test('a wait goes by the lines of the user, and names at its end what was not there', async () => {
  const cluster = new ScriptedCluster();
  const clock = new FakeClock();
  const context = { ...contextOf(new FakeApi(), 'me'), client: cluster.client, clock };
  const userRules = parseUserRules('Widget.example.com ready .status.phase == Running');
  const watch = new RolloutWatch(context, { ...options, userRules });
  const object = custom('example.com/v1', 'Widget');
  cluster.put(object);
  const signal = new AbortController().signal;
  const wait = () =>
    watch
      .wait([{ object, changed: true }], { deadline: clock.now() + 20_000, signal })
      .then(() => 'ready')
      .catch(messageOf);
  const late = wait();
  await clock.runFor(21_000);
  expect(await late).toBe(
    'not ready in time: Widget "web": waiting for .status.phase == Running: .status.phase is not set',
  );
  const good = wait();
  await clock.runFor(1000);
  cluster.put({ ...object, status: { phase: 'Running' } });
  await clock.runFor(1000);
  expect(await good).toBe('ready');
});
