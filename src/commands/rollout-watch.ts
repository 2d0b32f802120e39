import { Failure } from '../base/errors.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { fieldManager } from '../release/field-manager.ts';
import { applyEntry } from '../release/managed-fields.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { collectEvidence } from '../rollout/diagnosis.ts';
import type { Evidence } from '../rollout/evidence.ts';
import { excerptFor } from '../rollout/log-excerpt.ts';
import type { Graces } from '../rollout/failures/pod.ts';
import { waitForRollout, type RolloutResult } from '../rollout/tracker.ts';
import type { Cause, Verdict } from '../rollout/verdict.ts';
import type { ChangeOptions, Context } from './context.ts';
import type { FailureReport } from './report.ts';

/** Objects that were written will not be ready. */
export class RolloutFailed extends Failure {
  readonly result: RolloutResult;
  readonly causes: readonly Cause[];

  constructor(result: RolloutResult, causes: readonly Cause[], timedOut: boolean) {
    const [first] = causes;
    const message = first?.message ?? 'the rollout did not get ready';
    super(timedOut ? `not ready in time: ${message}` : message, first?.hint === undefined ? {} : { hint: first.hint });
    this.result = result;
    this.causes = causes;
  }
}

/** Waits for what a command has written, and remembers what is needed to tell of it. */
export class RolloutWatch {
  readonly #context: Context;
  readonly #graces: Graces;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #startedAt = new Map<string, number>();
  readonly #readyAt = new Map<string, number>();
  #failed: RolloutFailed | undefined;
  #evidence: Evidence[] = [];
  #namedAt: number | undefined;
  wroteAnything = false;

  constructor(context: Context, { unschedulableGraceMs }: Pick<ChangeOptions, 'unschedulableGraceMs'>) {
    this.#context = context;
    this.#graces = { unschedulableMs: unschedulableGraceMs };
  }

  /** @throws RolloutFailed when one of them will not be ready, or the deadline passes */
  async wait(
    targets: readonly { object: KubernetesObject; changed: boolean }[],
    { deadline, signal, holdMs = 0 }: { deadline: number; signal: AbortSignal; holdMs?: number },
  ): Promise<void> {
    const { client, clock, reporter } = this.#context;
    const now = clock.now();
    for (const { object, changed } of targets) {
      const key = keyOf(refOf(object));
      this.#objects.set(key, object);
      if (changed) this.wroteAnything = true;
      if (!this.#startedAt.has(key)) this.#startedAt.set(key, now);
    }
    const result = await waitForRollout(
      client,
      targets.map(({ object, changed }) => ({ object, changed, writtenAt: writtenAt(object) ?? now })),
      { reporter, clock, deadline, signal, holdMs, graces: this.#graces },
    );
    for (const { object, verdict, readyAt } of result.targets) {
      const key = keyOf(refOf(object));
      this.#objects.set(key, object);
      this.#verdicts.set(key, verdict);
      if (readyAt !== undefined) this.#readyAt.set(key, readyAt);
    }
    if (result.outcome === 'ready') return;
    this.#namedAt = clock.now();
    this.#failed = new RolloutFailed(result, result.causes, result.outcome === 'timed-out');
    throw this.#failed;
  }

  /** Looks at the failed objects while they are still there. */
  async collectEvidence(error: unknown): Promise<void> {
    if (!(error instanceof RolloutFailed)) return;
    this.#evidence = await collectEvidence(this.#context.client, error.result, this.#context.clock);
  }

  /** Adds what was seen to what is said; `manifests` are where the blamed fields stand. */
  explain(failure: FailureReport, manifests: readonly Manifest[] = []): FailureReport {
    const causes = [...(this.#failed?.causes ?? [])];
    const problems = (this.#failed?.result.targets ?? []).flatMap(({ object, verdict }) => {
      const manifest = manifests.find((candidate) => keyOf(refOf(candidate.object)) === keyOf(refOf(object)));
      if (verdict.state !== 'failed' || verdict.cause.path === undefined || manifest === undefined) return [];
      const { message, hint, path } = verdict.cause;
      const said = excerptFor(verdict.cause, this.#evidence);
      return [
        {
          message: hint === undefined ? message : `${message}. ${hint}`,
          location: manifest.source.locate(path),
          ...(said === undefined ? {} : { log: said }),
        },
      ];
    });
    const [first] = causes;
    const log = first === undefined ? undefined : excerptFor(first, this.#evidence);
    const since = first?.since;
    return {
      ...failure,
      causes,
      problems: [...failure.problems, ...problems],
      evidence: this.#evidence,
      ...(log === undefined ? {} : { log }),
      ...(since === undefined || this.#namedAt === undefined
        ? {}
        : { namedAfterSeconds: Math.max(0, Math.round((this.#namedAt - since) / 1000)) }),
    };
  }

  /** The object as it was seen last. */
  latest(ref: ObjectRef): KubernetesObject | undefined {
    return this.#objects.get(keyOf(ref));
  }

  durationOf(ref: ObjectRef): number | undefined {
    const [from, to] = [this.#startedAt.get(keyOf(ref)), this.#readyAt.get(keyOf(ref))];
    return from === undefined || to === undefined ? undefined : to - from;
  }

  stateOf(ref: ObjectRef): { state: Verdict['state']; message: string } {
    const verdict = this.#verdicts.get(keyOf(ref));
    if (verdict === undefined) return { state: 'unchecked', message: 'not awaited' };
    return { state: verdict.state, message: verdict.state === 'failed' ? verdict.cause.message : verdict.message };
  }
}

/** When the server carried our last apply out, by its own clock. */
function writtenAt(object: KubernetesObject): number | undefined {
  return timeOf(applyEntry(object, fieldManager)?.time);
}
