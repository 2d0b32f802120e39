import { messageOf } from '../../base/errors.ts';
import type { PullRequest } from '../../github/pull-request.ts';
import { decide, type Want } from '../../preview/decide.ts';
import type { Context } from '../../release/context.ts';
import { gitHubOf, type AskedPreview } from './asked.ts';

/** A pull request as it is at this moment, and what that means for its preview. */
export interface Now {
  /** Undefined where GitHub has confirmed that there is none. */
  pull: PullRequest | undefined;
  want: Want;
}

/** Asks GitHub about a pull request, as often as somebody wants to know. */
export class PullRequestNow {
  readonly #context: Pick<Context, 'github' | 'event' | 'reporter'>;
  readonly #asked: AskedPreview;
  readonly #hasCredentials: boolean;

  constructor(context: Pick<Context, 'github' | 'event' | 'reporter'>, asked: AskedPreview, hasCredentials = true) {
    this.#context = context;
    this.#asked = asked;
    this.#hasCredentials = hasCredentials;
  }

  /** @throws GitHubError where nobody can say what is wanted; InvalidInput without a token */
  async ask(): Promise<Now> {
    const github = await gitHubOf(this.#context);
    const { identity, rules, sha } = this.#asked;
    const pull = await github.pullRequest(identity.number);
    const hasBranch =
      pull?.state === 'closed' && rules.until === 'branch-deleted'
        ? await github.hasBranch(pull.head.branch)
        : undefined;
    const want = decide(pull, rules, {
      event: this.#context.event.name,
      hasCredentials: this.#hasCredentials,
      ...(sha === undefined ? {} : { sha }),
      ...(hasBranch === undefined ? {} : { hasBranch }),
    });
    return { pull, want };
  }

  /** The same while a deploy is under way, which goes on where GitHub does not answer: the sweep finds what is wanted no longer. */
  async askAgain(): Promise<Now | undefined> {
    try {
      return await this.ask();
    } catch (error) {
      this.#context.reporter.warning(
        `could not check again whether the preview is still wanted, so it goes on: ${messageOf(error)}`,
      );
      return undefined;
    }
  }
}
