import { stringsAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { applyLayer } from '../apply/apply.ts';
import { changedInCluster } from '../apply/owned-change.ts';
import type { Prepared } from '../apply/prepared.ts';
import { prune } from '../apply/prune.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { podsOf } from '../manifests/pod-template.ts';
import { untilRouted } from '../traffic/endpoints.ts';
import { podShare } from '../traffic/replica-share.ts';
import { applyInLayers } from './apply-in-layers.ts';
import { checkCandidates } from './check-candidates.ts';
import { tellApplied, waitingIn, type Execution } from './execution.ts';
import type { End, Plan } from './plan.ts';
import { withoutRunAgain } from './run-once.ts';
import type { Apply, Beside, FieldChange, SetFields, Step, Verify } from './step.ts';

/** How a plan has ended. */
export interface Done {
  end: End;
  /** What the last step that applied objects has brought in. */
  applied: Prepared[];
  /** What was to be removed, and is held up by something. */
  held: KubernetesObject[];
}

/** What later steps have to know of earlier ones. */
interface Progress {
  /** All objects as they were written last, or found, by their keys. */
  written: Map<string, readonly [Prepared, KubernetesObject]>;
  applied: Prepared[];
  held: KubernetesObject[];
  /** What share of the requests each candidate had in the step before, in percent, by the key of its stable workload. */
  shares: Map<string, number>;
}

/**
 * Carries a plan out: the one place where the steps of a strategy are written into the journal, applied, awaited and told. Ends
 * with the first stage that leaves a candidate waiting.
 * @throws what a step throws: RolloutFailed, VerificationFailed, Failure, Cancelled
 */
export async function execute(plan: Plan, execution: Execution): Promise<Done> {
  if (plan.temporary !== undefined) execution.journal.record.temporary = [...plan.temporary];
  const progress: Progress = { written: new Map(), applied: [], held: [], shares: new Map() };
  let end: End = { state: 'live' };
  for (const stage of plan.stages) {
    execution.signal.throwIfAborted();
    if (stage.heldBy !== undefined) await execution.untilResumed(stage.heldBy);
    const decision = await stage.decide(execution);
    if (decision.heading !== undefined) execution.reporter.info(decision.heading);
    for (const step of decision.steps) {
      await carryOut(step, execution, progress);
      for (const text of step.marks ?? []) execution.mark(text);
    }
    end = decision.end ?? end;
    if (end.state === 'waiting') break;
  }
  return { end, applied: progress.applied, held: progress.held };
}

async function carryOut(step: Step, execution: Execution, progress: Progress): Promise<void> {
  if (step.do !== 'note') execution.saw(new Map());
  switch (step.do) {
    case 'apply':
      await apply(step, execution, progress);
      break;
    case 'set':
      await set(step, execution);
      break;
    case 'route':
      await route(step.services, execution);
      break;
    case 'hold':
      await execution.wait(writtenTo(step.objects, progress), {
        holdMs: step.forMs,
        ...(step.meanwhile === undefined ? {} : { holdTitle: step.meanwhile }),
      });
      break;
    case 'check':
      await checkCandidates(step, execution);
      break;
    case 'verify':
      await verify(step, execution, progress);
      break;
    case 'remove':
      execution.journal.beginStep();
      progress.held = await prune(execution.client, execution.journal, step.objects, {
        ...waitingIn(execution),
        namespace: execution.namespace,
      });
      break;
    case 'note':
      execution.note(step.title);
  }
}

async function apply(step: Apply, execution: Execution, progress: Progress): Promise<void> {
  const { client, journal } = execution;
  const entries = withoutRunAgain(await comparedIn(step, execution), execution);
  const serving = await Promise.all((step.beside ?? []).map((ref) => client.read(ref)));
  const beside = serving
    .filter((object) => object !== undefined)
    .map((object) => changedInCluster(object, ['spec', 'replicas'], podsOf(object)));
  const awaited = beside.length === 0 ? [] : await execution.look(beside, { force: true });
  journal.beginStep();
  const written = await applyInLayers(execution, [...entries, ...awaited]);
  progress.applied = entries;
  for (const [entry, object] of written) progress.written.set(keyOf(refOf(object)), [entry, object]);
}

/** What a look has answered for these very manifests; and for all others what it answers now. */
async function comparedIn({ objects, compared = [] }: Apply, execution: Execution): Promise<Prepared[]> {
  const known = new Map(compared.map((entry) => [entry.manifest, entry]));
  const rest = objects.filter((manifest) => !known.has(manifest));
  const looked = rest.length === 0 ? [] : await execution.look(rest);
  // It may have made other manifests of them, but it leaves none out.
  const answered = new Map(looked.map((entry) => [keyOf(refOf(entry.manifest.object)), entry]));
  return objects.map((manifest) => {
    const entry = known.get(manifest) ?? answered.get(keyOf(refOf(manifest.object)));
    if (entry === undefined)
      throw new Error(`${describeRef(refOf(manifest.object))} was not compared with the cluster`);
    return entry;
  });
}

function writtenTo(refs: readonly ObjectRef[], { written }: Progress): Map<Prepared, KubernetesObject> {
  return new Map(refs.map((ref) => written.get(keyOf(ref))).filter((entry) => entry !== undefined));
}

async function set({ fields, objects = [], until }: SetFields, execution: Execution): Promise<void> {
  const { client, journal } = execution;
  const changes = await Promise.all(fields.map(async (field) => changeOf(field, await client.read(field.of))));
  const prepared = await execution.look([...objects, ...changes.flat()], { force: true });
  journal.beginStep();
  const written = await applyLayer(client, prepared, journal, true);
  for (const [entry, object] of written) tellApplied(execution, entry, object);
  if (until === 'ready') await execution.wait(written);
}

function changeOf({ path, to, at }: FieldChange, live: KubernetesObject | undefined): Manifest[] {
  if (live === undefined) return [];
  const change = changedInCluster(live, path, to);
  if (at !== undefined) change.object.metadata.resourceVersion = at;
  return [change];
}

async function route(refs: readonly ObjectRef[], execution: Execution): Promise<void> {
  const found = await Promise.all(refs.map((ref) => execution.client.read(ref)));
  const services = found.filter((service) => service !== undefined);
  await untilRouted(execution.client, services, {
    ...waitingIn(execution),
    onSettle: (ms) => {
      execution.limit.extend(ms);
    },
  });
}

async function verify({ of }: Verify, execution: Execution, progress: Progress): Promise<void> {
  if (of === 'preview') await execution.verify('preview');
  else await verifyBeside(of, execution, progress);
}

async function verifyBeside(
  { stable: stableRef, candidate: candidateRef, percent }: Beside,
  execution: Execution,
  { shares }: Progress,
): Promise<void> {
  const [stable, candidate] = await Promise.all([stableRef, candidateRef].map((ref) => execution.client.read(ref)));
  const pods = { candidate: podsOf(candidate), stable: podsOf(stable) };
  const wantedShare = podShare(pods);
  const key = keyOf(stableRef);
  const measured = await execution.verify({
    selector: stringsAt(candidate, 'spec', 'selector', 'matchLabels'),
    wantedShare,
    formerShare: shares.get(key) ?? 0,
  });
  if (percent === undefined) return;
  shares.set(key, wantedShare);
  const { name } = stableRef;
  execution.onTraffic({
    workload: name,
    wanted: percent,
    candidatePods: pods.candidate,
    stablePods: pods.stable,
    ...(measured === undefined ? {} : { measured: measured.percent, requests: measured.requests }),
  });
  const requests =
    measured === undefined ? '' : `, ${measured.percent.toFixed(1)} % of ${measured.requests} requests went to them`;
  execution.mark(`${name}: ${pods.candidate} of ${pods.candidate + pods.stable} pods are the candidate's${requests}`);
}
