import { randomUUID } from 'node:crypto';

import type { Json } from '../base/json.ts';
import { Misshapen, type Reader } from '../base/shape.ts';
import * as answers from './answers.ts';
import { Asking, type AskingOptions } from './asking.ts';
import { notGitHubs, refusalOf } from './explain.ts';
import { GitHubError } from './github-error.ts';
import type {
  Comment,
  Deployment,
  DeploymentStatus,
  GitHub,
  NewDeployment,
  NewDeploymentStatus,
  Repository,
} from './github.ts';
import type { PullRequest } from './pull-request.ts';
import type { Answer, Question } from './questions.ts';

export interface GitHubOptions extends AskingOptions {
  /** `https://github.com` */
  serverUrl: string;
  /** Of the workflow; without its id, GitHub is asked for it. */
  repository: { owner: string; name: string; id?: number | undefined };
}

/** GitHub as the action uses it, with connections that stay open. */
export interface GitHubClient extends GitHub {
  close(): Promise<void>;
}

/** As many as a page can have. */
const pageSize = 100;
/** What is to be whole has at most that many pages, or is an error. */
const mostPages = 100;
/** Records of an environment grow for ever, and only the newest are of use. */
const pagesOfRecords = 5;
/** Of a description of a deployment or a status; longer ones are refused with 422. */
const descriptionLength = 140;

/** @throws GitHubError when the id of the repository is not known and GitHub does not tell it */
export async function createGitHub(options: GitHubOptions): Promise<GitHubClient> {
  const { serverUrl, repository } = options;
  const asking = new Asking(options);
  const { owner, name, id } = repository;
  const url = `${serverUrl.replace(/\/$/, '')}/${owner}/${name}`;
  if (id !== undefined) return new Client(asking, { id, owner, name, url });
  return new Client(asking, { id: (await readRepository(asking, { owner, name })).id, owner, name, url });
}

class Client implements GitHubClient {
  readonly repository: Repository;
  readonly #asking: Asking;

  constructor(asking: Asking, repository: Repository) {
    this.#asking = asking;
    this.repository = repository;
  }

  async pullRequest(number: number): Promise<PullRequest | undefined> {
    const purpose = `read pull request ${number}`;
    const question = this.#get('pulls/{pull_number}', { pull_number: number }, purpose, 'pull-requests: read');
    const answer = await this.#asking.ask({ ...question, allowed: [404] });
    if (answer.status !== 404) return this.#ownPull(question, answer, number);
    await this.#confirmRepository();
    // A token without the right gets the same 404, also where it may see the repository: then this is refused as well.
    await this.#ask(this.#get('pulls', { state: 'all', per_page: 1 }, purpose, 'pull-requests: read'), anyList);
    return undefined;
  }

  async openPullRequests(): Promise<PullRequest[]> {
    // Oldest first: one that is opened meanwhile moves none to another page.
    const parameters = { state: 'open', sort: 'created', direction: 'asc' };
    const question = this.#get('pulls', parameters, 'list the open pull requests', 'pull-requests: read');
    return await this.#pages(question, answers.pullRequest);
  }

  async hasBranch(branch: string): Promise<boolean> {
    const of = (name: string) =>
      this.#get('git/ref/{ref}', { ref: `heads/${name}` }, `look for the branch "${name}"`, 'contents: read');
    const answer = await this.#asking.ask({ ...of(branch), allowed: [404] });
    if (answer.status !== 404) return read(of(branch), answer, answers.reference).ref === `refs/heads/${branch}`;
    const { defaultBranch } = await this.#confirmRepository();
    // A token that may not see branches gets the same 404, for this one as well.
    await this.#ask(of(defaultBranch), answers.reference);
    return false;
  }

  async comments(number: number): Promise<Comment[]> {
    const purpose = `list the comments of pull request ${number}`;
    const parameters = { issue_number: number };
    const question = this.#get('issues/{issue_number}/comments', parameters, purpose, 'pull-requests: read');
    const found = await this.#pages(question, answers.comment);
    return found.toSorted((left, right) => left.id - right.id);
  }

