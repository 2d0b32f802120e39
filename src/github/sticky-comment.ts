import { commentBody, compareSequences, readMarker, sameBody, type CommentText, type Marker } from './comment-text.ts';
import { GitHubError } from './github-error.ts';
import type { Comment, GitHub } from './github.ts';
import { asGitHubError } from './telling.ts';

export interface StickyComment {
  /** Of the pull request. */
  number: number;
  release: string;
  /** What is written later compares as greater, number by number; a lower one is not written over a greater one. */
  sequence: readonly number[];
  text: CommentText;
  /** The login of comments that the token makes; by default that of a job's own token. */
  author?: string;
  /** Where there is none yet, none is made: only one that says something else by now is to be set right. */
  onlyExisting?: boolean;
}

export type StickyOutcome =
  | { state: 'created' | 'edited' | 'unchanged'; comment: Comment }
  /** A later run has written meanwhile. */
  | { state: 'stale'; comment: Comment }
  /** There is none, and none was to be made. */
  | { state: 'absent' }
  /** GitHub would not: no right, a locked conversation, comments switched off, no answer. */
  | { state: 'failed'; error: GitHubError };

/** Of what `GITHUB_TOKEN` writes. */
export const authorOfJobs = 'github-actions[bot]';

/**
 * Writes the one comment of a release in a pull request: the oldest that is our own by author and marker is edited, others of our own
 * are deleted, and where there is none one is created. It is for whoever calls to hold the lock of the release; what races
 * all the same is set right by the next write. Never throws.
 */
export async function writeStickyComment(github: GitHub, sticky: StickyComment): Promise<StickyOutcome> {
  try {
    return await new Sticky(github, sticky).write();
  } catch (error) {
    return { state: 'failed', error: asGitHubError(error) };
  }
}

class Sticky {
  readonly #github: GitHub;
  readonly #sticky: StickyComment;
  readonly #body: string;

  constructor(github: GitHub, sticky: StickyComment) {
    this.#github = github;
    this.#sticky = sticky;
    const { release, number, sequence, text } = sticky;
    const marker: Marker = { v: 1, release, repository: github.repository.id, number, sequence };
    this.#body = commentBody(marker, text);
  }

  async write(): Promise<StickyOutcome> {
    const edited = await this.#settle(await this.#own());
    if (edited !== undefined) return edited;
    if (this.#sticky.onlyExisting === true) return { state: 'absent' };
    const created = await this.#create();
    // Somebody may have created one at the same time: both see both now, and agree on the oldest (buildinternet/uploads#470).
    const settled = await this.#settle(await this.#own());
    return settled?.state === 'stale' ? settled : { state: 'created', comment: settled?.comment ?? created };
  }

  /** Writes into the oldest of them and removes the others; undefined where there is none, or it went away meanwhile. */
  async #settle(
    own: readonly Comment[],
  ): Promise<{ state: 'edited' | 'unchanged' | 'stale'; comment: Comment } | undefined> {
    const [oldest, ...others] = own;
    if (oldest === undefined) return undefined;
    // An older run must not overwrite what a newer one has said (vuphongle/oss-pr-reviewer#21).
    const newer = own.find((comment) => compareSequences(sequenceOf(comment), this.#sticky.sequence) > 0);
    if (newer !== undefined) return { state: 'stale', comment: newer };
    const unchanged = sameBody(oldest.body, this.#body);
    const comment = unchanged ? oldest : await this.#edit(oldest);
    if (comment === undefined) return await this.#settle(others);
    for (const other of others) await this.#github.deleteComment(other.id);
    return { state: unchanged ? 'unchanged' : 'edited', comment };
  }

  /** Also one that was minimised or that a person has edited. Undefined where somebody has deleted it. */
  async #edit({ id }: Comment): Promise<Comment | undefined> {
    try {
      return await this.#github.updateComment(id, this.#body);
    } catch (error) {
      if (error instanceof GitHubError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** Where the answer gets lost, it is looked whether the comment is there before another is made. */
  async #create(): Promise<Comment> {
    const { number } = this.#sticky;
    try {
      return await this.#github.createComment(number, this.#body);
    } catch (error) {
      if (!(error instanceof GitHubError) || error.problem !== 'unreachable') throw error;
      const found = (await this.#own()).find(({ body }) => sameBody(body, this.#body));
      return found ?? (await this.#github.createComment(number, this.#body));
    }
  }

  /** Oldest first. A person who quotes the comment quotes its marker as well, and is another author. */
  async #own(): Promise<Comment[]> {
    const { number, release, author = authorOfJobs } = this.#sticky;
    const found = await this.#github.comments(number);
    return found.filter((comment) => {
      const marker = readMarker(comment.body);
      return (
        comment.author?.toLowerCase() === author.toLowerCase() &&
        marker?.release === release &&
        marker.repository === this.#github.repository.id &&
        marker.number === number
      );
    });
  }
}

function sequenceOf({ body }: Comment): readonly number[] {
  return readMarker(body)?.sequence ?? [];
}
