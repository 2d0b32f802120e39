import { Failure, InvalidInput } from '../base/errors.ts';
import { numberAt, objectAt, setAt, stringsAt } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isConfig } from '../manifests/config-references.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { rankOf } from '../manifests/order.ts';
import { isDeployment, isWorkload } from '../manifests/pod-template.ts';
import { checkCapacity, enforceCapacity } from '../capacity/capacity.ts';
import { autoscalersIn, scaledTargets } from '../apply/hpa.ts';
import { changedInCluster } from '../apply/owned-change.ts';
import { changesPods } from '../apply/preflight.ts';
import { assertEndpoints, untilRouted } from '../traffic/endpoints.ts';
import { podsBehind, templateLabels } from '../traffic/pods.ts';
import {
  isFollowedLate,
  isService,
  selectorOf,
  selects,
  servicesIn,
  settleMsOf,
  type Labels,
} from '../traffic/services.ts';
import { labelsToSetApart, policiesIn } from './apart.ts';
import { bystandersOf, refuseBystanders, refuseJoined, type Bystanders } from './bystanders.ts';
import { configOf, trackLabel } from './candidate.ts';
import { refuseForeign, refuseUnfit } from './fitness.ts';
import { budgetsIn } from './outside.ts';
import { allAtOnce, applyAndWait, applyChanges } from './rolling.ts';
import { bothSides, otherSide, refsOfOwnSides, type Objects, type Side } from './own-sides.ts';
import {
  apartIn,
  boundTo,
  boundToBoth,
  formOf,
  groupsOf,
  hashLabel,
  idOf,
  isBound,
  liveServices,
  previewName,
  previewOf,
  refOn,
  servicesOf,
  sideOf,
  targetOn,
  type Group,
} from './sides.ts';
import { evenOut, numbersOf, type Numbers } from './numbers.ts';
import { refusePaused, refusePausedManifest } from './paused.ts';
import { assertPresent, assertPromotable } from './promotable.ts';
import { judgeSharedClaims } from './shared-claims.ts';
import type { Complete, Plan, PlanContext, Strategy, StrategyContext } from './strategy.ts';
import type { WaitingCandidate } from '../release/journal-shape.ts';
import type { Prepared } from '../apply/prepared.ts';

export interface BlueGreenOptions {
  /** Switch when the candidate is ready and verified; otherwise it is left waiting. */
  autoPromote: boolean;
  /** The manifests hold one of two sides that are both the user's own: the one that is to serve. */
  ownSides: boolean;
}

interface Input {
  manifests: readonly Manifest[];
  ownSides: boolean;
}

/** A group that changes sides in this deploy. */
interface Switch {
  group: Group;
  from: Side;
  to: Side;
}

/**
 * A full set of new pods beside the ones that serve; then one write per Service moves all requests. Blue is the user's own
 * Deployment, green one that is made beside it, or the user's own too; they take turns (docs/strategies.md).
 */
export function blueGreen(options: BlueGreenOptions): Strategy {
  const firstSeen = new Map<string, Side>();
  return async (context, manifests) => {
    const input = { manifests, ownSides: options.ownSides };
    const state = await stateOf(context, input);
    for (const group of state.groups) refuseSwitchedSince(group, firstSeen);
    return {
      manifests: arrangedOn(manifests, state, sideNow),
      plan: async (prepared) => {
        refuseUnfit(prepared, 'blue-green');
        refusePausedManifest(prepared, 'blue-green');
        const switches = switchesOf(prepared, manifests, state);
        await refuseJoined(context, prepared, 'blue-green', state.groups.flatMap(refsOfGroup));
        if (switches.length > 0) return await planSwitch(context, prepared, input, state, switches, options);
        context.note(noteOfAllAtOnce(prepared, state));
        const plan = allAtOnce(prepared);
        return { run: async (run) => ({ ...(await plan.run(run)), serving: servingNames(state, []) }) };
      },
    };
  };
}

/**
 * Which of the user's own sides is to serve was decided from what served then; with another one, its pods would change under
 * the requests. @throws Failure when that is not so any more
 */
