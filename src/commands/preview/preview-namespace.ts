import { InvalidInput } from '../../base/errors.ts';
import { fieldManager } from '../../apply/field-manager.ts';
import { isGoing, nameGoing } from '../../kubernetes/going.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { serverNow } from '../../kubernetes/server-time.ts';
import {
  annotationsOfPreview,
  labelsOfPreview,
  ownership,
  previewAnnotations,
  type PreviewFacts,
} from '../../preview/identity.ts';
import { podSecurityLabels } from '../../preview/isolation.ts';
import { checkLimit, type Room } from '../../preview/limit.ts';
import type { Context } from '../../release/context.ts';
import { previewGrants } from '../../release/rights.ts';
import type { PreviewReport } from '../../report/preview-report.ts';
import type { OptionsOf } from '../command.ts';
import type { AskedPreview } from './asked.ts';
import { bindRole } from './bind-role.ts';
import { servingIn } from './facts.ts';
import { listPreviews } from './list-previews.ts';
import { awaitGoing, deleteNamespace, makeNamespace, namespaceRef } from './namespace.ts';

type PlaceOptions = OptionsOf<'isolation' | 'namespace-labels' | 'preview-limit' | 'preview-role'>;

type Full = Extract<Room, { state: 'full' }>;

/** The namespace of one preview, from the moment that a run makes or finds it. */
export class PreviewNamespace {
  readonly #context: Context;
  readonly #asked: AskedPreview;
  readonly #options: PlaceOptions;
  /** As this run has made or found it. */
  #found: KubernetesObject | undefined;
  #isNew = false;
  /** As this run has said it. */
  #runUrl: string | undefined;
  #expiresAt: number | undefined;

  constructor(context: Context, asked: AskedPreview, options: PlaceOptions) {
    this.#context = context;
    this.#asked = asked;
    this.#options = options;
  }

