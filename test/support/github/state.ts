/** What the loopback GitHub holds: tests read it, and change it as people would. */

export interface FakePullRequest {
  number: number;
  state: 'open' | 'closed';
  merged: boolean;
  draft: boolean;
  /** Its conversation takes no comments. */
  locked: boolean;
  title: string;
  labels: string[];
  author: string;
  head: {
    sha: string;
    branch: string;
    /** Null where the fork was deleted. */
    repositoryId: number | null;
  };
  base: { branch: string };
}

export interface FakeComment {
  id: number;
  /** Of the pull request. */
  number: number;
  body: string;
  /** Null where the account was deleted. */
  author: string | null;
  createdAt: string;
  updatedAt: string;
}

export interface FakeStatus {
  id: number;
  state: string;
  description: string;
  environmentUrl: string;
  logUrl: string;
  createdAt: string;
}

export interface FakeDeployment {
  id: number;
  ref: string;
  sha: string;
  task: string;
  environment: string;
  description: string;
  payload: unknown;
  transient: boolean;
  production: boolean;
  creator: string;
  createdAt: string;
  /** Newest first. */
  statuses: FakeStatus[];
}

export interface FakeRepository {
  id: number;
  owner: string;
  name: string;
  /** Reading needs rights as well. */
  private: boolean;
  /** Comments are switched off with the issues: 410. */
  withoutIssues: boolean;
}

/** By name with their newest commits. */
type Branches = Map<string, string>;

export class State {
  readonly repository: FakeRepository;
  readonly pullRequests = new Map<number, FakePullRequest>();
  /** Oldest first. */
  comments: FakeComment[] = [];
  /** Oldest first. */
  deployments: FakeDeployment[] = [];
  readonly branches: Branches = new Map([['main', hashOf(0)]]);
  /** They come with their first deployment, and no token of a workflow can delete them. */
  readonly environments = new Set<string>();
  /** Commits that nobody knows any more. */
  readonly lostCommits = new Set<string>();
  readonly #now: () => number;
  #lastId = 1000;

  constructor(repository: FakeRepository, now: () => number) {
    this.repository = repository;
    this.#now = now;
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** As GitHub writes times: whole seconds. */
  time(): string {
    return `${new Date(this.#now()).toISOString().slice(0, 19)}Z`;
  }

  /** Opens a pull request, of a branch of the repository unless said otherwise. */
  open(number: number, changes: Partial<FakePullRequest> = {}): FakePullRequest {
    const opened: FakePullRequest = {
      number,
      state: 'open',
      merged: false,
      draft: false,
      locked: false,
      title: `Change ${number}`,
      labels: [],
      author: 'octocat',
      head: { sha: hashOf(number), branch: `change-${number}`, repositoryId: this.repository.id },
      base: { branch: 'main' },
      ...changes,
    };
    this.pullRequests.set(number, opened);
    if (opened.head.repositoryId === this.repository.id) this.branches.set(opened.head.branch, opened.head.sha);
    return opened;
  }

  close(number: number, how: 'merged' | 'unmerged' = 'unmerged'): void {
    const found = this.pullRequests.get(number);
    if (found === undefined) throw new Error(`there is no pull request ${number}`);
    found.state = 'closed';
    found.merged = how === 'merged';
  }

  /** Writes a comment as somebody. */
  say(number: number, body: string, author: string | null): FakeComment {
    const at = this.time();
    const comment = { id: this.nextId(), number, body, author, createdAt: at, updatedAt: at };
    this.comments.push(comment);
    return comment;
  }

  deploy(given: Omit<FakeDeployment, 'id' | 'createdAt' | 'statuses'>): FakeDeployment {
    const deployment = { ...given, id: this.nextId(), createdAt: this.time(), statuses: [] };
    this.environments.add(given.environment);
    this.deployments.push(deployment);
    return deployment;
  }

  /**
   * A status, and what it does to others: with `auto_inactive`, earlier records of the environment that are `success` and neither
   * transient nor of production become inactive (description of `repos/create-deployment-status`).
   */
  mark(deployment: FakeDeployment, given: Omit<FakeStatus, 'id' | 'createdAt'>, autoInactive: boolean): FakeStatus {
    const status = { ...given, id: this.nextId(), createdAt: this.time() };
    deployment.statuses.unshift(status);
    if (given.state === 'success' && autoInactive) {
      for (const other of this.deployments) {
        if (other.id >= deployment.id || other.transient || other.production) continue;
        if (!sameName(other.environment, deployment.environment) || stateOf(other) !== 'success') continue;
        const inactive = { state: 'inactive', description: '', environmentUrl: '', logUrl: '' };
        other.statuses.unshift({ ...inactive, id: this.nextId(), createdAt: this.time() });
      }
    }
    return status;
  }
}

/** The newest state of a record; without any it is pending. */
export function stateOf({ statuses }: FakeDeployment): string {
  return statuses[0]?.state ?? 'pending';
}

/** Names of environments know no capitals. */
export function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

/** A full hash of a commit, another one for each number. */
export function hashOf(number: number): string {
  return number.toString(16).padStart(8, '0').repeat(5);
}
