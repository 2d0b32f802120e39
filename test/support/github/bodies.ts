/** What GitHub tells of what it holds: all that its description requires, with our values in it. */
import { isObject, type JsonObject } from '../../../src/base/json.ts';
import type { Description } from './description.ts';
import type { FakeComment, FakeDeployment, FakePullRequest, FakeStatus, State } from './state.ts';

export class Bodies {
  readonly #description: Description;
  readonly #state: State;
  readonly #serverUrl: string;

  constructor(description: Description, state: State, serverUrl: string) {
    this.#description = description;
    this.#state = state;
    this.#serverUrl = serverUrl;
  }

  get #pageUrl(): string {
    const { owner, name } = this.#state.repository;
    return `${this.#serverUrl}/${owner}/${name}`;
  }

  repository(): JsonObject {
    const { id, owner, name, private: isPrivate } = this.#state.repository;
    return over(this.#description.sample('repos/get', 200), {
      id,
      name,
      full_name: `${owner}/${name}`,
      private: isPrivate,
      html_url: this.#pageUrl,
      default_branch: 'main',
      owner: { login: owner },
    });
  }

  /** Whole, or as a list shows it: without `merged`. */
  pullRequest(pull: FakePullRequest, form: 'whole' | 'listed'): JsonObject {
    const sample = this.#description.sample(form === 'whole' ? 'pulls/get' : 'pulls/list', 200);
    const { id, owner, name } = this.#state.repository;
    const head = pull.head.repositoryId;
    const fork = head === id ? owner : pull.author;
    return over(sample, {
      number: pull.number,
      html_url: `${this.#pageUrl}/pull/${pull.number}`,
      state: pull.state,
      ...(form === 'whole' ? { merged: pull.merged } : {}),
      merged_at: pull.merged ? this.#state.time() : null,
      draft: pull.draft,
      locked: pull.locked,
      title: pull.title,
      user: this.#user(pull.author),
      labels: pull.labels.map((label, index) => ({
        id: index + 1,
        node_id: '',
        url: '',
        name: label,
        description: '',
        color: 'ededed',
        default: false,
      })),
      head: {
        sha: pull.head.sha,
        ref: pull.head.branch,
        label: `${fork}:${pull.head.branch}`,
        // Its fork was deleted.
        ...(head === null ? { repo: null } : { repo: { id: head, name, full_name: `${fork}/${name}` } }),
      },
      base: { ref: pull.base.branch, repo: { id, name, full_name: `${owner}/${name}`, owner: { login: owner } } },
    });
  }

  comment(comment: FakeComment): JsonObject {
    return over(this.#description.sample('issues/get-comment', 200), {
      id: comment.id,
      body: comment.body,
      html_url: `${this.#pageUrl}/pull/${comment.number}#issuecomment-${comment.id}`,
      created_at: comment.createdAt,
      updated_at: comment.updatedAt,
      user: comment.author === null ? null : this.#user(comment.author),
    });
  }

  deployment(deployment: FakeDeployment): JsonObject {
    return over(this.#description.sample('repos/get-deployment', 200), {
      id: deployment.id,
      ref: deployment.ref,
      sha: deployment.sha,
      task: deployment.task,
      environment: deployment.environment,
      description: deployment.description,
      payload: (deployment.payload ?? '') as JsonObject,
      transient_environment: deployment.transient,
      production_environment: deployment.production,
      created_at: deployment.createdAt,
      updated_at: deployment.statuses[0]?.createdAt ?? deployment.createdAt,
      creator: this.#user(deployment.creator),
    });
  }

  status(status: FakeStatus, deployment: FakeDeployment): JsonObject {
    return over(this.#description.sample('repos/get-deployment-status', 200), {
      id: status.id,
      state: status.state,
      description: status.description,
      environment: deployment.environment,
      environment_url: status.environmentUrl,
      log_url: status.logUrl,
      target_url: status.logUrl,
      created_at: status.createdAt,
      creator: this.#user(deployment.creator),
    });
  }

  branch(name: string, sha: string): JsonObject {
    return over(this.#description.sample('repos/get-branch', 200), { name, commit: { sha } });
  }

  reference(ref: string, sha: string): JsonObject {
    return over(this.#description.sample('git/get-ref', 200), {
      ref: `refs/${ref}`,
      object: { type: 'commit', sha },
    });
  }

  commit(sha: string): JsonObject {
    return over(this.#description.sample('repos/get-commit', 200), { sha });
  }

  #user(login: string): JsonObject {
    const sample = this.#description.sample('pulls/get', 200)['user'];
    return over(isObject(sample) ? sample : {}, { login, type: login.endsWith('[bot]') ? 'Bot' : 'User' });
  }
}

/** Values over a sample; maps are merged, everything else takes the place of what was there. */
function over(sample: JsonObject, values: JsonObject): JsonObject {
  const merged = Object.entries(values).map(([key, value]) => {
    const below = sample[key];
    return [key, isObject(value) && isObject(below) && key !== 'payload' ? over(below, value) : value];
  });
  return { ...sample, ...Object.fromEntries(merged) } as JsonObject;
}
