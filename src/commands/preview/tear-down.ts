import { isGoing } from '../../kubernetes/going.ts';
import type { PullRequest } from '../../github/pull-request.ts';
import { whatHangs } from '../../preview/hanging.ts';
import { ownership } from '../../preview/identity.ts';
import type { Context } from '../../release/context.ts';
import { grantsOf } from '../../release/rights.ts';
import type { Report } from '../../report/report.ts';
import type { RunReport } from '../../report/run-report.ts';
import type { AskedPreview } from './asked.ts';
import { previewFacts } from './facts.ts';
import { deleteNamespace, namespaceRef, untilNamespaceGone } from './namespace.ts';

interface TearDown {
  report: Report;
  pull: PullRequest | undefined;
  /** Why it goes: a sentence without its end. */
  reason: string;
  /** How long to wait until it is gone. */
  timeoutMs: number;
}

/**
 * Removes the preview of one pull request. It takes no lock: its one request closes the door to a deploy that is under way, which
 * finds out and ends. What hangs is told, and is no failure: the deletion stands, and the next sweep tells of it again.
 */
export async function tearDownThis(
  context: Context,
  asked: AskedPreview,
  { report, pull, reason, timeoutMs }: TearDown,
): Promise<RunReport> {
  const { client, clock, reporter, rights, bounds } = context;
  const { identity, namespace } = asked;
  const facts = { ...previewFacts(asked, pull), reason };
  report.tellPreview(facts);
  const found = await client.read(namespaceRef(namespace));
  const owned = found === undefined ? undefined : ownership(found, identity);
  if (found === undefined || owned?.is !== 'ours') {
    const why = owned === undefined || owned.is === 'ours' ? '' : `: the namespace of that name ${owned.reason}`;
    report.tellPreview({ ...facts, reason: `${reason}; there was nothing to remove${why}` });
    return report.finish(
      'torn-down',
      `No preview of pull request ${identity.number} is left: there was nothing to remove`,
    );
  }
  rights?.expect(grantsOf('teardown', undefined));
  await rights?.require();
  // Its labels have shown whose it is, and the deletion holds for what was read alone.
  bounds?.vouchFor([namespaceRef(namespace)]);
  context.limit.begin(timeoutMs);
  if (!(await deleteNamespace(context, namespace, (now) => ownership(now, identity).is === 'ours'))) {
    report.tellPreview({ ...facts, reason: `${reason}; its namespace now has another owner` });
    return report.finish(
      'torn-down',
      `No preview of pull request ${identity.number} is left: its namespace has another owner`,
    );
  }
  reporter.info(`Namespace "${namespace}" is being deleted: ${reason}`);
  report.mark(`deletion of namespace ${namespace} requested`);
  const left = await untilNamespaceGone(context, found, clock.now() + timeoutMs);
  if (left !== undefined && isGoing(left))
    report.warn(`Namespace "${namespace}" ${whatHangs(left)}: the next sweep checks again`);
  return report.finish('torn-down', `Removed the preview of pull request ${identity.number}: ${reason}`);
}