function refuseSwitchedSince(group: Group, firstSeen: Map<string, Side>): void {
  const { own, serving } = group;
  const before = firstSeen.get(idOf(group)) ?? serving;
  firstSeen.set(idOf(group), before);
  if (own === undefined || before === serving) return;
  throw new Failure(`another run has switched to the ${serving} side meanwhile`, {
    hint: 'See what it has deployed, then run this one again.',
  });
}

function noteOfAllAtOnce(prepared: readonly Prepared[], state: State): string {
  const isFirst = state.groups.every((group) =>
    group.workloads.every((workload) => liveOn(state, group, group.own?.side ?? 'blue', workload) === undefined),
  );
  if (isFirst)
    return 'there is no version that serves yet: this deploy brings in all pods at once, and the next one has a blue and a green side';
  const own = new Set(
    state.groups.filter((group) => group.own !== undefined).flatMap((group) => refsOfGroup(group).map(keyOf)),
  );
  const changing = prepared.filter((entry) => changesPods(entry) && own.has(keyOf(refOf(entry.manifest.object))));
  const names = changing.map(({ manifest }) => manifest.object.metadata.name).join(', ');
  if (changing.length === 0)
    return 'no pods behind a Service change: there is nothing to switch, so that all is brought in at once';
  return changing.every(({ config }) => config?.state === 'renewed')
    ? `${names} serves, and config changes that both sides read: its pods are replaced in place`
    : `${names} serves and is not as its manifest says: it is brought back in place`;
}

/** What is there of a release that is deployed in two sides. */
interface State {
  groups: Group[];
  /** Services of the namespaces that its Deployments are in. */
  services: KubernetesObject[];
  autoscalers: KubernetesObject[];
  /** Deployments of both sides, by key. */
  deployments: Objects;
}

async function stateOf({ client, namespace }: PlanContext, { manifests, ownSides: isOwn }: Input): Promise<State> {
  const known = new Map<string, KubernetesObject | undefined>();
  const read = async (refs: readonly ObjectRef[]) => {
    await Promise.all(
      refs.filter((ref) => !known.has(keyOf(ref))).map(async (ref) => known.set(keyOf(ref), await client.read(ref))),
    );
    return new Map([...known].flatMap(([key, object]) => (object === undefined ? [] : [[key, object] as const])));
  };
  const namespaces = namespacesOf(manifests, namespace);
  const inEach = async (list: (client: KubernetesClient, namespace: string) => Promise<KubernetesObject[]>) =>
    (await Promise.all(namespaces.map(async (one) => await list(client, one)))).flat();
  const [services, autoscalers, sides] = await Promise.all([
    inEach(servicesIn),
    inEach(autoscalersIn),
    isOwn ? read(refsOfOwnSides(manifests.map(({ object }) => object))) : undefined,
  ]);
  const groups = groupsOf(manifests, services, sides);
  const deployments = await read(groups.flatMap((group) => refsOfGroup(group)));
  const found = groups.map((group) => ({ ...group, apart: apartIn(group, deployments) }));
  return { groups: found, services, autoscalers, deployments };
}

/** Where a release has Deployments; that of the release itself among them. */
function namespacesOf(manifests: readonly Manifest[], namespace: string): string[] {
  const others = manifests.filter(({ object }) => isDeployment(object)).map(({ object }) => object.metadata.namespace);
  return [...new Set([namespace, ...others.filter((one) => one !== undefined)])];
}

function liveOn({ deployments }: State, group: Group, side: Side, { object }: Manifest): KubernetesObject | undefined {
  return deployments.get(keyOf(refOn(group, side, object)));
}

/** The side on which the manifests are compared with what is there: one of the user's own only with itself. */
function sideNow({ own, serving }: Group): Side {
  return own?.side ?? serving;
}

/** Blue pods that were there before this strategy have no label of their side, and get none as long as they are the same. */
function isLabelled(state: State, group: Group): boolean {
  return group.workloads.every((workload) => {
    const live = liveOn(state, group, 'blue', workload);
    return live === undefined || trackLabel in templateLabels(live);
  });
}

