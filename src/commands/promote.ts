import { InvalidInput } from '../base/errors.ts';
import { inCluster } from '../apply/owned-change.ts';
import { readJournal } from '../release/journal.ts';
import { listRevisions, liveRevision, revisionSecret } from '../release/revision.ts';
import { parseUserRules } from '../rollout/readiness/user/parse-rules.ts';
import { locking } from '../release/rights.ts';
import { promotionOf } from '../strategies/index.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import { Report } from '../report/report.ts';
import { changeInputs, command, type OptionsOf } from './command.ts';
import { settle } from '../release/change.ts';
import { isHalfDone, leftoverIn } from '../release/leftover.ts';
import { refuseUselessKeepOld, retireLeftover } from './keep-old.ts';
import { expectOfRemoval } from './needs.ts';
import type { RunReport } from '../report/run-report.ts';
import { rollOut } from './roll-out.ts';
import { rulesOfChange } from '../release/recorded-rules.ts';
import { madeBeside } from './strays.ts';
import { assertAskable, readChecks } from './verification.ts';
import type { Revision } from '../release/revision-shape.ts';
import type { JournalRecord, WaitingCandidate } from '../release/journal-shape.ts';

const inputs = [...changeInputs, 'await', 'keep-old-for', 'force', 'verify', 'force-conflicts', 'reason'] as const;

export const promote = command({
  inputs,
  required: [],
  rights: [...locking, 'autoscalers'],
  run: promoteCandidate,
});

/**
 * Brings in a candidate that a deploy has left waiting, from what is recorded in the cluster. When that fails, the candidate
 * waits as before.
 */
async function promoteCandidate(context: Context, options: OptionsOf<(typeof inputs)[number]>): Promise<RunReport> {
  const { client, reporter } = context;
  const namespace = options.namespace ?? client.defaultNamespace;
  const { release } = options;
  const givenRules = parseUserRules(options.await ?? '');
  const given = readChecks(context, options.verify ?? '', options.timeoutMs);
  const { record, revision } = await reporter.group('Look up the candidate', async () => {
    const found = await findCandidate(context, { ...options, namespace }, 'promote');
    // Where Services go by the user's own labels, they say which side serves only when nothing is half done.
    if (found.revision.idle !== undefined && found.isHalfDone)
      await settle(context, { ...options, namespace }, 'promote');
    const { commit, finishedAt, problem } = found.revision;
    if (problem !== undefined) throw unreadable(found.revision.revision, release, problem);
    reporter.info(
      `revision ${found.revision.revision} has been waiting since ${finishedAt}${commit === undefined ? '' : ` (commit ${commit})`}`,
    );
    return found;
  });
  const manifests = structuredClone(revision.objects).map(inCluster);
  await context.bounds?.vouchForMadeBeside(revision.objects, madeBeside);
  const { force } = options;
  // Who knows better than the checks of the deploy says others, or none.
  const checks = given.length > 0 || force ? given : readChecks(context, record.waiting?.verify ?? '');
  await assertAskable(context, checks, manifests, namespace);
  await expectOfRemoval(context, record.temporary ?? []);
  const { strategy } = revision;
  refuseUselessKeepOld(options, strategy);
  const report = new Report(context, 'promote', { release, namespace, strategy });
  if (force) {
    report.warn(
      '"force: true": skipped checking that the candidate is ready, is what was deployed and passes its checks',
    );
  }
  return await rollOut(
    context,
    {
      ...options,
      namespace,
      strategy,
      newNamespaces: new Set(),
      checks,
      ...rulesOfChange(givenRules, revision, report),
      restartOnConfig: revision.restartOnConfig ?? true,
    },
    {
      command: 'promote',
      status: 'deployed',
      manifests,
      commit: revision.commit,
      strategy: promotionOf(strategy, record, { ownSides: revision.idle !== undefined, force }),
      ...(revision.idle === undefined ? {} : { idle: revision.idle }),
      candidate: 'continue',
      promotes: revision.revision,
      surplus: [],
      done: 'promoted and live',
      attempt: 'promotion',
    },
    report,
  );
}

function unreadable(revision: number, release: string, problem: string): InvalidInput {
  return new InvalidInput(`revision ${revision} of release "${release}" cannot be promoted: ${problem}`, {
    hint: 'Run the command "abort" to remove the candidate, then deploy it again.',
  });
}

/** A candidate of which the journal alone knows: enough to take it away, and not to bring it in. */
function withoutRecord(release: string, waiting: WaitingCandidate | undefined): Revision | undefined {
  if (waiting === undefined) return undefined;
  const { revision, since, constantTotal } = waiting;
  return {
    release,
    revision,
    outcome: 'unreadable',
    // Only a canary says so.
    strategy: constantTotal === undefined ? 'blue-green' : 'canary',
    startedAt: since,
    finishedAt: since,
    images: {},
    objects: [],
    problem: `its record is gone: someone deleted the Secret "${revisionSecret({ release, revision })}"`,
  };
}

/**
 * What waits of a release. Where nothing does, an old side that an earlier promotion has left goes before it is said.
 * @throws InvalidInput when nothing waits
 */
export async function findCandidate(
  context: Context,
  options: Required<ChangeOptions>,
  command: 'promote' | 'abort',
): Promise<{ record: JournalRecord; revision: Revision; isHalfDone: boolean }> {
  const { client } = context;
  const { namespace, release } = options;
  const [journal, revisions] = await Promise.all([
    readJournal(client, namespace, release),
    listRevisions(client, namespace, release),
  ]);
  const waiting = journal?.record.waiting;
  const revision = revisions.find((entry) => entry.revision === waiting?.revision) ?? withoutRecord(release, waiting);
  const isLive = revision?.outcome === 'live';
  if (journal !== undefined && revision !== undefined && !isLive) {
    return { record: journal.record, revision, isHalfDone: isHalfDone(leftoverIn(journal, revisions)) };
  }
  // A promotion had come to its end, and was killed before it had tidied up.
  if (isLive) await settle(context, options, command);
  const live = liveRevision(revisions);
  if (live !== undefined) await retireLeftover(context, options, live, new Report(context, command, options));
  throw new InvalidInput(
    `there is no candidate of release "${release}" in namespace "${namespace}" to ${command}${isLive ? `: revision ${revision.revision} is already live, its promotion had finished before its run was killed` : ''}`,
    {
      hint:
        revisions.length === 0
          ? 'Check the inputs "release" and "namespace".'
          : 'A deploy with "auto-promote: false" creates one; the command "status" shows the current state.',
    },
  );
}