  /**
   * Makes it, or takes the one that is there when that is provably the preview of this pull request.
   * @returns who holds the places, where a limit is reached: what was made is gone again then
   * @throws InvalidInput for a namespace that is somebody else's
   */
  async make(facts: PreviewFacts): Promise<Full | undefined> {
    const { client, reporter, rights, bounds } = this.#context;
    const { namespace, identity } = this.#asked;
    rights?.expect(previewGrants(this.#options.previewRole));
    await rights?.require();
    bounds?.vouchFor([namespaceRef(namespace)]);
    const labels = this.#labels();
    const wanted: KubernetesObject = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace, labels, annotations: annotationsAtFirst(facts) },
    };
    let { object, isNew } = await makeNamespace(this.#context, wanted);
    if (isGoing(object) && ownership(object, identity).is === 'ours') {
      // Another run has taken it back since it was looked at.
      await awaitGoing(this.#context, object);
      ({ object, isNew } = await makeNamespace(this.#context, wanted));
    }
    this.#assertOurs(object);
    this.#found = object;
    this.#isNew = isNew;
    if (isNew) reporter.info(`Namespace "${namespace}" created for pull request ${identity.number}`);
    else {
      // From now on no sweep takes it for one that nobody wants, and no other run takes it back.
      const metadata = { uid: object.metadata.uid ?? null, labels, annotations: annotationsAtFirst(facts) };
      await client.patch(namespaceRef(namespace), { type: 'merge', patch: { metadata } }, { fieldManager });
      this.#expiresAt = facts.expiresAt;
    }
    this.#runUrl = facts.runUrl;
    // Also one that an earlier run has made and did not live to deploy to.
    const isEmpty = isNew || object.metadata.annotations?.[previewAnnotations.deployedAt] === undefined;
    const full = isEmpty ? await this.#noRoom() : undefined;
    if (full !== undefined) {
      this.#isNew = isEmpty;
      await this.takeBack();
      return full;
    }
    if (this.#options.previewRole !== undefined) await bindRole(this.#context, namespace, this.#options.previewRole);
    return undefined;
  }

  /** Whether it is gone, on its way out, or another one of the same name by now. */
  async isDoomed(): Promise<boolean> {
    if (this.#found === undefined) return false;
    const now = await this.#context.client.read(namespaceRef(this.#asked.namespace));
    return now === undefined || isGoing(now) || now.metadata.uid !== this.#found.metadata.uid;
  }

  /** Deletes it, if this run has made it and no other has come since. */
  async takeBack(): Promise<void> {
    const { namespace, identity } = this.#asked;
    const uid = this.#found?.metadata.uid;
    if (!this.#isNew || uid === undefined) return;
    const mayDelete = (now: KubernetesObject) =>
      now.metadata.uid === uid &&
      ownership(now, identity).is === 'ours' &&
      now.metadata.annotations?.[previewAnnotations.runUrl] === this.#runUrl;
    if (await deleteNamespace(this.#context, namespace, mayDelete))
      this.#context.reporter.info(`Namespace "${namespace}" is deleted again`);
  }

  /** Says what was deployed into it, where it answers, and until when it stays. */
  async announce(facts: PreviewFacts): Promise<void> {
    const metadata = { uid: this.#found?.metadata.uid ?? null, annotations: annotationsOfPreview(facts) };
    await this.#context.client.patch(
      namespaceRef(this.#asked.namespace),
      { type: 'merge', patch: { metadata } },
      { fieldManager },
    );
  }

  /** What an earlier run has deployed there, which goes on running where this one has failed. */
  serving(): Pick<PreviewReport, 'serving' | 'expiresAt'> {
    const before = servingIn(this.#found, this.#asked.identity);
    if (before.expiresAt === undefined || this.#expiresAt === undefined) return before;
    return { ...before, expiresAt: new Date(this.#expiresAt).toISOString() };
  }

  #labels(): Record<string, string> {
    const { isolation, namespaceLabels } = this.#options;
    const own = labelsOfPreview(this.#asked.identity);
    const given = namespaceLabels.map((line) => labelOf(line, own));
    return { ...podSecurityLabels(isolation), ...Object.fromEntries(given), ...own };
  }

  #assertOurs(object: KubernetesObject): void {
    const owned = ownership(object, this.#asked.identity);
    if (owned.is !== 'ours') {
      throw new InvalidInput(`Namespace "${this.#asked.namespace}" ${owned.reason}`, {
        hint: 'Use a different "preview-namespace", or delete that namespace yourself.',
      });
    }
    if (isGoing(object)) throw new InvalidInput(nameGoing(object), { hint: 'Run it again once it is gone.' });
  }

  /** All that are made at the same moment count the same: each is made first, and the younger ones go again. */
  async #noRoom(): Promise<Full | undefined> {
    const { previewLimit } = this.#options;
    if (previewLimit === undefined) return undefined;
    const { client, clock, reporter } = this.#context;
    const { previews } = await listPreviews(this.#context, this.#asked.identity);
    const room = checkLimit(previews, this.#asked.namespace, Number(previewLimit), serverNow(client, clock));
    if (room.state === 'room') return undefined;
    for (const { number, pullRequestUrl, age, until } of room.holders)
      reporter.info(`pull request ${number} (${pullRequestUrl ?? 'no link'}): ${age} old, ${until}`);
    return room;
  }
}

/** As long as nothing was deployed it says whose it is and when it expires, and no more. */
function annotationsAtFirst(facts: PreviewFacts): Record<string, string> {
  const later: readonly string[] = [previewAnnotations.sha, previewAnnotations.deployedAt, previewAnnotations.url];
  return Object.fromEntries(
    Object.entries(annotationsOfPreview(facts)).filter(
      (entry): entry is [string, string] => entry[1] !== null && !later.includes(entry[0]),
    ),
  );
}

/** `KEY=VALUE` */
function labelOf(line: string, own: Readonly<Record<string, string>>): [string, string] {
  const [key = '', ...rest] = line.split('=');
  const value = rest.join('=').trim();
  if (
    rest.length === 0 ||
    !/^[\w./-]+$/.test(key.trim()) ||
    !/^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/.test(value)
  ) {
    throw new InvalidInput(`the input "namespace-labels" has "${line}", which is not valid`, {
      hint: 'Use KEY=VALUE, with a valid label as value.',
    });
  }
  if (Object.hasOwn(own, key.trim())) {
    throw new InvalidInput(`the input "namespace-labels" has "${key.trim()}", which marks the owner of a preview`, {
      hint: 'Remove that line.',
    });
  }
  return [key.trim(), value];
}
