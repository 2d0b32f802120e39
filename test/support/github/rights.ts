/** Which rights an operation needs, and what GitHub says to a token without them. */

export type Level = 'none' | 'read' | 'write';

export type Permission = 'contents' | 'deployments' | 'issues' | 'pull-requests';

export interface FakeToken {
  /** Who comments with it. */
  login: string;
  permissions: Partial<Record<Permission, Level>>;
  /** What it may not see in a private repository is not there for it: 404 in place of 403. */
  hides: boolean;
}

/** Any of them is enough. */
type Need = readonly [Level, readonly Permission[]];

const commenting: readonly Permission[] = ['pull-requests', 'issues'];

/** As https://docs.github.com/rest/authentication/permissions-required-for-github-apps has it. */
const needs: Readonly<Record<string, Need>> = {
  'git/get-ref': ['read', ['contents']],
  'issues/create-comment': ['write', commenting],
  'issues/delete-comment': ['write', commenting],
  'issues/get-comment': ['read', commenting],
  'issues/list-comments': ['read', commenting],
  'issues/update-comment': ['write', commenting],
  'pulls/get': ['read', ['pull-requests']],
  'pulls/list': ['read', ['pull-requests']],
  'repos/create-deployment': ['write', ['deployments']],
  'repos/create-deployment-status': ['write', ['deployments']],
  'repos/delete-deployment': ['write', ['deployments']],
  // The metadata of a repository can be read with every token.
  'repos/get': ['none', []],
  'repos/get-branch': ['read', ['contents']],
  'repos/get-commit': ['read', ['contents']],
  'repos/get-deployment': ['read', ['deployments']],
  'repos/get-deployment-status': ['read', ['deployments']],
  'repos/list-deployment-statuses': ['read', ['deployments']],
  'repos/list-deployments': ['read', ['deployments']],
  'repos/list-pull-requests-associated-with-commit': ['read', ['pull-requests']],
};

const order: readonly Level[] = ['none', 'read', 'write'];

/** With which status and words a token is refused; undefined where it may. */
export function refusal(
  id: string,
  token: FakeToken,
  isPrivate: boolean,
): { status: number; message: string } | undefined {
  const need = needs[id];
  if (need === undefined) throw new Error(`nobody has said which rights ${id} needs`);
  const [level, permissions] = need;
  const has = (wanted: Level) =>
    wanted === 'none' ||
    permissions.some((one) => order.indexOf(token.permissions[one] ?? 'none') >= order.indexOf(wanted));
  // What a public repository shows it shows to everybody.
  if (has(level) || (level === 'read' && !isPrivate)) return undefined;
  if (isPrivate && token.hides && !has('read')) return { status: 404, message: 'Not Found' };
  return { status: 403, message: 'Resource not accessible by integration' };
}
