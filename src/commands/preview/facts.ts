import type { PullRequest } from '../../github/pull-request.ts';
import { hasLabel } from '../../preview/decide.ts';
import { expiryAfter } from '../../preview/expiry.ts';
import { ownership, readPreview, type PreviewFacts, type PreviewIdentity } from '../../preview/identity.ts';
import type { Context } from '../../release/context.ts';
import type { PreviewReport } from '../../report/preview-report.ts';
import { isGoing } from '../../kubernetes/going.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { serverNow } from '../../kubernetes/server-time.ts';
import type { OptionsOf } from '../command.ts';
import type { AskedPreview } from './asked.ts';

/** The label that keeps a preview from expiring, unless the workflow names another one. */
export const defaultKeepLabel = 'preview-keep';

/** What is known of a preview before anything is done. */
export function previewFacts({ identity, repository }: AskedPreview, pull: PullRequest | undefined): PreviewReport {
  return {
    pullRequest: identity.number,
    pullRequestUrl: pull?.url ?? `${repository.url}/pull/${identity.number}`,
    ...(pull === undefined ? {} : { commit: pull.head.sha }),
    adapted: [],
  };
}

/** Which pull request it is, in the log. */
export function tellPullRequest(
  { reporter }: Pick<Context, 'reporter'>,
  { identity, namespace }: AskedPreview,
  pull: PullRequest | undefined,
): void {
  const state = pull === undefined ? 'is not there' : pull.merged ? 'is merged' : `is ${pull.state}`;
  const head = pull === undefined ? '' : ` at ${pull.head.sha}`;
  reporter.info(`pull request ${identity.number} ${state}${head}; its preview is in namespace "${namespace}"`);
}

/** The same of one that is being deployed.  */
export function previewOf(
  asked: AskedPreview,
  pull: PullRequest,
  { changes, keepLabel }: { changes: readonly string[]; keepLabel?: string },
): PreviewReport {
  return { ...previewFacts(asked, pull), adapted: changes, ...(keepLabel === undefined ? {} : { keepLabel }) };
}

/** What an earlier run has deployed into a namespace, and when that expires; nothing where it is not this preview's. */
export function servingIn(
  namespace: KubernetesObject | undefined,
  identity: PreviewIdentity,
): Pick<PreviewReport, 'serving' | 'expiresAt'> {
  if (namespace === undefined || isGoing(namespace) || ownership(namespace, identity).is !== 'ours') return {};
  const reading = readPreview(namespace);
  if (reading.state !== 'preview') return {};
  const { sha, url, expiresAt, keep } = reading.preview;
  return {
    ...(sha === undefined ? {} : { serving: { commit: sha, ...(url === undefined ? {} : { url }) } }),
    ...(expiresAt === undefined || keep ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

/** Now, as the server tells it, and what the workflow says about how long a preview lives. */
export function momentOf(
  { client, clock, run }: Pick<Context, 'client' | 'clock' | 'run'>,
  {
    previewTtlMs: ttlMs,
    previewKeepLabel: keepLabel = defaultKeepLabel,
  }: OptionsOf<'preview-ttl' | 'preview-keep-label'>,
): Moment {
  return { at: serverNow(client, clock), ttlMs, keepLabel, runUrl: run.url };
}

interface Moment {
  /** By the server's clock, milliseconds since the epoch. */
  at: number;
  ttlMs: number;
  keepLabel: string;
  runUrl: string | undefined;
  url?: string;
}

/** What the namespace of a preview says about it from now on. */
export function factsAt(
  { repository }: AskedPreview,
  pull: PullRequest,
  { at, ttlMs, keepLabel, runUrl, url }: Moment,
): PreviewFacts {
  const expiresAt = expiryAfter(at, ttlMs);
  return {
    repository: `${repository.owner}/${repository.name}`,
    sha: pull.head.sha,
    branch: pull.head.branch,
    ...(pull.author === undefined ? {} : { author: pull.author }),
    pullRequestUrl: pull.url,
    ...(runUrl === undefined ? {} : { runUrl }),
    ...(url === undefined ? {} : { url }),
    deployedAt: at,
    ...(expiresAt === undefined ? {} : { expiresAt }),
    keep: hasLabel(pull, keepLabel),
  };
}
