import { mapConcurrently } from '../base/concurrency.ts';
import { messageOf } from '../base/errors.ts';
import { booleanAt, isObject, objectAt, objectsAt, stringAt, type Json } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import { saidAt } from '../base/said.ts';
import type { KubernetesClient } from './client.ts';
import type { KubernetesObject } from './object.ts';

/** One thing that somebody may do, as an authorizer is asked about it. */
export interface Right {
  verb: string;
  /** Empty for the core group. */
  group: string;
  /** As rules name it: `deployments`, `pods/log`. */
  resource: string;
  /** Absent: in the whole cluster, or a cluster-scoped kind. */
  namespace?: string;
  /** Absent: all objects of the kind. */
  name?: string;
}

/** `unknown`: whoever is asked does not answer, or is not sure. */
export type Access = 'allowed' | 'denied' | 'unknown';

/** One rule that holds for the user in a namespace, as a SelfSubjectRulesReview answers it. */
export interface AccessRule {
  verbs: readonly string[];
  groups: readonly string[];
  resources: readonly string[];
  /** Empty: all names. */
  names: readonly string[];
}

const concurrency = 16;
const group = 'authorization.k8s.io/v1';

/**
 * Asks the API server what its user may do, without doing it: the rules of a namespace first, which is one request, and only
 * what they do not cover one by one (webhooks, such as GKE's for IAM, do not list their rules). Answers are kept for the run.
 */
export class AccessReview {
  readonly #client: KubernetesClient;
  readonly #reporter: Reporter;
  readonly #rules = new Map<string, Promise<readonly AccessRule[]>>();
  readonly #answers = new Map<string, Promise<Access>>();

  constructor(client: KubernetesClient, reporter: Reporter) {
    this.#client = client;
    this.#reporter = reporter;
  }

  /** Begins to ask for the rules of a namespace, so that the answer is there when it is needed. */
  prepare(namespace: string): void {
    void this.#rulesOf(namespace);
  }

  /** The answers, in the order of the rights. */
  async ask(rights: readonly Right[]): Promise<Access[]> {
    return await mapConcurrently(rights, concurrency, async (right) => {
      const { namespace } = right;
      // Rules of a namespace say nothing about what lies in none.
      if (namespace !== undefined && covers(await this.#rulesOf(namespace), right)) return 'allowed';
      return await this.#askFor(right);
    });
  }

  /** What the API server calls the user; undefined where it does not say (before Kubernetes 1.28). */
  async user(): Promise<string | undefined> {
    const answer = await this.#post('authentication.k8s.io/v1', 'SelfSubjectReview', {});
    return stringAt(answer, 'status', 'userInfo', 'username');
  }

  async #askFor(right: Right): Promise<Access> {
    const { name, ...all } = right;
    if (name !== undefined && (await this.#askFor(all)) === 'allowed') return 'allowed';
    const key = JSON.stringify([right.verb, right.group, right.resource, right.namespace, name]);
    const known = this.#answers.get(key) ?? this.#review(right);
    this.#answers.set(key, known);
    return await known;
  }

  async #review({ verb, group: of, resource: path, namespace, name }: Right): Promise<Access> {
    const [resource = '', subresource] = path.split('/');
    const answer = await this.#post(group, 'SelfSubjectAccessReview', {
      spec: {
        resourceAttributes: {
          verb,
          group: of,
          resource,
          ...(subresource === undefined ? {} : { subresource }),
          ...(namespace === undefined ? {} : { namespace }),
          ...(name === undefined ? {} : { name }),
        },
      },
    });
    return answer === undefined ? 'unknown' : accessOf(answer);
  }

  #rulesOf(namespace: string): Promise<readonly AccessRule[]> {
    const known =
      this.#rules.get(namespace) ??
      this.#post(group, 'SelfSubjectRulesReview', { spec: { namespace } }).then((answer) => rulesIn(answer));
    this.#rules.set(namespace, known);
    return known;
  }

  /** Undefined when it cannot be asked: everything then goes on as if nobody had. */
  async #post(apiVersion: string, kind: string, body: Record<string, Json>): Promise<KubernetesObject | undefined> {
    try {
      if ((await this.#client.resource(apiVersion, kind)) === undefined) return undefined;
      const question = { apiVersion, kind, metadata: { name: '' }, ...body };
      return (await this.#client.create(question, { fieldManager: 'gke-rollout' })).object;
    } catch (error) {
      this.#reporter.debug(`${kind} is not answered: ${messageOf(error)}`);
      return undefined;
    }
  }
}

/**
 * A denial beside an error of an authorizer is none to rely on, unless the error is only about a role that a binding names
 * and that does not exist (kubernetes/kubernetes plugin/pkg/auth/authorizer/rbac).
 */
export function accessOf(answer: KubernetesObject): Access {
  const status = objectAt(answer, 'status');
  const allowed = booleanAt(status, 'allowed');
  if (allowed === undefined) return 'unknown';
  if (allowed) return 'allowed';
  const problem = saidAt(status, 'evaluationError') ?? '';
  if (booleanAt(status, 'denied') === true || problem === '') return 'denied';
  return /role\.rbac\.authorization\.k8s\.io "[^"]*" not found/.test(problem) ? 'denied' : 'unknown';
}

export function rulesIn(answer: KubernetesObject | undefined): AccessRule[] {
  return objectsAt(answer, 'status', 'resourceRules').map((rule) => ({
    verbs: texts(rule['verbs']),
    groups: texts(rule['apiGroups']),
    resources: texts(rule['resources']),
    names: texts(rule['resourceNames']),
  }));
}

/** Whether one of the rules is enough for a right (kubernetes/kubernetes pkg/apis/rbac/v1/evaluation_helpers.go). */
export function covers(rules: readonly AccessRule[], { verb, group: of, resource, name }: Right): boolean {
  const [, subresource] = resource.split('/');
  const paths = ['*', resource, ...(subresource === undefined ? [] : [`*/${subresource}`])];
  return rules.some(
    (rule) =>
      (rule.verbs.includes('*') || rule.verbs.includes(verb)) &&
      (rule.groups.includes('*') || rule.groups.includes(of)) &&
      paths.some((path) => rule.resources.includes(path)) &&
      (rule.names.length === 0 || (name !== undefined && rule.names.includes(name))),
  );
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) && !isObject(value) ? value.filter((entry) => typeof entry === 'string') : [];
}
