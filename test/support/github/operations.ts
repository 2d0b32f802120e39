/** What each operation does to what the loopback GitHub holds, and answers. */
import { at, booleanAt, stringAt, type Json, type JsonObject } from '../../../src/base/json.ts';
import type { Bodies } from './bodies.ts';
import type { FakeToken } from './rights.ts';
import { sameName, stateOf, type FakeComment, type FakeDeployment, type FakePullRequest, type State } from './state.ts';

export interface Asked {
  /** What stands in the path. */
  parameters: Readonly<Record<string, string>>;
  query: Readonly<Record<string, string>>;
  body: JsonObject;
  token: FakeToken;
}

export type Answer = { status: number; body?: Json } | { list: readonly JsonObject[] };

export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Carry = (asked: Asked) => Answer;

export function operationsOf(state: State, bodies: Bodies): Readonly<Record<string, Carry>> {
  return {
    ...reading(state, bodies),
    ...commenting(state, bodies),
    ...deploying(state, bodies),
    ...marking(state, bodies),
  };
}

function reading(state: State, bodies: Bodies): Record<string, Carry> {
  const newestOf = (branch: string) => state.branches.get(branch) ?? missing(`Branch not found`);
  return {
    'repos/get': () => ({ status: 200, body: bodies.repository() }),
    'pulls/get': (asked) => ({ status: 200, body: bodies.pullRequest(pullOf(state, asked), 'whole') }),
    'pulls/list': ({ query }) => {
      const wanted = query['state'] ?? 'open';
      const found = [...state.pullRequests.values()]
        .filter((pull) => wanted === 'all' || pull.state === wanted)
        .filter((pull) => query['head'] === undefined || query['head'].endsWith(`:${pull.head.branch}`))
        .toSorted((left, right) => left.number - right.number);
      // By `created`, newest first, unless said otherwise.
      if (query['direction'] !== 'asc') found.reverse();
      return { list: found.map((pull) => bodies.pullRequest(pull, 'listed')) };
    },
    'repos/list-pull-requests-associated-with-commit': ({ parameters }) => {
      const found = [...state.pullRequests.values()].filter((pull) => pull.head.sha === parameters['commit_sha']);
      return { list: found.map((pull) => bodies.pullRequest(pull, 'listed')) };
    },
    'repos/get-branch': ({ parameters }) => {
      const name = parameters['branch'] ?? '';
      return { status: 200, body: bodies.branch(name, newestOf(name)) };
    },
    'git/get-ref': ({ parameters }) => {
      const ref = parameters['ref'] ?? '';
      const sha = state.branches.get(ref.replace(/^heads\//, '')) ?? missing('Not Found');
      return { status: 200, body: bodies.reference(ref, sha) };
    },
    'repos/get-commit': ({ parameters }) => {
      const sha =
        shaOf(state, parameters['ref'] ?? '') ?? refuse(422, `No commit found for SHA: ${parameters['ref'] ?? ''}`);
      return { status: 200, body: bodies.commit(sha) };
    },
  };
}

function commenting(state: State, bodies: Bodies): Record<string, Carry> {
  const open = () => (state.repository.withoutIssues ? refuse(410, 'Issues are disabled for this repo') : undefined);
  return {
    'issues/list-comments': (asked) => {
      open();
      const { number } = pullOf(state, asked, 'issue_number');
      const found = state.comments.filter((comment) => comment.number === number);
      return { list: found.map((comment) => bodies.comment(comment)) };
    },
    'issues/get-comment': (asked) => ({ status: 200, body: bodies.comment(commentOf(state, asked)) }),
    'issues/create-comment': (asked) => {
      open();
      const pull = pullOf(state, asked, 'issue_number');
      if (pull.locked) refuse(403, 'Unable to create comment because issue is locked.');
      const body = stringAt(asked.body, 'body') ?? '';
      if (body.trim() === '') refuse(422, 'Validation Failed');
      return { status: 201, body: bodies.comment(state.say(pull.number, body, asked.token.login)) };
    },
    'issues/update-comment': (asked) => {
      const comment = commentOf(state, asked);
      comment.body = stringAt(asked.body, 'body') ?? '';
      comment.updatedAt = state.time();
      return { status: 200, body: bodies.comment(comment) };
    },
    'issues/delete-comment': (asked) => {
      const comment = commentOf(state, asked);
      state.comments = state.comments.filter((other) => other !== comment);
      return { status: 204 };
    },
  };
}

function deploying(state: State, bodies: Bodies): Record<string, Carry> {
  return {
    'repos/list-deployments': ({ query }) => {
      const matches = (key: string, value: string) => query[key] === undefined || query[key] === value;
      const found = state.deployments
        .filter(({ sha, ref, task }) => matches('sha', sha) && matches('ref', ref) && matches('task', task))
        .filter(({ environment }) => query['environment'] === undefined || sameName(query['environment'], environment));
      return { list: found.toReversed().map((deployment) => bodies.deployment(deployment)) };
    },
    'repos/get-deployment': (asked) => ({ status: 200, body: bodies.deployment(deploymentOf(state, asked)) }),
    'repos/create-deployment': ({ body, token }) => {
      const ref = stringAt(body, 'ref') ?? '';
      const sha = shaOf(state, ref) ?? refuse(422, `No ref found for: ${ref}`);
      // Whoever does not forbid it gets the default branch merged in place of a deployment.
      if (booleanAt(body, 'auto_merge') !== false)
        return { status: 202, body: { message: `Auto-merged main into ${ref} on deployment.` } };
      const contexts = at(body, 'required_contexts');
      if (!Array.isArray(contexts) || contexts.length > 0)
        refuse(409, `Conflict: Commit status checks failed for ${ref}.`);
      const environment = stringAt(body, 'environment') ?? 'production';
      const made = state.deploy({
        ref,
        sha,
        task: stringAt(body, 'task') ?? 'deploy',
        environment,
        description: stringAt(body, 'description') ?? '',
        payload: at(body, 'payload'),
        transient: booleanAt(body, 'transient_environment') ?? false,
        production: booleanAt(body, 'production_environment') ?? environment === 'production',
        creator: token.login,
      });
      return { status: 201, body: bodies.deployment(made) };
    },
    'repos/delete-deployment': (asked) => {
      const found = deploymentOf(state, asked);
      const others = state.deployments.filter((one) => sameName(one.environment, found.environment));
      if (stateOf(found) !== 'inactive' && others.length > 1)
        refuse(422, 'We cannot delete an active deployment unless it is the only deployment in a given environment.');
      state.deployments = state.deployments.filter((other) => other !== found);
      return { status: 204 };
    },
  };
}

function marking(state: State, bodies: Bodies): Record<string, Carry> {
  return {
    'repos/list-deployment-statuses': (asked) => {
      const deployment = deploymentOf(state, asked);
      return { list: deployment.statuses.map((status) => bodies.status(status, deployment)) };
    },
    'repos/get-deployment-status': (asked) => {
      const deployment = deploymentOf(state, asked);
      const status = deployment.statuses.find(({ id }) => String(id) === asked.parameters['status_id']);
      return { status: 200, body: bodies.status(status ?? missing('Not Found'), deployment) };
    },
    'repos/create-deployment-status': (asked) => {
      const deployment = deploymentOf(state, asked);
      const { body } = asked;
      deployment.environment = stringAt(body, 'environment') ?? deployment.environment;
      const text = (key: string) => stringAt(body, key) ?? '';
      const given = {
        state: text('state'),
        description: text('description'),
        environmentUrl: text('environment_url'),
        logUrl: text('log_url') === '' ? text('target_url') : text('log_url'),
      };
      const status = state.mark(deployment, given, booleanAt(body, 'auto_inactive') ?? true);
      return { status: 201, body: bodies.status(status, deployment) };
    },
  };
}

function pullOf(state: State, { parameters }: Asked, key = 'pull_number'): FakePullRequest {
  return state.pullRequests.get(Number(parameters[key])) ?? missing('Not Found');
}

function commentOf(state: State, { parameters }: Asked): FakeComment {
  return state.comments.find(({ id }) => String(id) === parameters['comment_id']) ?? missing('Not Found');
}

function deploymentOf(state: State, { parameters }: Asked): FakeDeployment {
  return state.deployments.find(({ id }) => String(id) === parameters['deployment_id']) ?? missing('Not Found');
}

/** The commit that a branch or a hash stands for. */
function shaOf(state: State, ref: string): string | undefined {
  const branch = state.branches.get(ref.replace(/^refs\/heads\//, ''));
  if (branch !== undefined) return branch;
  return /^[0-9a-f]{40}$/.test(ref) && !state.lostCommits.has(ref) ? ref : undefined;
}

function missing(message: string): never {
  return refuse(404, message);
}

function refuse(status: number, message: string): never {
  throw new Refused(status, message);
}

/** A page of a list, and the header that leads to the others (docs.github.com/rest/using-the-rest-api). */
export function pageOf(list: readonly Json[], query: Readonly<Record<string, string>>, url: URL) {
  const size = Math.min(100, Number(query['per_page'] ?? 30));
  const page = Number(query['page'] ?? 1);
  const last = Math.max(1, Math.ceil(list.length / size));
  const link = (number: number, relation: string) => {
    const target = new URL(url);
    target.searchParams.set('page', String(number));
    return `<${target.href}>; rel="${relation}"`;
  };
  const links = [
    ...(page > 1 ? [link(page - 1, 'prev')] : []),
    ...(page < last ? [link(page + 1, 'next'), link(last, 'last')] : []),
    ...(page > 1 ? [link(1, 'first')] : []),
  ];
  return { body: list.slice((page - 1) * size, page * size), link: links.join(', ') };
}
