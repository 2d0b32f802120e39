import { beforeEach, describe, expect, test } from '@jest/globals';

import { finishApplied } from '../../../src/commands/held.ts';
import { keepOldSide, retireLeftover } from '../../../src/commands/keep-old.ts';
import { recover } from '../../../src/commands/recover.ts';
import { numberAt } from '../../../src/base/json.ts';
import { keyOf, refOf } from '../../../src/kubernetes/object.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { liveRevision, listRevisions } from '../../../src/release/revision.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';
import { Report } from '../../../src/report/report.ts';
import { RolloutWatch } from '../../../src/report/watch.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { journalIn, revision } from '../release/build.ts';
import { deployment, service } from '../strategies/plan-lines.ts';
import { contextOf, options } from './build.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const blue = deployment('web', 3, track('blue'));
const green = deployment('web-green', 3, track('green'));
const run = 'https://github.test/runs/1';

/** Requests go to these pods now. */
function serviceOf(name: string, selector: Record<string, string>) {
  const { spec, ...made } = service(name, selector);
  return { ...made, metadata: { name, namespace: 'shop' }, spec };
}

describe('an old side whose time is over', () => {
  let api: FakeApi;
  let reporter: ReturnType<typeof listeningReporter>;

  const context = () => ({ ...contextOf(api, 'run'), reporter, run: { holder: 'run', url: run } });
  const takenDown = async (retired = [refOf(blue)]) => {
    const report = new Report(context(), 'deploy', options);
    const again = await keepOldSide(context(), { ...options, keepOldForMs: 0 }, 2, retired, report);
    return { again, report };
  };
  const replicasOf = (name: string) =>
    numberAt(api.get(refOf({ ...blue, metadata: { name, namespace: 'shop' } })), 'spec', 'replicas');

  /** Revision 2 is live on green, and blue served before it. */
  const recorded = async (more: Partial<Revision> = {}) => {
    const retiring = { refs: [refOf(blue)], until: '2026-01-01T00:02:00.000Z' };
    const live = { strategy: 'blue-green', serving: { [keyOf(refOf(blue))]: 'web-green' }, retiring, run };
    const objects = [deployment('web', 3), serviceOf('web', { app: 'web' })];
    await recordRevision(api, 'shop', revision(2, 'live', { ...live, objects, ...more }), []);
  };

  beforeEach(async () => {
    api = new FakeApi();
    reporter = listeningReporter();
    await recorded();
    api.put(blue);
    api.put(green);
    api.put(serviceOf('web', { app: 'web', ...track('green') }));
  });

  test('gets no pods any more', async () => {
    expect((await takenDown()).again).toEqual([]);
    expect(replicasOf('web')).toBe(0);
  });

  test('keeps its pods where somebody has switched a Service back to it, and the run says so', async () => {
    api.put(serviceOf('web', { app: 'web', ...track('blue') }));
    const { again, report } = await takenDown();
    expect(replicasOf('web')).toBe(3);
    expect(again).toEqual(['Service "web" sends its requests to web again']);
    expect(reporter.lines).toContain('warning Service "web" sends its requests to web again, so web keeps its pods');
    const watch = new RolloutWatch(context(), options);
    const texts = { headline: 'shop: live in 2s', applied: 'shop: applied as revision 2', faults: again };
    const { status, headline } = finishApplied(report, watch, 'deployed', texts);
    expect([status, headline]).toEqual([
      'failed',
      'shop: applied as revision 2, but Service "web" sends its requests to web again',
    ]);
  });

  test('keeps its pods where a Service leads to both sides', async () => {
    api.put(serviceOf('web', { app: 'web' }));
    expect((await takenDown()).again).toEqual(['Service "web" sends its requests to web again']);
    expect(replicasOf('web')).toBe(3);
  });

  test('loses those of its workloads that nobody asks', async () => {
    const worker = deployment('worker', 2, track('blue'));
    api.put(worker);
    api.put(serviceOf('web', { app: 'web', ...track('blue') }));
    const { again, report } = await takenDown([refOf(blue), refOf(worker)]);
    expect(again).toHaveLength(1);
    expect([replicasOf('web'), replicasOf('worker')]).toEqual([3, 0]);
    expect(report.finish('failed', '').timeline.map(({ text }) => text)).toContain('worker scaled to 0');
  });

  test('is left the same way by a later run, and by the post step of a run that was cancelled', async () => {
    api.put(serviceOf('web', { app: 'web', ...track('blue') }));
    const live = liveRevision(await listRevisions(api, 'shop', 'web'));
    const report = new Report(context(), 'promote', options);
    expect(live && (await retireLeftover(context(), options, live, report))).toHaveLength(1);
    await recover(context(), options);
    expect(replicasOf('web')).toBe(3);
    expect(reporter.lines).toContain('warning Service "web" sends its requests to web again, so web keeps its pods');
  });

  test('is left where a later deploy has brought its candidate up there, and that waits', async () => {
    const journal = journalIn(api);
    const since = '2026-01-01T00:01:00.000Z';
    await journal.plan([{ ref: refOf(blue), before: blue, after: blue, done: true }]);
    await journal.leaveWaiting({ revision: 3, candidates: [refOf(blue)], since });
    const { again, report } = await takenDown();
    expect([again, replicasOf('web')]).toEqual([[], 3]);
    expect(reporter.lines).toContain('info web stays: the waiting candidate (revision 3) runs there now');
    expect(report.finish('deployed', '').timeline.map(({ text }) => text)).not.toContain('web scaled to 0');
    await recover(context(), options);
    expect(replicasOf('web')).toBe(3);
  });

  test('is left to the undo of a later deploy that was killed', async () => {
    const journal = journalIn(api);
    journal.record.revision = 3;
    await journal.plan([{ ref: refOf(blue), before: blue, after: blue, done: true }]);
    expect([(await takenDown()).again, replicasOf('web')]).toEqual([[], 3]);
    expect(reporter.lines).toContain('info web stays: an interrupted "deploy" has changed it');
  });

  test('goes where only the journal of its own run is still there', async () => {
    const journal = journalIn(api);
    journal.record.revision = 2;
    await journal.plan([{ ref: refOf(blue), before: blue, after: blue, done: true }]);
    await takenDown();
    expect(replicasOf('web')).toBe(0);
  });

  test("is not kept for a Service that is for this one of the user's own sides alone, or that is none of the release", async () => {
    const own = deployment('web-blue', 3, { version: 'blue' });
    const objects = [own, serviceOf('web', { version: 'green' }), serviceOf('web-blue', { version: 'blue' })];
    await recorded({ objects, idle: [own] });
    for (const object of [...objects.slice(1), own]) api.put(object);
    api.put(serviceOf('debug', { version: 'blue' }));
    expect((await takenDown([refOf(own)])).again).toEqual([]);
    expect(replicasOf('web-blue')).toBe(0);
  });

  test('keeps its pods where a Service leads to it again that no manifest has, and that the switch has moved', async () => {
    await recorded({ objects: [deployment('web', 3)] });
    api.put(serviceOf('front', { app: 'web', ...track('blue') }));
    expect((await takenDown()).again).toEqual(['Service "front" sends its requests to web again']);
    const own = deployment('web-blue', 3, { version: 'blue' });
    await recorded({ objects: [own], idle: [own] });
    api.put(own);
    api.put(serviceOf('front', { version: 'blue' }));
    expect((await takenDown([refOf(own)])).again).toEqual(['Service "front" sends its requests to web-blue again']);
    expect(replicasOf('web-blue')).toBe(3);
  });

  describe('that a Service of no manifest has never left', () => {
    const versioned = (name: string, version: string, side: string) =>
      deployment(name, 3, { app: 'web', version, ...track(side) });

    beforeEach(async () => {
      await recorded({
        objects: [deployment('web', 3, { app: 'web', version: 'v2' }), serviceOf('web', { app: 'web' })],
      });
      api.put(versioned('web', 'v1', 'blue'));
      api.put(versioned('web-green', 'v2', 'green'));
      api.put(serviceOf('legacy', { app: 'web', version: 'v1' }));
    });

    test('keeps its pods, which is told and fails no run: nobody has switched back', async () => {
      const { again, report } = await takenDown();
      expect([again, replicasOf('web')]).toEqual([[], 3]);
      const text = 'Service "legacy", which is in no manifest, still sends its requests to web, so web keeps its pods';
      expect(reporter.lines).toContain(`warning ${text}`);
      expect(report.finish('deployed', '').timeline.map((one) => one.text)).not.toContain('web scaled to 0');
    });

    test('fails it all the same where another Service leads to it again', async () => {
      api.put(serviceOf('web', { app: 'web', ...track('blue') }));
      expect((await takenDown()).again).toEqual(['Service "web" sends its requests to web again']);
      await recorded({ objects: [deployment('web', 3, { app: 'web', version: 'v2' })] });
      api.objects.delete(keyOf(refOf(serviceOf('web', {}))));
      api.put(serviceOf('other', { app: 'web', ...track('blue') }));
      expect((await takenDown()).again).toEqual(['Service "other" sends its requests to web again']);
    });
  });

  test('is not kept for a preview that the strategy has made', async () => {
    const preview = serviceOf('web-preview', { app: 'web', ...track('blue') });
    api.put({ ...preview, metadata: { ...preview.metadata, labels: track('blue') } });
    expect((await takenDown()).again).toEqual([]);
  });
});
