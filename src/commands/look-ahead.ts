import { preflight, warningsOf, changesPods } from '../apply/preflight.ts';
import type { Prepared } from '../apply/prepared.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Arrangement, PlanContext } from '../plan/plan.ts';
import type { Context } from '../release/context.ts';
import type { FirstLook } from '../release/first-look.ts';
import { readJournal } from '../release/journal.ts';
import { leftoverIn, type Leftover } from '../release/leftover.ts';
import type { LockSeen } from '../release/lock.ts';
import { describeLeft, leftBehind } from '../release/left-behind.ts';
import { Ownership } from '../release/ownership.ts';
import type { Revision } from '../release/revision-shape.ts';
import { commitOf, listRevisions, liveRevision, problemsOfRevisions, remarksOnKept } from '../release/revision.ts';
import type { Report } from '../report/report.ts';
import { describeSelector, idleRules } from '../rollout/readiness/user/user-rule.ts';
import { bothSides, refOnOwn, sideOfName } from '../strategies/blue-green/own-sides.ts';
import { describeAbruptEnds } from '../traffic/endings.ts';
import { isService } from '../traffic/services.ts';
import { ConfigRestarts } from './config-restarts.ts';
import { expectOfChecks, expectOfObjects } from './needs.ts';
import type { Purpose, RollOutOptions } from './purpose.ts';

/** Manifests as a strategy brings them in, compared with the cluster. */
interface Sight {
  arrangement: Arrangement;
  prepared: Prepared[];
}

/** All that is known of a change before its first write. */
export interface Ahead extends Sight {
  /** What strategies look with. */
  plan: PlanContext;
  revisions: Revision[];
  /** The lock as it was before all else was read, if nobody had it; absent where that was not looked at. */
  lock?: LockSeen | undefined;
  /** What an earlier run has left. */
  leftover: Leftover;
  left: Awaited<ReturnType<typeof leftBehind>>;
  restarts: ConfigRestarts;
  /** Looks once more: another run may have come and gone. */
  again(revisions: readonly Revision[]): Promise<Sight>;
}

/**
 * Reads what there is, and lets the strategy arrange the manifests and the server try them. Writes nothing.
 * @throws Failure, Failures for problems of the input
 */
export async function lookAhead(
  context: Context,
  options: RollOutOptions,
  purpose: Purpose,
  report: Report,
  first?: FirstLook,
): Promise<Ahead> {
  const ownership = ownershipOf(context, options);
  const plan = planContextOf(context, options, purpose, { ownership, report });
  const restarts = new ConfigRestarts(options.restartOnConfig);
  const look = async (of: readonly Revision[]): Promise<Sight> => {
    const arrangement = await purpose.strategy(plan, restarts.hashed(purpose.manifests, of));
    return { arrangement, prepared: await plan.look(arrangement.manifests) };
  };
  expectOfChecks(context, options.checks, options.namespace);
  const objects = purpose.manifests.map(({ object }) => object);
  await expectOfObjects(context, objects, { ...options, surplus: purpose.surplus });
  const found = await lookNow(context, options, look, first);
  tell(found, options, { restarts, plan, report });
  tellIdleRules(options, objects, report);
  const { arrangement, revisions } = found;
  const left = await leftBehind(context.client, ownership, revisions, refsOfNext(purpose, arrangement.manifests));
  if (purpose.command === 'deploy') for (const text of describeLeft(left.there, options.namespace)) report.warn(text);
  const live = liveRevision(revisions);
  if (live !== undefined) report.tellPreviousRevision(live.revision);
  report.tellCommits({ now: purpose.commit, before: commitOf(live, revisions) });
  const again = async (of: readonly Revision[]) => {
    ownership.refresh();
    return await look(of);
  };
  return { ...found, plan, left, restarts, again };
}

