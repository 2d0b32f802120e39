import { GitHubError } from '../../../src/github/github-error.ts';
import type {
  Deployment,
  DeploymentState,
  GitHub,
  NewDeployment,
  NewDeploymentStatus,
} from '../../../src/github/github.ts';

type Call = 'list' | 'statuses' | 'create' | 'say';

interface Kept extends Deployment {
  statuses: NewDeploymentStatus[];
}

/** The records of a repository in memory; of all else that GitHub has it knows nothing. */
export class RecordsInMemory implements GitHub {
  readonly repository = { id: 7, owner: 'acme', name: 'shop', url: 'https://github.test/acme/shop' };
  /** Oldest first. */
  readonly records: Kept[] = [];
  /** What was asked of it: `list production`, `create deploy`, `say 1 success`. */
  readonly calls: string[] = [];
  /** Called before each: what it throws is GitHub's answer, what it promises is waited for. */
  fault: (call: Call) => void | Promise<void> = () => undefined;

  async deployments({ environment, task, sha }: Parameters<GitHub['deployments']>[0]): Promise<Deployment[]> {
    await this.#asked('list', [environment, task, sha?.slice(0, 3)]);
    return this.records
      .filter((record) => record.environment === environment)
      .filter((record) => (task === undefined || record.task === task) && (sha === undefined || record.sha === sha))
      .toReversed();
  }

  async deploymentStatuses(id: number) {
    await this.#asked('statuses', [id]);
    return this.#record(id)
      .statuses.map((status) => ({ ...status, createdAt: '2026-01-01T00:00:00Z' }))
      .toReversed();
  }

  async createDeployment(deployment: NewDeployment): Promise<Deployment> {
    await this.#asked('create', [deployment.task]);
    return this.add(deployment);
  }

  async createDeploymentStatus(id: number, status: NewDeploymentStatus): Promise<void> {
    await this.#asked('say', [id, status.state]);
    this.#record(id).statuses.push(status);
  }

  /** One that was there before. */
  add(record: Partial<NewDeployment>, states: readonly DeploymentState[] = [], logUrl?: string): Kept {
    const ref = record.ref ?? 'a'.repeat(40);
    const link = logUrl === undefined ? {} : { logUrl };
    const kept = {
      id: this.records.length + 1,
      ref,
      sha: ref,
      task: record.task ?? 'deploy',
      environment: record.environment ?? 'production',
      payload: record.payload ?? {},
      createdAt: '2026-01-01T00:00:00Z',
      statuses: states.map((state): NewDeploymentStatus => ({ state, description: '', ...link })),
    };
    this.records.push(kept);
    return kept;
  }

  /** The last state of each, oldest first. */
  states(): (DeploymentState | undefined)[] {
    return this.records.map(({ statuses }) => statuses.at(-1)?.state);
  }

  async #asked(call: Call, what: readonly (string | number | undefined)[]): Promise<void> {
    this.calls.push([call, ...what.filter((part) => part !== undefined)].join(' '));
    await this.fault(call);
  }

  #record(id: number): Kept {
    const found = this.records.find((record) => record.id === id);
    if (found === undefined) throw new GitHubError(`no record ${id}`, { problem: 'refused', status: 404 });
    return found;
  }

  readonly pullRequest = unknown;
  readonly openPullRequests = unknown;
  readonly hasBranch = unknown;
  readonly comments = unknown;
  readonly createComment = unknown;
  readonly updateComment = unknown;
  readonly deleteComment = unknown;
}

function unknown(): Promise<never> {
  return Promise.reject(new Error('nobody asks this for a record'));
}