/** The manifests as they look when each group is on a side. */
function arrangedOn(manifests: readonly Manifest[], state: State, choose: (group: Group) => Side): Manifest[] {
  let result = [...manifests];
  for (const group of state.groups) {
    const side = choose(group);
    const form = formOf(group, side, manifests, isLabelled(state, group) || side !== group.serving);
    const replaced = new Set([...group.workloads, ...group.services]);
    result = result.filter((manifest) => !replaced.has(manifest));
    // What only these workloads read is theirs to change; a green side leaves it to its copies.
    const isCopied = side === 'green' && group.own === undefined;
    if (isCopied) result = result.filter((manifest) => !isReadByGroupOnly(manifest, group, manifests));
    result = result.map((manifest) => {
      const target = targetOn(side, group, manifest.object);
      if (target === undefined) return manifest;
      const object = structuredClone(manifest.object);
      setAt(object, ['spec', 'scaleTargetRef', 'name'], target.name);
      return { ...manifest, object };
    });
    result.push(...form.workloads, ...form.services, ...(isCopied ? form.config : []));
  }
  return result;
}

function isReadByGroupOnly({ object }: Manifest, group: Group, manifests: readonly Manifest[]): boolean {
  if (!isConfig(object)) return false;
  const key = keyOf(refOf(object));
  const isRead = (reader: Manifest) => configOf(reader.object).has(key);
  // Whatever else names it, such as an Ingress its certificate, may mean it too.
  const isNamed = (other: Manifest) => JSON.stringify(other.object['spec'] ?? {}).includes(`"${object.metadata.name}"`);
  const others = manifests.filter((other) => !group.workloads.includes(other));
  return (
    group.workloads.some(isRead) &&
    !others.some((other) => (isWorkload(other.object) ? isRead(other) : !isService(other.object) && isNamed(other)))
  );
}

function switchesOf(prepared: readonly Prepared[], manifests: readonly Manifest[], state: State): Switch[] {
  const changed = new Set(
    prepared
      .filter(({ change, live }) => change === 'configured' && live !== undefined)
      .map(({ manifest }) => keyOf(refOf(manifest.object))),
  );
  return state.groups.flatMap((group) => {
    const from = group.serving;
    const { own } = group;
    if (own !== undefined) return own.side === from ? [] : [{ group, from, to: own.side }];
    const isLive = group.workloads.some((workload) => {
      const live = liveOn(state, group, from, workload);
      return live !== undefined && (numberAt(live, 'spec', 'replicas') ?? 1) > 0;
    });
    const refs = new Set(group.workloads.map(({ object }) => keyOf(refOn(group, from, object))));
    const pods = prepared.some((entry) => refs.has(keyOf(refOf(entry.manifest.object))) && changesPods(entry));
    const form = formOf(group, from, manifests, true);
    const config = form.config.some(({ object }) => changed.has(keyOf(refOf(object))));
    return isLive && (pods || config) ? [{ group, from, to: otherSide(from) }] : [];
  });
}

/** @throws InvalidInput where both sides would have to serve for a while, and cannot */
function refuseWithoutUnion(state: State, switches: readonly Switch[]): void {
  for (const { group } of switches) {
    const service = liveServices(group, state.services).find(
      (live) => isFollowedLate(live) && boundToBoth(group, selectorOf(live)) === undefined,
    );
    if (service === undefined) continue;
    if (group.apart.green.length > 0) {
      throw new InvalidInput(
        `${describeRef(refOf(service))} has no selector for the pods of both sides, which have to serve while the load balancer in front of it follows`,
        { hint: 'Run "abort" if a candidate waits, and deploy again: its pods then get labels for that.' },
      );
    }
    throw new InvalidInput(
      `${describeRef(refOf(service))} selects pods by their side alone, so that both sides cannot serve while the load balancer in front of it follows`,
      { hint: 'Add a label to its selector that the pods of both sides have, such as "app".' },
    );
  }
}