function planContextOf(
  { client, reporter }: Context,
  options: RollOutOptions,
  { claims = [], remake = false }: Purpose,
  { ownership, report }: { ownership: Ownership; report: Report },
): PlanContext {
  const { namespace, newNamespaces, restartOnConfig, onLowCapacity = 'fail' } = options;
  return {
    client,
    namespace,
    onLowCapacity,
    reporter,
    look: (of, { force = options.forceConflicts } = {}) =>
      preflight(client, of, {
        force,
        claims,
        remake,
        newNamespaces,
        ownership,
        ...(restartOnConfig === undefined ? {} : { restartOnConfig }),
      }),
    note: (text) => {
      reporter.info(text);
      report.mark(text);
    },
  };
}

async function lookNow(
  { client, reporter }: Context,
  { namespace, release, newNamespaces }: RollOutOptions,
  look: (revisions: readonly Revision[]) => Promise<Sight>,
  first?: FirstLook,
): Promise<Sight & Pick<Ahead, 'revisions' | 'leftover' | 'lock'>> {
  return await reporter.group('Preflight', async () => {
    const isNew = newNamespaces.has(namespace);
    const recorded = isNew ? Promise.resolve([]) : (first?.revisions ?? listRevisions(client, namespace, release));
    const [sight, revisions, journal] = await Promise.all([
      recorded.then(look),
      recorded,
      isNew ? undefined : (first?.journal ?? readJournal(client, namespace, release)),
    ]);
    const count = sight.prepared.length;
    const changes = sight.prepared.filter(({ change }) => change !== 'unchanged').length;
    reporter.info(`${count === 1 ? '1 object' : `${count} objects`} validated, ${changes} will change`);
    return { ...sight, revisions, leftover: leftoverIn(journal, revisions), lock: await first?.lock };
  });
}

/** What whoever deploys should know before the first write. */
function tell(
  { prepared, revisions }: Pick<Ahead, 'prepared' | 'revisions'>,
  { strategy }: RollOutOptions,
  { restarts, plan, report }: { restarts: ConfigRestarts; plan: PlanContext; report: Report },
): void {
  restarts.tell(prepared, plan, report);
  const remarks = [...problemsOfRevisions(revisions), ...remarksOnKept(revisions)];
  for (const warning of [...warningsOf(prepared), ...remarks]) report.warn(warning);
  report.mark('manifests are valid');
  // Sides of blue-green leave their Services before their pods end.
  if (strategy === 'blue-green') return;
  const renewed = prepared.filter((entry) => entry.live === undefined || changesPods(entry));
  const services = prepared.filter(({ manifest }) => isService(manifest.object));
  const concerned = [...new Set([...renewed, ...services])].map(({ manifest }) => manifest.object);
  for (const text of describeAbruptEnds(concerned)) plan.reporter.info(text);
}

/** Rules of the input `await` that change nothing: their kind may be misspelt. */
function tellIdleRules({ userRules = [] }: RollOutOptions, objects: readonly KubernetesObject[], report: Report): void {
  for (const rule of idleRules(userRules, objects))
    report.warn(`line ${rule.line} of the input "await" has no effect: the release has no ${describeSelector(rule)}`);
}

/** Whose objects are whose, seen from a release. */
export function ownershipOf(
  { client }: Context,
  { namespace, release, takeFromRelease: takeFrom, adoptRelease: adopt }: OwnershipInputs,
): Ownership {
  return new Ownership(client, {
    namespace,
    release,
    ...(takeFrom === undefined ? {} : { takeFrom }),
    ...(adopt === undefined ? {} : { adopt }),
  });
}

type OwnershipInputs = Pick<RollOutOptions, 'namespace' | 'release' | 'takeFromRelease' | 'adoptRelease'>;

/** What the next revision has, under each name that it goes by; what is to be removed counts too. */
function refsOfNext({ manifests, alongside = [], idle, surplus }: Purpose, arranged: readonly Manifest[]): ObjectRef[] {
  const objects = [
    ...[...manifests, ...arranged].map(({ object }) => object),
    ...alongside,
    ...surplus,
    ...(idle ?? []),
  ];
  // The other side of the user's own stays for its next turn, also where its files are not given.
  const twins = objects.filter((object) => idle !== undefined && sideOfName(object) !== undefined);
  return [...objects.map(refOf), ...twins.flatMap((object) => bothSides.map((side) => refOnOwn(side, object)))];
}
