/** A pull request as GitHub shows it now; what an event says of it may be older. */
export interface PullRequest {
  number: number;
  state: 'open' | 'closed';
  merged: boolean;
  draft: boolean;
  /** As the author wrote it: never into a shell, and into Markdown only escaped. */
  title: string;
  labels: readonly string[];
  /** The login of who opened it; absent where the account was deleted. */
  author?: string;
  /** The branch that it comes from. */
  head: {
    /** The full hash of its newest commit. */
    sha: string;
    /** The branch, without `refs/heads/`. */
    branch: string;
    /** The repository that the branch is in; absent where the fork was deleted. */
    repositoryId?: number;
  };
  /** The branch that it is to go into. */
  base: { branch: string; repositoryId: number };
  /** Where people look at it: `https://github.com/acme/shop/pull/7`. */
  url: string;
}

/** Whether its commits come from another repository, whose authors need not have any rights in this one. */
export function isFromFork({ head, base }: Pick<PullRequest, 'head' | 'base'>): boolean {
  return head.repositoryId !== base.repositoryId;
}