  async createComment(number: number, body: string): Promise<Comment> {
    const question: Question = {
      ...this.#to('POST', 'issues/{issue_number}/comments', { issue_number: number, body }),
      purpose: `comment on pull request ${number}`,
      permission: 'pull-requests: write',
      // Twice would be two comments: who asks looks for it first.
      repeatable: false,
    };
    return await this.#ask(question, answers.comment);
  }

  async updateComment(id: number, body: string): Promise<Comment> {
    const question: Question = {
      ...this.#to('PATCH', 'issues/comments/{comment_id}', { comment_id: id, body }),
      purpose: `edit comment ${id}`,
      permission: 'pull-requests: write',
      repeatable: true,
    };
    const answer = await this.#asking.ask({ ...question, allowed: [404] });
    if (answer.status !== 404) return read(question, answer, answers.comment);
    // It was read before, so that it is no longer there rather than out of sight.
    const { message, hint = '' } = refusalOf(question, answer);
    throw new GitHubError(message, { problem: 'refused', status: 404, hint });
  }

  async deleteComment(id: number): Promise<void> {
    await this.#asking.ask({
      ...this.#to('DELETE', 'issues/comments/{comment_id}', { comment_id: id }),
      purpose: `delete comment ${id}`,
      permission: 'pull-requests: write',
      repeatable: true,
      allowed: [404],
    });
  }

  async deployments(of: { environment: string; task?: string; sha?: string }): Promise<Deployment[]> {
    return await this.#pages(this.#listing(of), answers.deployment, pagesOfRecords);
  }

  async deploymentStatuses(id: number): Promise<DeploymentStatus[]> {
    const purpose = `read the status of deployment ${id}`;
    const parameters = { deployment_id: id };
    const question = this.#get('deployments/{deployment_id}/statuses', parameters, purpose, 'deployments: read');
    return await this.#pages(question, answers.deploymentStatus, pagesOfRecords);
  }

  async createDeployment(deployment: NewDeployment): Promise<Deployment> {
    const { ref, task, environment } = deployment;
    // By this name the record is found again whose answer got lost.
    const request = randomUUID();
    const question: Question = {
      ...this.#to('POST', 'deployments', {
        ref,
        task,
        environment,
        description: upTo(descriptionLength, deployment.description),
        payload: { ...deployment.payload, request },
        transient_environment: deployment.transient,
        ...(deployment.transient ? { production_environment: false } : {}),
        auto_merge: false,
        required_contexts: [],
      }),
      purpose: `record the deployment to "${environment}"`,
      permission: 'deployments: write',
      repeatable: false,
    };
    try {
      return await this.#ask(question, answers.deployment);
    } catch (error) {
      if (!(error instanceof GitHubError) || error.problem !== 'unreachable') throw error;
      return (await this.#foundByName(deployment, request)) ?? (await this.#ask(question, answers.deployment));
    }
  }

  async createDeploymentStatus(id: number, status: NewDeploymentStatus): Promise<void> {
    await this.#asking.ask({
      ...this.#to('POST', 'deployments/{deployment_id}/statuses', {
        deployment_id: id,
        state: status.state,
        description: upTo(descriptionLength, status.description),
        ...(status.environmentUrl === undefined ? {} : { environment_url: status.environmentUrl }),
        ...(status.logUrl === undefined ? {} : { log_url: status.logUrl }),
        // It would end the records of other releases in the same environment, too.
        auto_inactive: false,
      }),
      purpose: `record that deployment ${id} is ${status.state.replaceAll('_', ' ')}`,
      permission: 'deployments: write',
      // The same state twice says the same.
      repeatable: true,
    });
  }

  close(): Promise<void> {
    this.#asking.close();
    return Promise.resolve();
  }

  /** The record that a request has made before its answer got lost. */
  async #foundByName({ ref, environment, task }: NewDeployment, request: string): Promise<Deployment | undefined> {
    const sha = /^[0-9a-f]{40}$/.test(ref) ? { sha: ref } : {};
    const listed = await this.#pages(this.#listing({ environment, task, ...sha }), answers.deployment, 1);
    return listed.find(({ payload }) => payload?.['request'] === request);
  }

  #listing(of: { environment: string; task?: string; sha?: string }): Question {
    const purpose = `list the deployments to "${of.environment}"`;
    return this.#get('deployments', of, purpose, 'deployments: read');
  }

  #ownPull(question: Question, answer: Answer, number: number): PullRequest {
    const found = read(question, answer, answers.pullRequest);
    if (found.number !== number || found.base.repositoryId !== this.repository.id)
      throw notGitHubs(
        question,
        answer,
        `it belongs to pull request ${found.number} of repository ${found.base.repositoryId}`,
      );
    return found;
  }

  /** That the repository can be seen, and is the one that is meant: only then is what cannot be found not there. */
  async #confirmRepository(): Promise<{ defaultBranch: string }> {
    const found = await readRepository(this.#asking, this.repository);
    if (found.id === this.repository.id) return found;
    const { owner, name, id } = this.repository;
    throw new GitHubError(`repository ${owner}/${name} is a different one now (id ${found.id}, and not ${id})`, {
      problem: 'refused',
      hint: 'Check whether it was renamed, moved or recreated during the run.',
    });
  }

  async #ask<T>(question: Question, reader: Reader<T>): Promise<T> {
    return read(question, await this.#asking.ask(question), reader);
  }

  /** Every page, or an error. @param most how many pages are read where the newest are enough; more are an error otherwise */
  async #pages<T>(question: Question, reader: Reader<T>, most?: number): Promise<T[]> {
    const found: T[] = [];
    let promised = false;
    for (let page = 1; page <= (most ?? mostPages); page += 1) {
      const asked = { ...question, parameters: { ...question.parameters, per_page: pageSize, page } };
      const answer = await this.#asking.ask(asked);
      const entries = read(question, answer, listOf(reader));
      if (promised && entries.length === 0) throw notGitHubs(question, answer, `page ${page} is empty`);
      found.push(...entries);
      promised = /\brel="?next\b/.test(answer.headers['link'] ?? '');
      if (!promised && entries.length < pageSize) return found;
    }
    if (most !== undefined) return found;
    const message = `cannot ${question.purpose}: there are more than ${mostPages * pageSize}`;
    throw new GitHubError(message, { problem: 'refused' });
  }

  #get(path: string, parameters: Question['parameters'], purpose: string, permission: string): Question {
    return { ...this.#to('GET', path, parameters), purpose, permission, repeatable: true };
  }

  #to(method: string, path: string, parameters: Question['parameters']): Pick<Question, 'route' | 'parameters'> {
    const { owner, name } = this.repository;
    return { route: `${method} /repos/{owner}/{repo}/${path}`, parameters: { owner, repo: name, ...parameters } };
  }
}

