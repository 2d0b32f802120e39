import { equal } from '../base/json.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { imagesOf } from '../manifests/pod-template.ts';
import type { Revision } from './revision-shape.ts';

/** What a rollback would come to, without a number. */
export interface RollbackPreview {
  revision: number;
  /** ISO 8601. */
  finishedAt: string;
  commit?: string;
  /** Containers that would run another image than now. */
  images: { ref: ObjectRef; container: string; before: string; after: string }[];
  /** Other objects whose record differs, so that they would change. */
  changed: ObjectRef[];
  /** Objects that are not in the live revision and would be made again. */
  added: ObjectRef[];
  /** Objects of the live revision that the other one does not have: they stay, unless the rollback prunes. */
  left: ObjectRef[];
}

/** @param running the objects as they are now, by the keys that they have in the records */
export function previewRollback(
  target: Revision,
  live: Revision,
  running: ReadonlyMap<string, KubernetesObject>,
): RollbackPreview {
  const recorded = new Map(live.objects.map((object) => [keyOf(refOf(object)), object]));
  const wanted = new Set(target.objects.map((object) => keyOf(refOf(object))));
  const images = target.objects.flatMap((object) => imageChanges(object, running.get(keyOf(refOf(object)))));
  const told = new Set(images.map(({ ref }) => keyOf(ref)));
  return {
    revision: target.revision,
    finishedAt: target.finishedAt,
    ...(target.commit === undefined ? {} : { commit: target.commit }),
    images,
    changed: target.objects.flatMap((object) => {
      const now = recorded.get(keyOf(refOf(object)));
      return now === undefined || equal(now, object) || told.has(keyOf(refOf(object))) ? [] : [refOf(object)];
    }),
    added: target.objects.filter((object) => !recorded.has(keyOf(refOf(object)))).map(refOf),
    left: live.objects.filter((object) => !wanted.has(keyOf(refOf(object)))).map(refOf),
  };
}

function imageChanges(wanted: KubernetesObject, running: KubernetesObject | undefined): RollbackPreview['images'] {
  if (running === undefined) return [];
  const before = new Map(imagesOf(running).map(({ name, image = '' }) => [name, image]));
  return imagesOf(wanted).flatMap(({ name, image = '' }) => {
    const now = before.get(name);
    return now === undefined || now === image
      ? []
      : [{ ref: refOf(wanted), container: name, before: now, after: image }];
  });
}

/** `revision 1 (2026-01-01T00:00:00Z, commit 0123abc): Deployment/web/web a:2 → a:1; also changes ConfigMap/config` */
export function describeRollback(preview: RollbackPreview): string {
  const { revision, finishedAt, commit, images, changed, added, left } = preview;
  const names = (refs: readonly ObjectRef[]) => refs.map(({ kind, name }) => `${kind}/${name}`).join(', ');
  const parts = [
    ...images.map(({ ref, container, before, after }) => `${ref.kind}/${ref.name}/${container} ${before} → ${after}`),
    ...(changed.length === 0 ? [] : [`changes ${names(changed)}`]),
    ...(added.length === 0 ? [] : [`recreates ${names(added)}`]),
    ...(left.length === 0 ? [] : [`leaves ${names(left)} unless "prune: true"`]),
  ];
  const about = [finishedAt, ...(commit === undefined ? [] : [`commit ${commit.slice(0, 7)}`])].join(', ');
  return `revision ${revision} (${about}): ${parts.length === 0 ? 'no image or object would change' : parts.join('; ')}`;
}
