import { refOf } from '../kubernetes/object.ts';
import { freeStatefulSet, waitsForBrokenPods } from '../apply/stateful-set.ts';
import type { Execution } from '../plan/execution.ts';
import type { PlanContext } from '../plan/plan.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import type { RolloutWatch } from '../report/watch.ts';
import { isPaused } from '../rollout/pause.ts';
import { untilResumed } from '../rollout/until-resumed.ts';
import type { GuardedChange } from '../release/change.ts';
import type { Purpose, RollOutOptions } from './purpose.ts';
import { verifyCandidate, type VerificationOptions } from './verification.ts';

/** What has got ready at the last moment is asked all the same. */
const leastVerificationMs = 25_000;

export function verificationOf(
  { clock, limit }: Context,
  { checks, namespace }: RollOutOptions,
  { signal }: Pick<GuardedChange, 'signal'>,
): VerificationOptions {
  return { checks, namespace, signal, deadline: Math.max(limit.until, clock.now() + leastVerificationMs) };
}

/** What a plan is carried out with under the lock. */
export function executionOf(
  context: Context,
  options: RollOutOptions,
  { command, manifests }: Purpose,
  { plan, change, watch, report }: { plan: PlanContext; change: GuardedChange; watch: RolloutWatch; report: Report },
): Execution {
  const { client, clock, limit } = context;
  const { journal, signal } = change;
  return {
    ...plan,
    journal,
    force: options.forceConflicts,
    clock,
    signal,
    limit,
    wait: async (written, { holdMs = 0, ...hold } = {}) => {
      for (const [entry, object] of command === 'rollback' ? written : []) {
        if (entry.change !== 'unchanged' && waitsForBrokenPods(object))
          await freeStatefulSet(client, refOf(object), undefined, clock);
      }
      const targets = [...written].map(([entry, object]) => ({
        object,
        changed: entry.change !== 'unchanged',
        paused: isPaused(entry.manifest.object),
        ...(entry.live === undefined || entry.change === 'unchanged' ? {} : { before: entry.live }),
      }));
      limit.extend(holdMs);
      await watch.wait(targets, { deadline: limit.until, signal, holdMs, ...hold });
    },
    untilResumed: async ({ refs, keepsState }) => {
      await untilResumed(client, refs, {
        keepsState,
        clock,
        reporter: context.reporter,
        signal,
        timeoutMs: options.pauseTimeoutMs,
        onStandStill: (ms) => {
          limit.extend(ms);
        },
      });
    },
    check: async (objects, { afterWait }) => {
      await watch.check(objects, { signal, timeoutMs: options.timeoutMs, afterWait });
    },
    verify: async (candidate) =>
      await verifyCandidate(context, verificationOf(context, options, change), manifests, candidate, report),
    saw: (live) => {
      watch.saw(live);
    },
    mark: (text) => {
      report.mark(text);
    },
    onTraffic: (step) => {
      report.addTraffic(step);
    },
  };
}