async function readRepository(asking: Asking, { owner, name }: { owner: string; name: string }) {
  const question: Question = {
    route: 'GET /repos/{owner}/{repo}',
    parameters: { owner, repo: name },
    purpose: `read the repository ${owner}/${name}`,
    permission: 'contents: read',
    repeatable: true,
  };
  return read(question, await asking.ask(question), answers.repository);
}

/** @throws GitHubError when it is not what it should be */
function read<T>(question: Question, answer: Answer, reader: Reader<T>): T {
  // Only a record that was not asked for is accepted without being made (202: "auto-merged").
  if (answer.status === 202) throw notGitHubs(question, answer, 'it was accepted, but not carried out');
  try {
    return reader(answer.data, '');
  } catch (error) {
    if (error instanceof Misshapen) throw notGitHubs(question, answer, error.message);
    throw error;
  }
}

function listOf<T>(each: Reader<T>): Reader<T[]> {
  return (value, path) => anyList(value, path).map((entry, index) => each(entry, `${path}[${index}]`));
}

const anyList: Reader<Json[]> = (value, path) => {
  if (!Array.isArray(value)) throw new Misshapen(path, 'is not a list');
  if (value.length > pageSize) throw new Misshapen(path, `has more than ${pageSize} entries`);
  return value;
};

/** Never half of a surrogate pair. */
function upTo(most: number, text: string): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
