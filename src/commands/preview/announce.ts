import { formatDuration } from '../../base/clock.ts';
import { Failure } from '../../base/errors.ts';
import type { PullRequest } from '../../github/pull-request.ts';
import { refOf } from '../../kubernetes/object.ts';
import { serverNow } from '../../kubernetes/server-time.ts';
import { shortSha } from '../../preview/decide.ts';
import type { PreviewFacts } from '../../preview/identity.ts';
import { urlsIn } from '../../preview/urls.ts';
import type { Context } from '../../release/context.ts';
import { failureOf } from '../../report/failure.ts';
import type { PreviewReport } from '../../report/preview-report.ts';
import type { Report } from '../../report/report.ts';
import type { RunReport } from '../../report/run-report.ts';
import { mainService } from '../verification.ts';
import type { Adapted } from './adapting.ts';
import { untilAnswering, type Answering } from './answering.ts';
import type { AskedPreview } from './asked.ts';
import { factsAt, momentOf, previewOf } from './facts.ts';
import type { PreviewOptions } from './inputs.ts';
import type { PreviewNamespace } from './preview-namespace.ts';
import type { PullRequestNow } from './pull-request-now.ts';
import { tearDownThis } from './tear-down.ts';

/** How long a preview that is ready may take until it answers, at most, in ms: a load balancer and its routes come later. */
const answeringMs = 300_000;

interface Deployed {
  report: Report;
  pull: PullRequest;
  now: PullRequestNow;
  outcome: RunReport;
  place: PreviewNamespace;
  adapted: Adapted;
}

/** Tells of a preview that is deployed: once it answers, and only if it is wanted still. */
export async function announce(
  context: Context,
  options: PreviewOptions,
  asked: AskedPreview,
  { report, pull, now, outcome, place, adapted }: Deployed,
): Promise<RunReport> {
  const { client, clock, startedAt } = context;
  const done = (preview: PreviewReport, more: Partial<RunReport> = {}): RunReport => ({
    ...outcome,
    ...more,
    preview,
    durationMs: clock.now() - startedAt,
  });
  const told = previewOf(asked, pull, adapted);
  context.limit.begin(Math.min(options.timeoutMs, answeringMs));
  let answering: Answering | undefined;
  try {
    answering = await untilAnswering(context, await placesOf(context, adapted, outcome), context.limit.until);
  } catch (error) {
    if (context.signal.aborted || !(error instanceof Failure)) throw error;
    if (await place.isDoomed()) return tornDown(report, asked, told);
    return done(told, {
      status: 'failed',
      stays: true,
      headline: `${outcome.headline}, but it does not answer`,
      failure: failureOf(error),
    });
  }
  const want = (await now.askAgain())?.want;
  if (want?.state === 'absent')
    return await tearDownThis(context, asked, { report, pull, reason: want.reason, timeoutMs: options.timeoutMs });
  if (answering?.by === 'nobody') {
    report.warn(
      'it is unknown whether the preview answers: this runner cannot reach it and has no permission to ask through the API server ("get" on "services/proxy")',
    );
  }
  const url = answering?.url;
  const moment = { ...momentOf(context, options), at: serverNow(client, clock) };
  const facts = factsAt(asked, pull, url === undefined ? moment : { ...moment, url });
  if (!(await isWritten(context, place, facts))) return tornDown(report, asked, told);
  const { expiresAt, keep } = facts;
  const preview: PreviewReport = {
    ...told,
    ...(url === undefined ? {} : { url }),
    ...(answering === undefined || answering.by === 'nobody' ? {} : { answers: answering.by }),
    ...(keep ? { isKept: true } : {}),
    ...(expiresAt === undefined || keep ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
  const took = formatDuration(clock.now() - startedAt);
  const where = url === undefined ? `in namespace "${asked.namespace}"` : `at ${url}`;
  const headline = `Pull request ${asked.identity.number} is deployed at commit ${shortSha(pull.head.sha)} ${where} in ${took}`;
  if (want?.state === 'superseded') {
    // What was deployed is good, but nobody is to take it for the newest.
    return done(
      { ...preview, reason: want.reason },
      { status: 'superseded', headline: `${headline}, but ${want.reason}` },
    );
  }
  return done(preview, { headline });
}

/** @returns false where somebody has torn the preview down meanwhile */
async function isWritten({ signal }: Context, place: PreviewNamespace, facts: PreviewFacts): Promise<boolean> {
  try {
    await place.announce(facts);
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (await place.isDoomed()) return false;
    throw error;
  }
}

async function placesOf({ client }: Context, { manifests }: Adapted, { addresses }: RunReport) {
  const own = mainService(manifests);
  const hosts = urlsIn(manifests.map(({ object }) => object));
  return {
    urls: hosts.length > 0 ? hosts : addresses.map(({ url }) => url),
    service: own === undefined ? undefined : await client.read(refOf(own)),
  };
}

function tornDown(report: Report, asked: AskedPreview, told: PreviewReport): RunReport {
  const reason = 'the preview was torn down while this run deployed it';
  report.tellPreview({ ...told, reason });
  return report.finish('superseded', `Pull request ${asked.identity.number} is not deployed by this run: ${reason}`);
}
