import { messageOf } from '../../base/errors.ts';
import type { Reporter } from '../../base/reporter.ts';
import type { Context } from '../../release/context.ts';
import type { RunReport } from '../../report/run-report.ts';
import { askedPreview } from './asked.ts';
import { previewFacts } from './facts.ts';
import type { WhichOptions } from './inputs.ts';
import { PullRequestNow } from './pull-request-now.ts';

/**
 * What becomes of a preview whose run cannot sign in to the cluster: runs of Dependabot and of forks get no secrets, so that theirs is
 * skipped and green; for all others it is the failure that it is (KSXGitHub/perfectionist#93).
 * @param problem why it could not sign in
 * @returns undefined where there is to be a preview
 */
export async function skippedWithoutCredentials(
  context: Pick<Context, 'event' | 'github' | 'repository' | 'clock' | 'startedAt'> & { reporter: Reporter },
  options: WhichOptions,
  problem: unknown,
): Promise<RunReport | undefined> {
  try {
    const asked = askedPreview(context, options);
    const { pull, want } = await new PullRequestNow(context, asked, false).ask();
    if (want.state !== 'skipped') return undefined;
    context.reporter.info(messageOf(problem));
    return {
      command: 'preview',
      status: 'skipped',
      headline: `No preview of pull request ${asked.identity.number}: ${want.reason}`,
      release: options.release,
      objects: [],
      workloads: [],
      addresses: [],
      timeline: [],
      warnings: [],
      preview: { ...previewFacts(asked, pull), reason: want.reason },
      durationMs: context.clock.now() - context.startedAt,
    };
  } catch (error) {
    context.reporter.debug(`whether there is to be a preview is not known: ${messageOf(error)}`);
    return undefined;
  }
}