async function planSwitch(
  context: PlanContext,
  prepared: readonly Prepared[],
  input: Input,
  state: State,
  found: readonly Switch[],
  options: BlueGreenOptions,
): Promise<Plan> {
  const switches = await Promise.all(found.map(async (one) => await withFormOfPods(context, state, one)));
  refuseWithoutUnion(state, switches);
  refuseBystanders(await bystandersBehind(context, state, switches));
  const scaled = scaledTargets(state.autoscalers);
  const forms = switches.map(({ group, from, to }) => {
    const form = formOf(group, to, input.manifests, true);
    for (const [index, workload] of group.workloads.entries()) {
      const candidate = form.workloads[index];
      const serving = liveOn(state, group, from, workload);
      const isScaled = scaled.has(keyOf(refOn(group, from, workload.object)));
      const replicas = isScaled
        ? numberAt(serving, 'spec', 'replicas')
        : (numberAt(workload.object, 'spec', 'replicas') ?? numberAt(serving, 'spec', 'replicas'));
      if (candidate !== undefined) objectAt(candidate.object, 'spec')['replicas'] = replicas ?? 1;
    }
    return form;
  });
  const serving = servingIn(state, switches);
  await judgeSharedClaims(
    context,
    serving.flatMap(({ serving: object, to }) =>
      forms
        .flatMap(({ workloads }) => workloads.map((workload) => workload.object))
        .filter((candidate) => keyOf(refOf(candidate)) === keyOf(to))
        .map((candidate) => ({ serving: object, candidate })),
    ),
    input.manifests.map(({ object }) => object),
  );
  const previews = switches.flatMap(({ group, to }, index) =>
    servicesOf(group).flatMap((service) => previewOf(group, service, forms[index]?.workloads ?? [], to) ?? []),
  );
  const candidates = forms.flatMap(({ workloads }) => workloads);
  const [preparedCandidates, pins] = await Promise.all([
    context.look([...forms.flatMap(({ config }) => config), ...candidates, ...previews]),
    pinsOf(context, state, switches, options),
  ]);
  const made = [
    ...previews,
    ...switches.flatMap(({ group, to }, index) =>
      group.own === undefined && to === 'green'
        ? [...(forms[index]?.workloads ?? []), ...(forms[index]?.config ?? [])]
        : [],
    ),
  ];
  const madeKeys = new Set(made.map(({ object }) => keyOf(refOf(object))));
  refuseForeign(
    preparedCandidates.filter(({ manifest }) => madeKeys.has(keyOf(refOf(manifest.object)))),
    'green side',
  );
  refusePaused([...preparedCandidates, ...besides(prepared, state, switches)]);
  await requireRoom(context, candidates, state);
  const switched = new Set(
    switches.flatMap(({ group }) => [...group.workloads, ...group.services]).map((one) => one.object.metadata.name),
  );
  const prelude = prepared.filter(
    ({ manifest, live, change }) =>
      change === 'created' &&
      live === undefined &&
      rankOf(manifest.object) < 3 &&
      !(isDeployment(manifest.object) && switched.has(manifest.object.metadata.name)),
  );
  const numbers = numbersOf(serving.map((one) => one.serving));
  return {
    run: async (run) => {
      const { journal } = run;
      journal.record.temporary = previews.map(({ object }) => refOf(object));
      if (prelude.length > 0) await applyAndWait(run, prelude);
      await pin(run, pins);
      journal.beginStep();
      await applyAndWait(run, preparedCandidates);
      run.mark(`${candidates.map(({ object }) => object.metadata.name).join(', ')} ready beside what serves`);
      await run.verifyCandidate('preview');
      const refs = candidates.map(({ object }) => refOf(object));
      if (!options.autoPromote) return { state: 'waiting', candidates: refs, numbers };
      // It has just passed its checks.
      await lookAtSides(run, state, switches, 'ready');
      return await switchOver(run, input, switches, numbers);
    },
  };
}

/**
 * Whether the side that is to serve is good now, asked of its pods and of the EndpointSlices, before a request goes there.
 * @param prepared says what was deployed, where the journal does not
 * @throws Failure, RolloutFailed, VerificationFailed
 */
async function lookAtSides(
  context: StrategyContext,
  state: State,
  switches: readonly Switch[],
  look: 'ready' | 'verify',
  prepared: readonly Prepared[] = [],
): Promise<void> {
  const candidates = switches.flatMap(({ group, to }) => group.workloads.map(({ object }) => refOn(group, to, object)));
  const found = await assertPromotable(context, candidates, { prepared, afterWait: look === 'ready' });
  for (const { group, to } of switches) {
    for (const service of liveServices(group, state.services)) {
      const bound = {
        ...service,
        spec: { ...objectAt(service, 'spec'), selector: { ...boundTo(group, to, selectorOf(service)) } },
      };
      if (found.some((candidate) => selects(selectorOf(bound), templateLabels(candidate))))
        await assertEndpoints(context, bound, previewName(service.metadata.name));
    }
  }
  if (look === 'verify') await context.verifyCandidate('preview');
}

