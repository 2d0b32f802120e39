import { systemClock } from '../../../src/base/clock.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../../src/kubernetes/object.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { applyLayer } from '../../../src/apply/apply.ts';
import { Journal, readJournal } from '../../../src/release/journal.ts';
import { preflight } from '../../../src/apply/preflight.ts';
import { undo } from '../../../src/release/undo.ts';
import type { UndoReport } from '../../../src/release/undo-report.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import { kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { widgetDefinition } from './cases.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

/** How an object came to be before the deploy that fails. */
export type Origin =
  | 'gke-rollout'
  | 'kubectl apply'
  | 'kubectl create'
  | 'kubectl apply --server-side'
  | 'helm 3 (Update)'
  | 'helm 4 (Apply)'
  | 'gke-rollout, then changed by another manager';

export const origins: readonly Origin[] = [
  'gke-rollout',
  'kubectl apply',
  'kubectl create',
  'kubectl apply --server-side',
  'helm 3 (Update)',
  'helm 4 (Apply)',
  'gke-rollout, then changed by another manager',
];

/** Managers that are not us own fields that the deploy changes: it must be told to take them. */
export function needsForce(origin: Origin): boolean {
  return origin !== 'gke-rollout' && origin !== 'kubectl apply' && origin !== 'kubectl create';
}

/** Makes the object in the way that `origin` names. */
export async function createAs(client: KubernetesClient, origin: Origin, object: KubernetesObject): Promise<void> {
  const text = JSON.stringify(object);
  switch (origin) {
    case 'gke-rollout':
      await client.apply(object, { fieldManager: 'gke-rollout' });
      return;
    case 'kubectl apply':
      await kubectl(['apply', '-f', '-'], text);
      return;
    case 'kubectl create':
      await kubectl(['create', '-f', '-'], text);
      return;
    case 'kubectl apply --server-side':
      await kubectl(['apply', '--server-side', '-f', '-'], text);
      return;
    case 'helm 3 (Update)':
      await client.create(asHelm(object), { fieldManager: 'helm' });
      return;
    case 'helm 4 (Apply)':
      await client.apply(asHelm(object), { fieldManager: 'helm' });
      return;
    case 'gke-rollout, then changed by another manager':
      await client.apply(object, { fieldManager: 'gke-rollout' });
      await client.patch(
        refOf(object),
        { type: 'merge', patch: { metadata: { labels: { change: 'by-hand' }, annotations: { 'by-hand': 'yes' } } } },
        { fieldManager: 'somebody' },
      );
      return;
  }
}

function asHelm(object: KubernetesObject): KubernetesObject {
  const { labels, annotations } = object.metadata;
  const release = { 'meta.helm.sh/release-name': 'shop', 'meta.helm.sh/release-namespace': 'shop' };
  return {
    ...object,
    metadata: {
      ...object.metadata,
      labels: { ...labels, 'app.kubernetes.io/managed-by': 'Helm' },
      annotations: { ...annotations, ...release },
    },
  };
}

/** Applies objects as a deploy does: preflight, journal, apply. */
export async function deployObjects(
  client: KubernetesClient,
  namespace: string,
  release: string,
  objects: readonly KubernetesObject[],
  force: boolean,
  fate: 'lives' | 'killed before the write' | 'killed before the answer' = 'lives',
): Promise<Journal> {
  const manifests = objects.map((object) => asManifest(structuredClone(object)));
  const prepared = await preflight(client, manifests, { force, newNamespaces: new Set() });
  // The run before it has come to its end, or was undone.
  await (await readJournal(client, namespace, release))?.close();
  const journal = new Journal(client, namespace, {
    release,
    command: 'deploy',
    run: { holder: 'restore-test' },
    startedAt: new Date().toISOString(),
    undoOnFailure: true,
    entries: [],
  });
  const planned = prepared.map(({ manifest, live, predicted }) => ({
    ref: refOf(manifest.object),
    before: live ?? null,
    after: predicted ?? null,
    done: false,
  }));
  if (fate !== 'killed before the write') await applyLayer(client, prepared, journal, force);
  // What a killed run leaves behind is what it had planned.
  if (fate !== 'lives') await journal.plan(planned);
  return journal;
}

export async function undoObjects(client: KubernetesClient, journal: Journal): Promise<UndoReport> {
  return await undo(client, journal.record.entries, { reporter: silentReporter, clock: systemClock });
}

function asManifest(object: KubernetesObject): Manifest {
  return { object, source: { file: 'case.yaml', line: 1, locate: () => ({ file: 'case.yaml', line: 1 }) } };
}

/** Connects to the cluster of the tests. */
export async function testClient(): Promise<KubernetesClient> {
  const connection = await connect({ kubeconfig: testKubeconfig(), cwd: process.cwd(), env: {} });
  return createClient(connection, { clock: systemClock, userAgent: 'restore-test' });
}

export async function mustRead(client: KubernetesClient, ref: ObjectRef): Promise<KubernetesObject> {
  const object = await client.read(ref);
  if (object === undefined) throw new Error(`${ref.kind} "${ref.name}" is gone`);
  return object;
}

/** Controllers that look at a new object write once or twice; reads it when they are done. */
export async function settled(client: KubernetesClient, ref: ObjectRef): Promise<KubernetesObject> {
  let last = await mustRead(client, ref);
  for (;;) {
    await systemClock.sleep(30);
    const current = await mustRead(client, ref);
    if (current.metadata.resourceVersion === last.metadata.resourceVersion) return current;
    last = current;
  }
}

export async function defineWidgets(): Promise<void> {
  await kubectl(['apply', '--server-side', '-f', '-'], widgetDefinition);
  await kubectl(['wait', '--for=condition=Established', 'crd/widgets.restore.gke-rollout.test', '--timeout=30s']);
}
