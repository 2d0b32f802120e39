import { Failure } from '../base/errors.ts';

/** Why GitHub has not done what it was asked for. */
export type GitHubProblem =
  /** The token may not: `permission` names what the workflow has to grant. */
  | 'missing-right'
  /** It takes no requests for now, and for longer than we wait. */
  | 'limited'
  /** No answer, or one that is none of GitHub's. */
  | 'unreachable'
  /** It has refused the request: gone, locked, not valid. */
  | 'refused';

/** Something that GitHub's API would not do. A deploy goes on without it. */
export class GitHubError extends Failure {
  readonly problem: GitHubProblem;
  /** As a workflow writes it under `permissions:`, such as `pull-requests: write`. */
  readonly permission: string | undefined;
  readonly status: number | undefined;

  constructor(
    message: string,
    options: { problem: GitHubProblem; hint?: string; permission?: string; status?: number; cause?: unknown },
  ) {
    const { problem, permission, status, ...rest } = options;
    super(message, rest);
    this.problem = problem;
    this.permission = permission;
    this.status = status;
  }
}
