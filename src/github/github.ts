import type { PullRequest } from './pull-request.ts';

/**
 * What of GitHub's API the action uses, for the repository of the workflow. Every call may throw a `GitHubError`; whoever calls
 * decides what becomes of that, for a deploy never fails by it.
 */
export interface GitHub {
  readonly repository: Repository;
  /**
   * As it is now. Undefined only where GitHub has confirmed that there is none: a token that may not see pull requests gets
   * the same answer, so that the repository itself is asked for as well.
   */
  pullRequest(number: number): Promise<PullRequest | undefined>;
  /** All that are open: every page, or an error. */
  openPullRequests(): Promise<PullRequest[]>;
  /** Whether a branch of the repository is there. */
  hasBranch(branch: string): Promise<boolean>;
  /** All comments of a pull request, oldest first: every page, or an error. */
  comments(number: number): Promise<Comment[]>;
  /** Never sent twice: where the answer gets lost, look for it before the next attempt. */
  createComment(number: number, body: string): Promise<Comment>;
  updateComment(id: number, body: string): Promise<Comment>;
  /** One that is gone already is no error. */
  deleteComment(id: number): Promise<void>;
  /** Records of an environment, newest first; of a `task` alone where one is given. Of more than 500 the newest 500. */
  deployments(of: { environment: string; task?: string; sha?: string }): Promise<Deployment[]>;
  /** Newest first. */
  deploymentStatuses(id: number): Promise<DeploymentStatus[]>;
  /**
   * Never merges, and waits for no check: `auto_merge: false`, `required_contexts: []`. Made once even where the answer gets lost: a key
   * `request` in the payload finds it again.
   */
  createDeployment(deployment: NewDeployment): Promise<Deployment>;
  /** Of this record alone: `auto_inactive: false`, which would end those of other releases in the environment. */
  createDeploymentStatus(id: number, status: NewDeploymentStatus): Promise<void>;
}

export interface Repository {
  /** The numeric id, which a renamed repository keeps. */
  id: number;
  owner: string;
  name: string;
  /** `https://github.com/acme/shop` */
  url: string;
}

export interface Comment {
  id: number;
  body: string;
  /** The login of its author; absent where the account was deleted. */
  author?: string;
  /** ISO 8601. */
  createdAt: string;
  updatedAt: string;
  url: string;
}

export interface NewDeployment {
  /** The full hash of the commit that runs. */
  ref: string;
  /** `deploy`, `rollback`, `preview:pr-7:shop` */
  task: string;
  environment: string;
  /** At most 140 characters. */
  description: string;
  /** It goes away again: shown as destroyed once it is inactive. */
  transient: boolean;
  payload: Readonly<Record<string, string>>;
}

export interface Deployment {
  id: number;
  ref: string;
  sha: string;
  task: string;
  environment: string;
  /** As whoever made it has written it; empty where that is nothing, or no object of texts. */
  payload?: Readonly<Record<string, string>>;
  /** ISO 8601. */
  createdAt: string;
}

export type DeploymentState = 'error' | 'failure' | 'inactive' | 'in_progress' | 'queued' | 'pending' | 'success';

export interface NewDeploymentStatus {
  state: DeploymentState;
  /** Cut to 140 characters. */
  description: string;
  /** Where what was deployed answers. */
  environmentUrl?: string;
  /** The page of the run. */
  logUrl?: string;
}

export interface DeploymentStatus {
  state: DeploymentState;
  logUrl?: string;
  /** ISO 8601. */
  createdAt: string;
}
