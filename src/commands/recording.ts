import { messageOf } from '../base/errors.ts';
import { keyOf } from '../kubernetes/object.ts';
import { serverNow, serverTimestamp } from '../kubernetes/server-time.ts';
import type { Live } from '../plan/plan.ts';
import type { ChangeFailure } from '../release/change.ts';
import type { Context } from '../release/context.ts';
import { keptOf } from '../release/kept.ts';
import { writeRevision, type TidyUp } from '../release/record-revision.ts';
import { placeForRecords } from '../release/record-room.ts';
import { forRecord, withEvent, type ReleaseEvent } from '../release/release-event.ts';
import type { Outcome, Revision } from '../release/revision-shape.ts';
import { imagesIn, liveRevision, nextRevision, servingKeys } from '../release/revision.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Report } from '../report/report.ts';
import type { Ahead } from './look-ahead.ts';
import { noteEvent } from './note-event.ts';
import type { Purpose, RollOutOptions } from './purpose.ts';

/** Records the revision that a roll-out makes or promotes. */
export class Recording {
  readonly #context: Context;
  readonly #options: RollOutOptions;
  readonly #purpose: Purpose;
  readonly #ahead: Pick<Ahead, 'left' | 'restarts'>;
  readonly #report: Report;
  readonly #startedAt: string;
  /** All that is recorded of the release, as it was read last. */
  known: readonly Revision[];
  /** What follows from the last record, to be done once. */
  tidyUp: TidyUp = { run: () => Promise.resolve(), needsLock: false };
  /** From which number on records are free. */
  #free = 0;

  constructor(
    context: Context,
    options: RollOutOptions,
    purpose: Purpose,
    { ahead, report }: { ahead: Ahead; report: Report },
  ) {
    this.#context = context;
    this.#options = options;
    this.#purpose = purpose;
    this.#ahead = ahead;
    this.#report = report;
    this.#startedAt = serverTimestamp(context.client, context.clock);
    this.known = ahead.revisions;
  }

  /** The number that it gets. */
  get number(): number {
    return this.#purpose.promotes ?? Math.max(this.#free, nextRevision(this.known));
  }

  /** Makes sure that there is place for it, before the first write. @throws Failure */
  async findPlace(prepared: readonly Prepared[]): Promise<void> {
    if (this.#purpose.promotes !== undefined) return;
    const { namespace, release } = this.#options;
    const wanted = { release, revision: this.number };
    this.#free = await placeForRecords(this.#context.client, namespace, wanted, prepared);
  }

  /** Writes the record; what follows from it is left to `tidyUp`. */
  async record(
    outcome: Outcome,
    end: Partial<Live> = {},
    more: Partial<Pick<Revision, 'kept' | 'cause'>> = {},
  ): Promise<Revision> {
    const { namespace, keepOldForMs, userRules = [], await: lines } = this.#options;
    const { serving: names = this.#purpose.serving } = end;
    const live = liveRevision(this.known);
    const retiring = retiringOf(end, live, serverNow(this.#context.client, this.#context.clock) + keepOldForMs);
    const { idle, restores } = this.#purpose;
    const { left, restarts } = this.#ahead;
    const revision: Revision = {
      ...(live?.formerly === undefined ? {} : { formerly: live.formerly }),
      ...this.#facts(outcome),
      ...restarts.facts(this.known),
      ...(userRules.length === 0 || lines === undefined ? {} : { await: lines }),
      ...(names === undefined ? {} : { serving: names }),
      ...(retiring === undefined ? {} : { retiring }),
      ...(idle === undefined ? {} : { idle }),
      ...(left.recorded.length === 0 ? {} : { left: left.recorded }),
      ...(restores === undefined ? {} : { restores }),
      ...this.#earlier(),
      ...more,
    };
    this.tidyUp = await writeRevision(this.#context.client, namespace, revision, this.known);
    this.#report.tellRevision(revision.revision);
    return revision;
  }

  /** Records that it has failed, if something of it was written: what was to be promoted waits as before. */
  async recordFailure({ error, undo }: ChangeFailure, wroteAnything: boolean): Promise<void> {
    const { promotes } = this.#purpose;
    if (undo === undefined && !wroteAnything) return;
    const kept = undo === undefined ? [] : keptOf(undo);
    const outcome = undo?.complete === true ? 'undone' : 'failed';
    if (promotes !== undefined) {
      const { namespace, release } = this.#options;
      const happened = { command: 'promote', outcome, error } as const;
      await noteEvent(this.#context, { namespace, release, revision: promotes }, happened, this.#report);
      return;
    }
    const cause = forRecord(messageOf(error));
    try {
      await this.record(outcome, {}, { cause, ...(kept.length === 0 ? {} : { kept }) });
      await this.tidyUp.run();
    } catch (problem) {
      this.#context.reporter.warning(`this failed revision could not be recorded: ${messageOf(problem)}`);
    }
  }

  /** Of what is promoted: who has deployed it, and why. */
  #earlier(): Pick<Revision, 'events'> {
    const waiting = this.known.find(({ revision }) => revision === this.#purpose.promotes);
    if (waiting === undefined) return {};
    const { finishedAt, actor, run, reason, events } = waiting;
    const deployed: ReleaseEvent = {
      command: 'deploy',
      outcome: 'done',
      at: finishedAt,
      ...(actor === undefined ? {} : { actor }),
      ...(run === undefined ? {} : { run }),
      ...(reason === undefined ? {} : { reason }),
    };
    return { events: withEvent(events, deployed) };
  }

  #facts(outcome: Outcome): Revision {
    const { client, clock, run } = this.#context;
    const { url, actor, reason } = run;
    const { alongside = [], commit, manifests } = this.#purpose;
    const objects = [...alongside, ...manifests.map(({ object }) => object)];
    return {
      release: this.#options.release,
      revision: this.number,
      outcome,
      strategy: this.#options.strategy,
      startedAt: this.#startedAt,
      finishedAt: serverTimestamp(client, clock),
      ...(commit === undefined ? {} : { commit }),
      ...(url === undefined ? {} : { run: url }),
      ...(actor === undefined ? {} : { actor }),
      ...(reason === undefined ? {} : { reason }),
      images: imagesIn(objects),
      objects,
    };
  }
}

/**
 * What is to go after a switch; or what an earlier one has left, as long as it does not serve again.
 * @param until milliseconds since the epoch by the server's clock
 */
export function retiringOf(
  { retired = [], serving }: Partial<Live>,
  live: Revision | undefined,
  until: number,
): Revision['retiring'] {
  if (retired.length > 0) return { refs: retired, until: new Date(until).toISOString() };
  if (serving === undefined || live?.retiring === undefined) return undefined;
  const again = servingKeys(serving);
  const refs = live.retiring.refs.filter((ref) => !again.has(keyOf(ref)));
  return refs.length === 0 ? undefined : { ...live.retiring, refs };
}
