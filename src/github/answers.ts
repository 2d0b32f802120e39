/** What GitHub answers, read field by field: nothing of it is believed before. */
import { at, stringsAt, type Json } from '../base/json.ts';
import {
  boolean,
  integer,
  line,
  listOf,
  matching,
  nullOr,
  oneOf,
  recordOf,
  text,
  time,
  type Reader,
} from '../base/shape.ts';
import type { Comment, Deployment, DeploymentState, DeploymentStatus, Repository } from './github.ts';
import type { PullRequest } from './pull-request.ts';

/** Ids of comments have passed 2^31. */
const id = integer(1, Number.MAX_SAFE_INTEGER);
const hash = matching(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'is not a commit hash', 64);
const url = matching(/^https?:\/\/[^\s<>"]+$/, 'is not a URL');

/** An account that was deleted is null. */
const account = nullOr(recordOf<{ login: string }>({ login: line(200) }));

interface RawPull {
  number: number;
  state: 'open' | 'closed';
  /** In the answer to a question for this one alone. */
  merged?: boolean;
  merged_at?: string | null;
  draft?: boolean;
  title: string;
  labels: { name: string }[];
  user: { login: string } | null;
  head: { sha: string; ref: string; repo: { id: number } | null };
  base: { ref: string; repo: { id: number } };
  html_url: string;
}

const branch = line(1000);
const repo = recordOf<{ id: number }>({ id });

const rawPull = recordOf<RawPull>({
  number: id,
  state: oneOf('open', 'closed'),
  merged: { optional: boolean },
  merged_at: { optional: nullOr(time) },
  draft: { optional: boolean },
  title: text(10_000),
  labels: listOf(recordOf<{ name: string }>({ name: text(1000) }), 1000),
  user: account,
  // The repository of a head is null when the fork was deleted.
  head: recordOf<RawPull['head']>({ sha: hash, ref: branch, repo: nullOr(repo) }),
  base: recordOf<RawPull['base']>({ ref: branch, repo }),
  html_url: url,
});

export const pullRequest: Reader<PullRequest> = (value, path) => {
  const { head, base, ...raw } = rawPull(value, path);
  return {
    number: raw.number,
    state: raw.state,
    merged: raw.merged ?? (raw.merged_at ?? null) !== null,
    draft: raw.draft ?? false,
    title: raw.title,
    labels: raw.labels.map(({ name }) => name),
    ...(raw.user === null ? {} : { author: raw.user.login }),
    head: { sha: head.sha, branch: head.ref, ...(head.repo === null ? {} : { repositoryId: head.repo.id }) },
    base: { branch: base.ref, repositoryId: base.repo.id },
    url: raw.html_url,
  };
};

interface RawComment {
  id: number;
  body: string;
  user: { login: string } | null;
  created_at: string;
  updated_at: string;
  html_url: string;
}

const rawComment = recordOf<RawComment>({
  id,
  body: text(),
  user: account,
  created_at: time,
  updated_at: time,
  html_url: url,
});

export const comment: Reader<Comment> = (value, path) => {
  const raw = rawComment(value, path);
  return {
    id: raw.id,
    body: raw.body,
    ...(raw.user === null ? {} : { author: raw.user.login }),
    createdAt: raw.created_at,
    updatedAt: raw.updated_at,
    url: raw.html_url,
  };
};

interface RawDeployment {
  id: number;
  ref: string;
  sha: string;
  task: string;
  environment: string;
  created_at: string;
}

const rawDeployment = recordOf<RawDeployment>({
  id,
  ref: branch,
  sha: hash,
  task: text(2000),
  environment: text(300),
  created_at: time,
});

export const deployment: Reader<Deployment> = (value, path) => {
  const { created_at: createdAt, ...raw } = rawDeployment(value, path);
  return { ...raw, payload: payloadOf(at(value, 'payload')), createdAt };
};

/** Anybody may have put anything there, and what was an object may come as the text that it was sent as. */
function payloadOf(payload: Json | undefined): Record<string, string> {
  return stringsAt(typeof payload === 'string' ? parsed(payload) : payload);
}

function parsed(json: string): Json | undefined {
  try {
    return JSON.parse(json) as Json;
  } catch {
    return undefined;
  }
}

interface RawStatus {
  state: DeploymentState;
  log_url?: string;
  created_at: string;
}

const rawStatus = recordOf<RawStatus>({
  state: oneOf('error', 'failure', 'inactive', 'in_progress', 'queued', 'pending', 'success'),
  log_url: { optional: text(10_000) },
  created_at: time,
});

export const deploymentStatus: Reader<DeploymentStatus> = (value, path) => {
  const raw = rawStatus(value, path);
  const logUrl = raw.log_url ?? '';
  return { state: raw.state, ...(logUrl === '' ? {} : { logUrl }), createdAt: raw.created_at };
};

interface RawRepository {
  id: number;
  name: string;
  owner: { login: string };
  html_url: string;
  default_branch: string;
}

const rawRepository = recordOf<RawRepository>({
  id,
  name: line(200),
  owner: recordOf<{ login: string }>({ login: line(200) }),
  html_url: url,
  default_branch: branch,
});

export const repository: Reader<Repository & { defaultBranch: string }> = (value, path) => {
  const raw = rawRepository(value, path);
  return {
    id: raw.id,
    owner: raw.owner.login,
    name: raw.name,
    url: raw.html_url,
    defaultBranch: raw.default_branch,
  };
};

export const reference = recordOf<{ ref: string }>({ ref: line(1100) });
