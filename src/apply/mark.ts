import { equal, objectAt, type JsonObject } from '../base/json.ts';
import { groupOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';

/**
 * Which release an object belongs to stands on the object itself: `NAMESPACE/RELEASE`, so that what lies in another namespace
 * or in none carries it too. It is on no pod template and in no selector, and in no record: an undo takes it away with the rest.
 */
export const releaseAnnotation = 'gke-rollout/release';

/** What is shared by its nature: many releases bring the same Namespace, or the same definition of a kind. */
const shared = new Set(['/Namespace', 'apiextensions.k8s.io/CustomResourceDefinition']);

/** The mark of a release: `shop/web`. */
export function markFor(namespace: string, release: string): string {
  return `${namespace}/${release}`;
}

/** The release that an object says it belongs to; undefined where it says nothing. */
export function markOf(object: KubernetesObject | undefined): string | undefined {
  return object?.metadata.annotations?.[releaseAnnotation];
}

/** Whether objects of a kind may be in several releases. */
export function isShared({ apiVersion, kind }: Pick<ObjectRef, 'apiVersion' | 'kind'>): boolean {
  return shared.has(`${groupOf(apiVersion)}/${kind}`);
}

/** The object as it is applied. Without a mark it is as the manifest has it. */
export function marked(object: KubernetesObject, mark: string | undefined): KubernetesObject {
  if (mark === undefined || isShared(object)) return object;
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [releaseAnnotation]: mark } } };
}

/** Content, or what a manager owns, without the mark. */
export function withoutMark(content: JsonObject): JsonObject {
  const annotations = objectAt(content, 'metadata', 'annotations');
  if (!(releaseAnnotation in annotations)) return content;
  const left = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== releaseAnnotation));
  const metadata: JsonObject = { ...objectAt(content, 'metadata'), annotations: left };
  if (Object.keys(left).length === 0) delete metadata['annotations'];
  const result: JsonObject = { ...content, metadata };
  if (Object.keys(metadata).length === 0) delete result['metadata'];
  return result;
}

/** Whether two trees of owned fields differ by the mark at most. */
export function sameButMark(left: JsonObject, right: JsonObject): boolean {
  return equal(fieldsWithoutMark(left), fieldsWithoutMark(right));
}

function fieldsWithoutMark(fields: JsonObject): JsonObject {
  const metadata = objectAt(fields, 'f:metadata');
  const annotations = objectAt(metadata, 'f:annotations');
  if (!(`f:${releaseAnnotation}` in annotations)) return fields;
  const left = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== `f:${releaseAnnotation}`));
  const outer = Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== 'f:annotations'));
  const isEmpty = Object.keys(left).every((key) => key === '.');
  const inner: JsonObject = isEmpty ? outer : { ...outer, 'f:annotations': left };
  const rest = Object.fromEntries(Object.entries(fields).filter(([key]) => key !== 'f:metadata'));
  return Object.keys(inner).length === 0 ? rest : { ...rest, 'f:metadata': inner };
}

/**
 * The release that has taken an object over since a run wrote it; undefined as long as none has.
 * @param own the mark of the run's release
 * @param before the object as it was before the run, which may have taken it over itself
 */
export function takenSince(
  live: KubernetesObject,
  own: string | undefined,
  before: KubernetesObject | null = null,
): string | undefined {
  const mark = markOf(live);
  if (own === undefined || mark === undefined || mark === own || isShared(live)) return undefined;
  return before !== null && mark === markOf(before) ? undefined : mark;
}

/** What of an object was not brought back, because another release has it now. */
export function takenOver(mark: string): string {
  return `the whole object: release "${mark}" has since taken it over`;
}

/** How messages name the release of a mark: without the namespace where that is the reader's own. */
export function describeMark(mark: string, namespace: string): string {
  const slash = mark.indexOf('/');
  const [of, release] = [mark.slice(0, slash), mark.slice(slash + 1)];
  return of === namespace ? `release "${release}"` : `release "${release}" of namespace "${of}"`;
}
