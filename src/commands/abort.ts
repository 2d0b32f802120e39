import { refOf } from '../kubernetes/object.ts';
import { containersOf, isWorkload } from '../manifests/pod-template.ts';
import type { ChangeOptions, Context } from './context.ts';
import { Draft } from './draft.ts';
import { guardedChange, takeAway } from './guarded-change.ts';
import { findCandidate } from './promote.ts';
import type { RunReport } from './report.ts';

/** Takes a candidate away that a deploy has left waiting: traffic goes back first, its pods go last. */
export async function abort(context: Context, options: ChangeOptions): Promise<RunReport> {
  const namespace = options.namespace ?? context.client.defaultNamespace;
  const { release } = options;
  const { revision } = await findCandidate(context, namespace, release, 'abort');
  const draft = new Draft(context, 'abort', { release, namespace, strategy: revision.strategy });
  const name = `revision ${revision.revision} of ${release}`;
  const outcome = await guardedChange(
    context,
    { ...options, namespace },
    {
      command: 'abort',
      candidate: 'continue',
      work: async ({ journal }) => await takeAway(context, { ...options, namespace }, journal),
      isOver: (undo) => !undo.results.some((result) => result.outcome === 'failed'),
      beforeUndo: () => Promise.resolve(),
    },
  );
  const workloads = revision.objects.filter(isWorkload);
  draft.add({
    revision: revision.revision,
    workloads: workloads.map((object) => ({
      ref: refOf(object),
      containers: containersOf(object).map(({ name: container, image }) => ({
        name: container,
        before: image ?? '',
        after: image ?? '',
      })),
      state: 'unchecked' as const,
      message: 'the candidate was aborted',
    })),
  });
  if (outcome.state === 'failed') throw outcome.failure.error;
  draft.add({ undo: outcome.result });
  return outcome.result.complete
    ? draft.finish('aborted', `Aborted ${name}: everything is as it was before it`)
    : draft.finish('failed', `${name} could not be taken away completely`);
}