/** Who has pods behind the Services that are to be switched, beside both sides, before and after. */
async function bystandersBehind(
  context: PlanContext,
  { services }: State,
  switches: readonly Switch[],
): Promise<Bystanders[]> {
  const asked = switches.flatMap(({ group, to }) =>
    liveServices(group, services).map((service) => ({ service, group, to })),
  );
  return await Promise.all(
    asked.map(async ({ service, group, to }) => {
      const selector = selectorOf(service);
      const selectors = [selector, boundTo(group, to, selector)];
      return { service, owners: await bystandersOf(context, service, selectors, refsOfGroup(group)) };
    }),
  );
}

/** What does not change sides. */
function besides(prepared: readonly Prepared[], { groups }: State, switches: readonly Switch[]): Prepared[] {
  const sided = groups.filter((group) => switches.some((one) => idOf(one.group) === idOf(group)));
  const keys = new Set(sided.flatMap((group) => refsOfGroup(group).map(keyOf)));
  return prepared.filter(({ manifest }) => !keys.has(keyOf(refOf(manifest.object))));
}

/** @throws LowCapacity when there is no room for a second full set of pods */
async function requireRoom(context: PlanContext, candidates: readonly Manifest[], state: State): Promise<void> {
  const { client, namespace, onLowCapacity, reporter } = context;
  const surges = candidates.map(({ object }) => {
    const running = numberAt(state.deployments.get(keyOf(refOf(object))), 'spec', 'replicas') ?? 0;
    const extra = Math.max(0, (numberAt(object, 'spec', 'replicas') ?? 1) - running);
    return { ref: refOf(object), template: objectAt(object, 'spec', 'template'), extra };
  });
  const creates = candidates.map(({ object }) => refOf(object)).filter((ref) => !state.deployments.has(keyOf(ref)));
  const report = await checkCapacity(client, namespace, surges, { strategy: 'blue-green', creates });
  enforceCapacity(report, onLowCapacity, reporter);
}

interface Pin {
  service: KubernetesObject;
  selector: Labels;
}

/** How the pods that are to come differ from those that serve, so that no Service mixes them up before the switch. */
async function withFormOfPods(context: PlanContext, state: State, { group, from, to }: Switch): Promise<Switch> {
  const apart = group.own === undefined ? await formOfPods(context, state, group, to) : group.apart;
  return { group: { ...group, apart }, from, to };
}

async function formOfPods(context: PlanContext, state: State, group: Group, to: Side): Promise<Group['apart']> {
  const { apart } = group;
  // Then a Service that has to lead to both for a while finds them by one label.
  if (to === 'blue') return { ...apart, blue: apart.green };
  const serving = group.workloads.flatMap((workload) => liveOn(state, group, 'blue', workload) ?? []);
  if (isLabelled(state, group)) {
    const idle = group.workloads.map((workload) => liveOn(state, group, 'green', workload));
    const isUp = idle.some((live) => live !== undefined && (numberAt(live, 'spec', 'replicas') ?? 1) > 0);
    return isUp ? apart : { ...apart, green: [] };
  }
  const live = liveServices(group, state.services);
  // There both sides have to serve for a while.
  if (live.some(isFollowedLate)) return { ...apart, green: [] };
  const namespace = serving[0]?.metadata.namespace ?? context.namespace;
  const [policies, budgets] = await Promise.all([
    policiesIn(context.client, namespace),
    budgetsIn(context.client, namespace),
  ]);
  const loose = live.filter((service) => !isBound(group, selectorOf(service)));
  const green = labelsToSetApart(loose, serving, { services: state.services, policies, budgets }) ?? [];
  const uncounted = budgets.filter((budget) => Object.keys(matchLabels(budget)).some((key) => green.includes(key)));
  for (const budget of green.length === 0 ? [] : uncounted) {
    context.note(
      `${describeRef(refOf(budget))} does not count the pods of this green side: it goes by a label of which they have another value`,
    );
  }
  return { ...apart, green };
}

function matchLabels(object: KubernetesObject): Labels {
  return stringsAt(object, 'spec', 'selector', 'matchLabels');
}

