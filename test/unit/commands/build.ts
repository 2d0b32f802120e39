import { systemClock } from '../../../src/base/clock.ts';
import { TimeLimit } from '../../../src/base/time-limit.ts';
import type { Context } from '../../../src/release/context.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { fields, owner } from '../release/build.ts';

/** What a command that changes the release "web" is told. */
export const options = {
  release: 'web',
  namespace: 'shop',
  timeoutMs: 60_000,
  unschedulableGraceMs: 60_000,
  pauseTimeoutMs: 60_000,
  undoOnFailure: true,
  undoTimeoutMs: 60_000,
};

/** What the entry point gives to a command. */
export function contextOf(client: FakeApi, holder: string): Context {
  return {
    client,
    reporter: silentReporter,
    clock: systemClock,
    limit: new TimeLimit(systemClock),
    signal: new AbortController().signal,
    event: { name: 'push' },
    run: { holder },
    cwd: '/',
    sources: [],
    contextName: 'test',
    startedAt: 0,
    onChangeBegins: () => undefined,
  };
}

/** Stores ConfigMaps as the server does: with the entry of whoever applies them, and not in a dry run. */
export class OwningApi extends FakeApi {
  override async apply(object: KubernetesObject, { dryRun = false } = {}) {
    const managedFields = [owner(fields('data', 'a'))];
    const stored = { ...object, metadata: { ...object.metadata, managedFields } };
    return dryRun ? { object: stored, warnings: [] } : await super.apply(stored);
  }
}
