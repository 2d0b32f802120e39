import { Failure, Failures } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { AccessReview, type Access, type Right } from '../kubernetes/access.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError } from '../kubernetes/errors.ts';
import { userWithoutRight } from '../kubernetes/refusal.ts';
import type { Grant } from './rights.ts';
import { listOf, roleFor, rulesOf, type MissingRule } from './role.ts';

/** Rights are missing. `manifest` grants all of them. */
export class MissingRights extends Failure {
  readonly manifest: string;

  constructor(message: string, manifest: string, cause?: unknown) {
    super(message, {
      hint: 'Have someone with permission to grant them apply the manifest below, then run it again.',
      cause,
    });
    this.manifest = manifest;
  }
}

interface Asked {
  grant: Grant;
  right: Right;
  access: Access;
}

/**
 * What a run has to be allowed: the commands say what they are going to need as soon as they know, and before the first write all
 * of it is asked at once. Where the cluster does not answer such questions, the run goes on and finds out.
 */
export class RightsCheck {
  readonly #review: AccessReview;
  readonly #reporter: Reporter;
  readonly #run: { command: string; release: string };
  readonly #grants = new Map<string, Grant>();
  #hasWarned = false;

  constructor(client: KubernetesClient, reporter: Reporter, run: { command: string; release: string }) {
    this.#review = new AccessReview(client, reporter);
    this.#reporter = reporter;
    this.#run = run;
  }

  /** Adds what the run is going to need; the same thing may be said again with more need. */
  expect(grants: readonly Grant[]): void {
    for (const grant of grants) {
      if (grant.namespace !== undefined && grant.need !== 'optional') this.#review.prepare(grant.namespace);
      for (const verb of grant.verbs) {
        const { group, resource, namespace, name } = grant;
        const key = JSON.stringify([verb, group, resource, namespace, name]);
        const known = this.#grants.get(key);
        if (known === undefined || rank(grant) < rank(known)) this.#grants.set(key, { ...grant, verbs: [verb] });
      }
    }
  }

  /**
   * Call before the first write. What is only lost without a right is told once.
   * @throws MissingRights when one is missing that the run needs; the message has all that it or a later one will miss
   */
  async require(): Promise<void> {
    const denied = await this.#denied();
    if (denied.some(({ grant }) => grant.need === 'now')) throw await this.#failure(denied);
    this.#warnOf(denied.filter(({ grant }) => grant.need === 'optional'));
  }

  /** The Role of everything that is expected until now, whether the user has it or not. */
  async role(): Promise<string> {
    const rules = rulesOf([...this.#grants.values()]);
    return roleFor(rules, { release: this.#run.release, name: 'gke-rollout', user: await this.#review.user() });
  }

  /** What to tell instead of an error by which the API server has refused something for lack of a right. */
  async explain(error: unknown): Promise<unknown> {
    const user = refusedUser(error);
    if (user === undefined) return error;
    const denied = await this.#denied();
    if (denied.every(({ grant }) => grant.need === 'optional')) return error;
    return await this.#failure(denied, user, error);
  }

  async #denied(): Promise<Asked[]> {
    const grants = [...this.#grants.values()];
    const rights = grants.map(rightOf);
    const answers = await this.#review.ask(rights);
    return grants.flatMap((grant, index) => {
      const [right, access] = [rights[index], answers[index]];
      return right === undefined || access !== 'denied' ? [] : [{ grant, right, access }];
    });
  }

  async #failure(denied: readonly Asked[], known?: string, cause?: unknown): Promise<MissingRights> {
    const { command, release } = this.#run;
    const user = known ?? (await this.#review.user());
    const missing = this.#rulesOf(denied);
    const who = user === undefined ? 'the user of the kubeconfig' : `user "${user}"`;
    const needed = missing.filter(({ optional }) => !optional);
    const what = [...new Set(needed.map(({ namespace }) => namespace))].map((namespace) => {
      const inPlace = listOf(needed.filter((rule) => rule.namespace === namespace));
      return `${inPlace.join('; ')} ${namespace === undefined ? 'in the whole cluster' : `in namespace "${namespace}"`}`;
    });
    const message = `${who} lacks rights that ${command === 'status' ? 'the' : 'this'} "${command}"${command === 'deploy' || command === 'rollback' ? ' and its undo need' : ' needs'}: ${what.join(', and ')}`;
    return new MissingRights(message, roleFor(missing, { release, user }), cause);
  }

  /** Named objects only where others of the kind are allowed: then the user's rules go by names already. */
  #rulesOf(denied: readonly Asked[]): MissingRule[] {
    const merged = new Map<string, MissingRule>();
    for (const { grant, right } of denied) {
      const { group, resource, namespace } = right;
      const key = JSON.stringify([right.verb, group, resource, namespace]);
      const isPartly = right.name !== undefined && right.verb !== 'create' && this.#allowsOthers(right, denied);
      const known = merged.get(key);
      const names = isPartly && right.name !== undefined ? [right.name] : [];
      merged.set(key, {
        group,
        resource,
        verbs: [right.verb],
        ...(namespace === undefined ? {} : { namespace }),
        names:
          known === undefined
            ? names
            : known.names.length === 0 || names.length === 0
              ? []
              : [...known.names, ...names],
        why: known?.why ?? grant.why,
        optional: grant.need === 'optional',
      });
    }
    return [...merged.values()];
  }

  #allowsOthers({ verb, group, resource, namespace }: Right, denied: readonly Asked[]): boolean {
    const isSame = (other: Right) =>
      other.verb === verb && other.group === group && other.resource === resource && other.namespace === namespace;
    const refused = new Set(denied.filter(({ right }) => isSame(right)).map(({ right }) => right.name));
    return [...this.#grants.values()].map(rightOf).some((right) => isSame(right) && !refused.has(right.name));
  }

  #warnOf(denied: readonly Asked[]): void {
    if (this.#hasWarned || denied.length === 0) return;
    this.#hasWarned = true;
    const byLoss = new Map<string, Asked[]>();
    for (const asked of denied) {
      const lost = asked.grant.lost ?? '';
      byLoss.set(lost, [...(byLoss.get(lost) ?? []), asked]);
    }
    const parts = [...byLoss].map(([lost, asked]) => `${lost} (${listOf(this.#rulesOf(asked)).join('; ')})`);
    this.#reporter.warning(`Some optional rights are missing: ${parts.join('; ')}`);
  }
}

function rank({ need }: Grant): number {
  return ['now', 'later', 'optional'].indexOf(need);
}

function rightOf({ verbs: [verb = ''], group, resource, namespace, name }: Grant): Right {
  return {
    verb,
    group,
    resource,
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** Whom the API server has refused something for lack of a right, in an error or in what it was made of. */
function refusedUser(error: unknown): string | undefined {
  if (error instanceof ApiError && error.status === 403) return userWithoutRight(error.serverMessage);
  if (error instanceof Failures) {
    const users = error.all.map(refusedUser).filter((user) => user !== undefined);
    if (users.length > 0) return users[0];
  }
  return error instanceof Error && error.cause !== undefined ? refusedUser(error.cause) : undefined;
}