/** What binds each Service to the pods that serve now, where it would send requests to the candidate's pods too. */
async function pinsOf(
  context: PlanContext,
  state: State,
  switches: readonly Switch[],
  { autoPromote }: BlueGreenOptions,
): Promise<Pin[]> {
  const pins = await Promise.all(
    switches.map(async ({ group, from }) => {
      // Its pods are others than those that the Services select.
      if (group.apart.green.length > 0 && !isLabelled(state, group)) return [];
      const loose = liveServices(group, state.services).filter((service) => !isBound(group, selectorOf(service)));
      if (loose.length === 0) return [];
      const serving = group.workloads.flatMap((workload) => liveOn(state, group, from, workload) ?? []);
      const labelled = group.own !== undefined || serving.every((object) => trackLabel in templateLabels(object));
      if (labelled) return loose.map((service) => ({ service, selector: boundTo(group, from, selectorOf(service)) }));
      return await Promise.all(
        loose.map(async (service) => {
          const selected = serving.filter((object) => selects(selectorOf(service), templateLabels(object)));
          const [only, ...more] = selected;
          if (only === undefined || more.length > 0) throw severalBehind(service, selected);
          if (!autoPromote) throw boundForLong(service, only);
          return {
            service,
            selector: { ...selectorOf(service), [hashLabel]: await servingHash(context, service, only) },
          };
        }),
      );
    }),
  );
  return pins.flat();
}

/** The hash of pods is another one as soon as somebody restarts them: nothing may go by it while nobody watches. */
function boundForLong(service: KubernetesObject, workload: KubernetesObject): InvalidInput {
  return new InvalidInput(
    `${describeRef(refOf(service))} cannot tell the pods of a candidate that waits from those of ${describeRef(refOf(workload))}: they have no label of a side yet, and a load balancer or a NetworkPolicy needs the labels that they have`,
    {
      hint: `Give its pod template the label "${trackLabel}: blue" in a rolling deploy first; or let this deploy promote by itself once ("auto-promote: true").`,
    },
  );
}

function severalBehind(service: KubernetesObject, workloads: readonly KubernetesObject[]): Failure {
  return new InvalidInput(
    `${describeRef(refOf(service))} sends requests to ${workloads.length} Deployments, whose pods have no label of a side yet`,
    {
      hint: `Give the pod templates of ${workloads.map(({ metadata }) => metadata.name).join(', ')} the label "${trackLabel}: blue" in a rolling deploy first.`,
    },
  );
}

/**
 * The hash by which Kubernetes tells the pods of a Deployment's version that get the requests of a Service now: while a
 * rollout is stuck or under way, that need not be its newest version.
 * @throws Failure when there is not one such version
 */
async function servingHash(
  { client }: PlanContext,
  service: KubernetesObject,
  deployment: KubernetesObject,
): Promise<string> {
  const hashes = new Set(
    (await podsBehind(client, service)).flatMap(({ metadata }) => metadata.labels?.[hashLabel] ?? []),
  );
  const [hash, ...more] = hashes;
  if (hash !== undefined && more.length === 0) return hash;
  const name = describeRef(refOf(deployment), true);
  throw new Failure(
    hash === undefined ? `no pod of ${name} is ready` : `pods of ${hashes.size} versions of ${name} get requests`,
    { hint: 'Wait until its rollout is complete, or undo it ("kubectl rollout undo"), then run it again.' },
  );
}

async function pin(context: StrategyContext, pins: readonly Pin[]): Promise<void> {
  if (pins.length === 0) return;
  context.journal.beginStep();
  const manifests = pins.map(({ service, selector }) =>
    changedInCluster(service, ['spec', 'selector'], { ...selector }),
  );
  await applyChanges(context, manifests);
}

/**
 * Moves all requests to the other side: one write per Service, guarded against a write in between. Then whatever else has
 * changed is applied. The side that served stays as it is; taking it down is not this function's business.
 */
