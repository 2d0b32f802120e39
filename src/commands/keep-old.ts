import { formatDuration } from '../base/clock.ts';
import { sleepTelling } from '../base/pace.ts';
import { InvalidInput, messageOf } from '../base/errors.ts';
import { numberAt } from '../base/json.ts';
import { describeRef, keyOf, nameFrom, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { changedInCluster } from '../apply/owned-change.ts';
import { servicesLeadingTo } from '../release/leading-services.ts';
import { Ownership } from '../release/ownership.ts';
import type { Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import { whileLive } from '../release/while-live.ts';
import { readJournal } from '../release/journal.ts';
import { leftoverIn, type Leftover } from '../release/leftover.ts';
import { liveRevision } from '../release/revision.ts';
import type { Revision } from '../release/revision-shape.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { isBeside, unpinned } from '../strategies/blue-green/groups.ts';
import { templateLabels } from '../traffic/pods.ts';
import { selectorOf, selects } from '../traffic/services.ts';

export interface RetireOptions {
  release: string;
  namespace: string;
  timeoutMs: number;
}

interface KeepOldOptions extends RetireOptions {
  keepOldForMs: number;
}

/** What the input says unless somebody has set it, in ms. */
export const defaultKeepOldMs = 60_000;

/** @throws InvalidInput when somebody wants to keep an old side where there is none: only a blue-green deploy has one */
export function refuseUselessKeepOld({ keepOldForMs }: { keepOldForMs: number }, strategy: string): void {
  if (strategy === 'blue-green' || keepOldForMs === defaultKeepOldMs) return;
  throw new InvalidInput(
    `the input "keep-old-for" has no effect: the release is deployed with the strategy "${strategy}", which leaves no old side`,
    { hint: 'Remove it.' },
  );
}

/**
 * Leaves the side that served before running for a while, without the lock, so that another run can go back to it at once;
 * then takes its pods away, unless it serves again by then. A run that is cancelled meanwhile takes them away without waiting.
 * @returns what serves again although the new side is live, one sentence for each: that is no success
 */
export async function keepOldSide(
  context: Context,
  options: KeepOldOptions,
  revision: number,
  retired: readonly ObjectRef[],
  report: Report,
): Promise<string[]> {
  const { clock, limit, reporter, signal } = context;
  const { keepOldForMs } = options;
  const names = namesOf(retired);
  return await reporter.group('Keep the old side', async () => {
    if (keepOldForMs > 0) {
      reporter.info(
        `${names} stays for ${formatDuration(keepOldForMs)} ("keep-old-for"): until then "command: rollback" only has to switch back`,
      );
      limit.extend(keepOldForMs);
      await sleepTelling(clock, keepOldForMs, signal, (left) => {
        reporter.info(`${names} stays · ${formatDuration(left)} left`);
      }).catch(() => undefined);
    }
    return await takeDown(context, options, revision, retired, report);
  });
}

/**
 * Takes away an old side whose own run died before it did so, unless it serves again.
 * @returns what does, as `keepOldSide`
 * @param time milliseconds since the epoch by the server's clock, now by default: a side that is to stay longer than that is left to its own run
 */
export async function retireLeftover(
  context: Context,
  options: RetireOptions,
  { revision, retiring }: Revision,
  report: Report,
  time = serverNow(context.client, context.clock),
): Promise<string[]> {
  if (retiring === undefined || Date.parse(retiring.until) > time) return [];
  const found = (await Promise.all(retiring.refs.map((ref) => context.client.read(ref)))).filter(
    (object) => (numberAt(object, 'spec', 'replicas') ?? 0) > 0,
  );
  const running = found.flatMap((object) => (object === undefined ? [] : [refOf(object)]));
  return running.length > 0 ? await takeDown(context, options, revision, running, report) : [];
}

async function takeDown(
  context: Context,
  options: RetireOptions,
  revision: number,
  retired: readonly ObjectRef[],
  report: Report,
): Promise<string[]> {
  const names = namesOf(retired);
  try {
    const end = await scaleDown(context, options, revision, retired);
    if (end === undefined) {
      context.reporter.info(`${names} stays: superseded by another run`);
      return [];
    }
    const { gone, serving } = end;
    if (gone.length > 0) report.mark(`${namesOf(gone)} scaled to 0`);
    for (const { ref, text } of serving) report.warn(`${text}, so ${ref.name} keeps its pods`);
    return serving.filter(({ hasLeft }) => hasLeft).map(({ text }) => text);
  } catch (error) {
    report.warn(`the old side (${names}) still runs, the next deploy takes it over: ${messageOf(error)}`);
    return [];
  }
}

function namesOf(refs: readonly ObjectRef[]): string {
  return refs.map(({ name }) => name).join(', ');
}

/** What is to go and serves: `Service "web" sends its requests to web again`. */
interface Serving {
  ref: ObjectRef;
  text: string;
  /** Somebody has switched a Service back; otherwise it has led there all the time. */
  hasLeft: boolean;
}

/** @param services those that lead to the old side now */
function servingOf(ref: ObjectRef, services: readonly KubernetesObject[], live: Revision): Serving | undefined {
  const again = services.find((service) => isSwitched(service, live));
  if (again !== undefined)
    return { ref, text: `${describeRef(refOf(again))} sends its requests to ${ref.name} again`, hasLeft: true };
  const [still] = services;
  if (still === undefined) return undefined;
  const text = `${describeRef(refOf(still))}, which is in no manifest, still sends its requests to ${ref.name}`;
  return { ref, text, hasLeft: false };
}

/** Whether the switch has moved a Service: one of no manifest only if it selects what the manifests say, on either side. */
function isSwitched(service: KubernetesObject, { objects, idle = [] }: Revision): boolean {
  const key = keyOf(refOf(service));
  const selector = unpinned(selectorOf(service));
  return (
    objects.some((object) => keyOf(refOf(object)) === key) ||
    [...objects, ...idle].some(
      (object) => isDeployment(object) && isBeside(service, object) && selects(selector, templateLabels(object)),
    )
  );
}

/** Undefined when the revision is not live any more. */
async function scaleDown(
  context: Context,
  options: RetireOptions,
  revision: number,
  retired: readonly ObjectRef[],
): Promise<{ gone: ObjectRef[]; serving: Serving[] } | undefined> {
  const { client, reporter } = context;
  return await whileLive(context, options, revision, async (revisions) => {
    const ownership = new Ownership(client, options);
    const live = liveRevision(revisions);
    const users = usersOf(leftoverIn(await readJournal(client, options.namespace, options.release), revisions));
    const gone: ObjectRef[] = [];
    const serving: Serving[] = [];
    for (const ref of retired) {
      const user = users.get(keyOf(ref));
      if (user !== undefined) {
        reporter.info(`${ref.name} stays: ${user}`);
        continue;
      }
      const object = await client.read(ref);
      if (object === undefined || (await ownership.otherOwner(object)) !== undefined) continue;
      // The record says what was switched, not where Services lead now.
      const leading =
        live === undefined ? undefined : servingOf(ref, await servicesLeadingTo(client, live, object), live);
      if (leading !== undefined) {
        serving.push(leading);
        continue;
      }
      const { object: wanted } = changedInCluster(object, ['spec', 'replicas'], 0);
      await client.apply(wanted, { fieldManager, force: true });
      reporter.info(`${nameFrom(options.namespace, ref)} scaled to 0`);
      gone.push(ref);
    }
    return { gone, serving };
  });
}

/** What a later run has brought in where it was free, and is not over: of each object by its key, whose it is. */
function usersOf(leftover: Leftover): ReadonlyMap<string, string> {
  if (leftover.state !== 'waiting' && leftover.state !== 'dead') return new Map();
  const { command, entries, waiting } = leftover.journal.record;
  const begun = entries.map(({ ref }) => [keyOf(ref), `an interrupted "${command}" has changed it`] as const);
  const candidates = (waiting?.candidates ?? []).map(
    (ref) => [keyOf(ref), `the waiting candidate (revision ${waiting?.revision ?? ''}) runs there now`] as const,
  );
  return new Map([...begun, ...candidates]);
}
