import { InvalidInput } from '../../base/errors.ts';
import type { PullRequest } from '../../github/pull-request.ts';
import { isService } from '../../traffic/services.ts';
import type { Manifest } from '../../manifests/manifest.ts';
import type { Context } from '../../release/context.ts';
import type { RuleSetId } from '../../release/rights.ts';
import { Superseded } from '../../release/wanted.ts';
import type { Report } from '../../report/report.ts';
import { hasFailed, type RunReport } from '../../report/run-report.ts';
import { expectOfCommand, expectOfObjects } from '../needs.ts';
import { deploy, readDeploy, type DeployOptions } from '../deploy.ts';
import { defaultKeepOldMs } from '../keep-old.ts';
import type { Adapt } from '../load-manifests.ts';
import type { Purpose } from '../purpose.ts';
import { rollOut } from '../roll-out.ts';
import { adapter } from './adapting.ts';
import type { AskedPreview } from './asked.ts';
import { announce } from './announce.ts';
import { factsAt, momentOf, previewOf } from './facts.ts';
import type { PreviewOptions } from './inputs.ts';
import { PreviewNamespace } from './preview-namespace.ts';
import type { PullRequestNow } from './pull-request-now.ts';
import { tearDownThis } from './tear-down.ts';

interface Under {
  report: Report;
  pull: PullRequest;
  now: PullRequestNow;
  /** Its namespace is not there yet. */
  isNew: boolean;
}

/**
 * Deploys the manifests of the checkout into the namespace of a preview, which is made for it; waits until it answers, and looks
 * whether it is still wanted before anybody is told.
 * @throws Failure, Failures for problems found before the first write: what was made for it until then goes again
 */
export async function deployPreview(
  context: Context,
  options: PreviewOptions,
  asked: AskedPreview,
  { report, pull, now, isNew }: Under,
): Promise<RunReport> {
  refuseNothing(options);
  const { namespace } = asked;
  const place = new PreviewNamespace(context, asked, options);
  const adapted = adapter(context, options, asked);
  const superseded: { by?: Superseded } = {};
  const inner: Context = {
    ...context,
    wanted: {
      assert: async () => {
        const want = (await now.askAgain())?.want;
        if (want === undefined || want.state === 'present') return;
        superseded.by = new Superseded(want.reason);
        throw superseded.by;
      },
      isDoomed: async () => await place.isDoomed(),
    },
  };
  const read = await readDeploy(inner, deployOptions(options, asked, adapted.adapt), report);
  const facts = factsAt(asked, pull, momentOf(context, options));
  // What makes the rights in there may come with the namespace: a role that the run binds to itself, or a controller of tenants.
  if (options.previewRole === undefined && !isNew) await expectInside(context, read);
  const full = await place.make(facts);
  if (full !== undefined) {
    const { reason, holders } = full;
    report.tellPreview({ ...previewOf(asked, pull, adapted), reason, holders });
    return report.finish('skipped', `No preview of pull request ${asked.identity.number}: ${reason}`);
  }
  expectOfCommand(context, [...deploy.rights, ...answeringRights(read.purpose.manifests)], namespace);
  report.tellPreview(previewOf(asked, pull, adapted));
  let outcome: RunReport;
  try {
    outcome = await rollOut(
      inner,
      { ...read.options, newNamespaces: new Set() },
      purposeOf(read.purpose, asked, pull),
      report,
    );
  } catch (error) {
    if (context.signal.aborted) throw error;
    if (await place.isDoomed()) return tornDownMeanwhile(report, asked, pull);
    await place.takeBack();
    throw error;
  }
  if (superseded.by !== undefined) {
    return await afterSuperseded(context, asked, { report, pull, now, reason: superseded.by.message }, options);
  }
  if (hasFailed(outcome.status)) {
    if (await place.isDoomed()) return tornDownMeanwhile(report, asked, pull);
    return { ...outcome, preview: { ...previewOf(asked, pull, adapted), ...place.serving() } };
  }
  return await announce(context, options, asked, { report, pull, now, outcome, place, adapted });
}

/** What is asked before the first write to a namespace that is there. */
async function expectInside(
  context: Context,
  { options, purpose: { manifests, surplus } }: Awaited<ReturnType<typeof readDeploy>>,
): Promise<void> {
  expectOfCommand(context, [...deploy.rights, ...answeringRights(manifests)], options.namespace);
  const objects = manifests.map(({ object }) => object);
  const needs = { ...options, newNamespaces: new Set<string>(), surplus };
  await expectOfObjects(context, objects, needs);
}

/** The Services of a preview are asked whether they answer. */
function answeringRights(manifests: readonly Manifest[]): RuleSetId[] {
  return manifests.some(({ object }) => isService(object)) ? ['answering'] : [];
}

function purposeOf(purpose: Purpose, { identity }: AskedPreview, pull: PullRequest): Purpose {
  return {
    ...purpose,
    command: 'preview',
    commit: pull.head.sha,
    subject: `Pull request ${identity.number}`,
    attempt: 'preview',
  };
}

/** A preview has its namespace for itself, and comes in as a rolling update. */
function deployOptions(
  options: PreviewOptions,
  { namespace }: AskedPreview,
  adapt: Adapt,
): DeployOptions & { adapt: Adapt } {
  return {
    ...options,
    namespace,
    adapt,
    strategy: 'rolling',
    createNamespace: true,
    canarySteps: [],
    stepDurationMs: 0,
    autoPromote: true,
    constantTotal: false,
    keepOldForMs: defaultKeepOldMs,
    // A preview has no inputs for these.
    onLowCapacity: 'warn',
    longestRequestMs: 0,
  };
}

/** A preview without manifests is asked for by nobody; what takes one away needs none. */
function refuseNothing({ manifests, configmaps, secrets }: PreviewOptions): void {
  if (manifests.length + configmaps.length + secrets.length > 0) return;
  throw new InvalidInput('the command "preview" needs the input "manifests" to deploy a pull request', {
    hint: 'Add it, and check out the pull request in an earlier step.',
  });
}

/** It was wanted when this run began, and is not any more. */
async function afterSuperseded(
  context: Context,
  asked: AskedPreview,
  { report, pull, now, reason }: Omit<Under, 'isNew'> & { reason: string },
  { timeoutMs }: PreviewOptions,
): Promise<RunReport> {
  const want = (await now.askAgain())?.want;
  if (want?.state === 'absent') return await tearDownThis(context, asked, { report, pull, reason, timeoutMs });
  report.tellPreview({ ...previewOf(asked, pull, { changes: [] }), reason });
  return report.finish('superseded', `Pull request ${asked.identity.number} is not deployed by this run: ${reason}`);
}

/** Somebody has closed it and removed its namespace while this run deployed: there is nothing to undo, and nothing to make anew. */
function tornDownMeanwhile(report: Report, asked: AskedPreview, pull: PullRequest): RunReport {
  const reason = 'the preview was torn down while this run deployed it';
  report.tellPreview({ ...previewOf(asked, pull, { changes: [] }), reason });
  return report.finish('superseded', `Pull request ${asked.identity.number} is not deployed by this run: ${reason}`);
}