async function switchOver(
  context: StrategyContext,
  input: Input,
  planned: readonly Switch[],
  numbers: Numbers | undefined,
): Promise<Complete> {
  const { client, journal } = context;
  const before = await stateOf(context, input);
  await evenOut(context, bothIn(before, planned), before.autoscalers, numbers);
  const state = await stateOf(context, input);
  // The labels that its pods have got, which may be those that another run has given them.
  const switches = planned.map((one) => ({ ...one, group: groupNow(state, one.group) }));
  await unite(context, state, switches);
  journal.beginStep();
  const services = await switchServices(context, state, switches);
  await untilRouted(client, services, { ...context, deadline: context.deadline() });
  for (const service of services) context.mark(`${service.metadata.name} sends all requests to the new side`);

  journal.beginStep();
  const arranged = arrangedOn(input.manifests, state, (group) => sideAfter(group, switches));
  const final = await context.look(keepScaled(arranged, state, switches));
  await applyAndWait(context, final);
  const retired = switches.flatMap(({ group, from }) =>
    group.workloads.flatMap((workload) => {
      const live = liveOn(state, group, from, workload);
      return live === undefined ? [] : [refOf(live)];
    }),
  );
  const olds = new Map(
    switches.flatMap(({ group, from, to }) =>
      group.workloads.map(
        (workload) => [refOn(group, to, workload.object).name, liveOn(state, group, from, workload)] as const,
      ),
    ),
  );
  return {
    state: 'complete',
    serving: servingNames(state, switches),
    retired,
    // What served is what the new side is compared with.
    brought: final.map((entry) => {
      const old = isDeployment(entry.manifest.object) ? olds.get(entry.manifest.object.metadata.name) : undefined;
      return old === undefined ? entry : { ...entry, live: old, change: 'configured' as const };
    }),
  };
}

/** What serves now of what is to change sides, and what it is called on the other one. */
function servingIn(state: State, switches: readonly Switch[]): { serving: KubernetesObject; to: ObjectRef }[] {
  return switches.flatMap(({ group, from, to }) =>
    group.workloads.flatMap((workload) => {
      const serving = liveOn(state, group, from, workload);
      return serving === undefined ? [] : [{ serving, to: refOn(group, to, workload.object) }];
    }),
  );
}

function bothIn(
  state: State,
  switches: readonly Switch[],
): { serving: KubernetesObject; candidate: KubernetesObject }[] {
  return servingIn(state, switches).flatMap(({ serving, to }) => {
    const candidate = state.deployments.get(keyOf(to));
    return candidate === undefined ? [] : [{ serving, candidate }];
  });
}

/**
 * The replicas that a side was brought up with stay, whatever the manifest says: an autoscaler may have changed them. What
 * does not change sides has those of its manifest.
 */
function keepScaled(manifests: readonly Manifest[], state: State, switches: readonly Switch[]): Manifest[] {
  const brought = new Set(
    switches.flatMap(({ group, to }) => group.workloads.map(({ object }) => keyOf(refOn(group, to, object)))),
  );
  for (const { object } of manifests) {
    const key = keyOf(refOf(object));
    const live = brought.has(key) ? numberAt(state.deployments.get(key), 'spec', 'replicas') : undefined;
    if (live !== undefined && live > 0) objectAt(object, 'spec')['replicas'] = live;
  }
  return [...manifests];
}

/**
 * Behind a load balancer that takes new endpoints late and drops old ones at once, both sides serve for a while before the
 * old one is taken out.
 */
async function unite(context: StrategyContext, state: State, switches: readonly Switch[]): Promise<void> {
  const { client, journal } = context;
  const united = switches.flatMap(({ group }) =>
    liveServices(group, state.services)
      .filter(isFollowedLate)
      .map((service) => ({ service, selector: boundToBoth(group, selectorOf(service)) })),
  );
  const late = united.map(({ service }) => service);
  if (late.length === 0) return;
  journal.beginStep();
  const manifests = united.map(({ service, selector }) =>
    changedInCluster(service, ['spec', 'selector'], { ...selector }),
  );
  const written = await applyChanges(context, manifests);
  const names = late.map(({ metadata }) => metadata.name).join(', ');
  const seconds = Math.max(...late.map(settleMsOf)) / 1000;
  context.note(
    `${names}: both sides serve for ${seconds} s, until the load balancer in front has taken in the new one`,
  );
  await untilRouted(client, [...written.values()], { ...context, deadline: context.deadline() });
}

async function switchServices(
  context: StrategyContext,
  state: State,
  switches: readonly Switch[],
): Promise<KubernetesObject[]> {
  const namespaces = new Set(state.services.map(({ metadata }) => metadata.namespace ?? context.namespace));
  const services = (
    await Promise.all([...namespaces].map(async (namespace) => await servicesIn(context.client, namespace)))
  ).flat();
  const guarded = switches.flatMap(({ group, from, to }) => {
    const foreign = liveServices({ ...group, services: [] }, services).map((live) =>
      changedInCluster(live, ['spec', 'selector'], { ...boundTo(group, to, selectorOf(live)) }),
    );
    return [...formOf(group, to, [], true).services, ...foreign].map((manifest) =>
      guardedBy(manifest, services, group, from),
    );
  });
  const followers = switches.flatMap(({ group, to }) =>
    state.autoscalers.flatMap((autoscaler) => {
      const { name } = targetOn(to, group, autoscaler) ?? {};
      const target = objectAt(autoscaler, 'spec', 'scaleTargetRef');
      return name === undefined || name === target['name']
        ? []
        : [changedInCluster(autoscaler, ['spec', 'scaleTargetRef'], { ...target, name })];
    }),
  );
  const written = await applyChanges(context, [...guarded, ...followers]);
  return [...written.values()].filter(isService);
}

/** Only a Service that is still as it was read is switched. @throws Failure when somebody else has moved it meanwhile */
function guardedBy(manifest: Manifest, services: readonly KubernetesObject[], group: Group, from: Side): Manifest {
  const live = services.find((service) => keyOf(refOf(service)) === keyOf(refOf(manifest.object)));
  if (live === undefined) return manifest;
  const side = sideOf(group, selectorOf(live));
  if (side !== undefined && side !== from) {
    throw new Failure(`${describeRef(refOf(live), true)} does not send its requests to the ${from} side any more`, {
      hint: 'Somebody else has switched it meanwhile. See who, then run it again.',
    });
  }
  const { resourceVersion } = live.metadata;
  if (resourceVersion !== undefined) manifest.object.metadata.resourceVersion = resourceVersion;
  return manifest;
}

function groupNow({ groups }: State, group: Group): Group {
  return groups.find((one) => idOf(one) === idOf(group)) ?? group;
}

function sideAfter(group: Group, switches: readonly Switch[]): Side {
  return switches.find((one) => idOf(one.group) === idOf(group))?.to ?? group.serving;
}

function refsOfGroup(group: Group): ObjectRef[] {
  return group.workloads.flatMap(({ object }) => bothSides.map((side) => refOn(group, side, object)));
}

/** What each Deployment of the manifests is called on the side that serves, by the key of the manifest's own. */
function servingNames({ groups }: State, switches: readonly Switch[]): Record<string, string> {
  return Object.fromEntries(
    groups.flatMap((group) =>
      group.workloads.flatMap(({ object }) => {
        const { name } = refOn(group, sideAfter(group, switches), object);
        // Of the user's own sides either may be asked for.
        const called = group.own === undefined ? [refOf(object)] : bothSides.map((side) => refOn(group, side, object));
        return called.map((ref) => [keyOf(ref), name] as const);
      }),
    ),
  );
}

/** How a candidate that waits begins to serve. */
export function switchTo(
  { candidates, numbers }: Pick<WaitingCandidate, 'candidates' | 'numbers'>,
  { ownSides, force }: { ownSides: boolean; force: boolean },
): Strategy {
  const names = new Set(candidates.map(({ name }) => name));
  return async (context, manifests) => {
    const input = { manifests, ownSides };
    const state = await stateOf(context, input);
    const switches = state.groups.flatMap((group) => {
      const to = otherSide(group.serving);
      const waits = group.workloads.some(({ object }) => names.has(refOn(group, to, object).name));
      return waits ? [{ group, from: group.serving, to }] : [];
    });
    return {
      manifests: arrangedOn(manifests, state, sideNow),
      plan: (prepared) => {
        refusePaused(besides(prepared, state, switches));
        refuseWithoutUnion(state, switches);
        return Promise.resolve({
          run: async (run) => {
            if (force) await assertPresent(run, candidates);
            else await lookAtSides(run, state, switches, 'verify', prepared);
            return await switchOver(run, input, switches, numbers);
          },
        });
      },
    };
  };
}
