/** docs/rollout-rules.md: the rules as the code has them. Classes and graces of the signs come from the code at work on samples. */
import type { JsonObject } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { controllerSigns } from '../../src/rollout/failures/controller.ts';
import type { ObjectEvent } from '../../src/rollout/failures/events.ts';
import { withHeldDevice } from '../../src/rollout/failures/held-device.ts';
import { defaultGraces } from '../../src/rollout/failures/graces.ts';
import { podSigns } from '../../src/rollout/failures/pod.ts';
import type { Sign } from '../../src/rollout/failures/sign.ts';
import { lostNodeSigns } from '../../src/rollout/node-loss.ts';
import { withQueue } from '../../src/rollout/queue/sign.ts';
import { rules } from '../../src/rollout/readiness/index.ts';
import {
  conditionAt,
  crashed,
  eventOn,
  live,
  liveDeployment,
  podOf,
  replicaSetOf,
  start,
  timeAt,
  waiting,
} from '../../test/support/rollout-objects.ts';
import { markdownTable } from './markdown-table.ts';

export function rolloutRulesPage(): string {
  return `# When a rollout is ready, and when it has failed

Made by \`script/docs\` from \`src/rollout\`.

After the manifests are applied, every object is judged by the rule of its kind until all are ready, one has failed, or the
time is up. A status counts only once its controller has seen the generation that was written, and nothing reported before the
write counts against it. Where a controller names no generation, a failure that it still reports 30 s after the write counts.

## Ready and failed, by kind

${markdownTable(['Kind', 'Ready when', 'Failed when', 'Source'], rules.map(ruleRow))}

Every other kind is ready when it is applied. If it has a condition \`Ready\` (or else \`Available\`) and a numeric
\`observedGeneration\`, in that condition or in its status, it is ready when the condition is True for this generation; if its condition
\`Stalled\` is True, it has failed.

"Accepted" means: the run does not wait for it, and the log and the summary say so.

## Rules of your own

The input \`await\` says when custom resources are ready and when they have failed, one rule per line:

\`\`\`yaml
await: |
  Widget.example.com ready .status.phase == Running
  Widget.example.com failed .status.phase == Error after 60s
  Widget.example.com/archive never
\`\`\`

A line names the kind with its API group, without a version; \`/NAME\` makes it about one object, for which it replaces the lines about the
kind. What follows is one of these:

| Line | What it says |
| --- | --- |
| \`ready WHAT\` | it is ready when this holds; of several such lines, all must hold |
| \`failed WHAT\` | it has failed when this holds; of several such lines, one is enough |
| \`failed WHAT after 60s\` | the same, once it has held for that long |
| \`never\` | the run does not wait for it |

| WHAT | What it says |
| --- | --- |
| \`PATH == VALUE\`, or with \`!=\`, \`>\`, \`>=\`, \`<\`, \`<=\` | the value at the path compares so; paths are those of \`json\` in [\`verify\`](verify.md) |
| \`PATH exists\` | there is a value, and it is not null |
| \`condition TYPE\` | the newest condition of that type is True; \`condition TYPE == False\` and \`== Unknown\` work too |

\`\`\`yaml
await: |
  # Ready when both hold. A condition that is True for less than 2 minutes does no harm.
  Database.db.example.com ready condition Ready
  Database.db.example.com ready .status.readyReplicas >= 3
  Database.db.example.com failed condition Degraded after 2m
\`\`\`

- Values that look like numbers compare as numbers, also where the object has them as text. Put a value in quotes to compare it as text: \`"1.10"\`.
- A path that leads nowhere means that the object is still on its way: it makes nothing ready and nothing failed. While the run waits, and when time runs
  out, it says which paths are not set and which values it found instead.
- Where the object has an \`observedGeneration\`, nothing counts before that is the generation that was written. Where it has none, a status that is the
  same as before the write counts once it has stayed so for 10 s.
- Lines with \`ready\` replace the rule of the kind in the table above. Lines with \`failed\` alone add to it; a kind that is not in the
  table needs a line with \`ready\`, too. The pods of kinds that run pods
  are still checked for signs of failure.
- Kinds of Kubernetes itself keep their rules. \`never\` is possible for those of them that run no pods.
- Each revision records the lines that it was deployed with. \`status\`, \`abort\` and \`scale\` judge the live revision by its lines. A promotion or a rollback
  waits by those of the revision that it brings in, unless its own \`await\` has lines: then those count, and are recorded. A deploy that changes
  nothing records nothing, so new lines count from the next change on.

## Signs of failure

While a workload is not ready, its new pods and their controller are checked for signs of failure. Pods of older versions and
terminating pods do not count; for pods that their node has evicted or rejected, only what the node says counts.

- **at once**: it cannot recover without a change, so the wait ends.
- **after**: it may recover; the wait ends once it has lasted that long.
- **never**: it does not end the wait; the log reports it, and it is the cause if time runs out.

${markdownTable(
  ['What is seen', 'Where', 'Ends the wait'],
  samples.map(([what, where, signs]) => [what, where, endsOf(signs)]),
)}

What a pod is busy with (mounting volumes, pulling an image, running an init container, starting a sidecar or a container, loading
weights, compiling) does not end the wait by itself; the log reports it with the time it takes, and it is the cause if time runs out and
nothing above is seen. A wait in which nothing gets further for \`no-progress-timeout\` ends ([models.md](models.md#what-it-waits-for)).

On an object that this run did not change, while it changed others, no sign ends the wait in the first 30 s: it may be broken
only because it lacks what was just changed.

A DaemonSet also wants a pod on a node that is down. Once the new version runs on all other nodes it is accepted, and the log
and the summary name the nodes that the run did not wait for.
`;
}

function ruleRow({ kinds, ready, failed, source }: (typeof rules)[number]): string[] {
  return [kindsOf(kinds), ready, failed, source];
}

/** `Pod`, `Rollout (argoproj.io)`, `all of *.crossplane.io`: other groups may have kinds of the same name. */
function kindsOf(kinds: (typeof rules)[number]['kinds']): string {
  if (kinds.every((kind) => isBuiltIn(kind.group))) return kinds.map(({ kind }) => kind).join(', ');
  const byGroup = [...Map.groupBy(kinds, ({ group }) => group)];
  return byGroup
    .map(([group, entries]) => {
      const names = entries.map(({ kind }) => kind).join(', ');
      return names === '*' ? `all of \`${group}\`` : `${names} (\`${group}\`)`;
    })
    .join(', ');
}

function isBuiltIn(group: string): boolean {
  return !group.includes('.') || group.endsWith('.k8s.io');
}

function endsOf(signs: readonly Sign[]): string {
  const [sign] = signs;
  if (sign === undefined) throw new Error('a sample of a sign shows no sign');
  switch (sign.state) {
    case 'final':
      return 'at once';
    case 'mayHeal':
      return `after ${sign.graceMs / 1000} s`;
    case 'diagnostic':
      return 'never';
  }
}

const containerState = 'state of the container';
const podEvent = 'event of the pod';
const controllerSays = 'ReplicaFailure of the ReplicaSet, else FailedCreate events';

const samples: readonly [what: string, where: string, signs: Sign[]][] = [
  ['The image name is not valid', containerState, ofContainer(waiting('InvalidImageName'))],
  ['The image is not on the node and may not be pulled', containerState, ofContainer(waiting('ErrImageNeverPull'))],
  ['The image is not found', containerState, ofPull('registry.test/web:2: not found')],
  ['The registry denies access (401, 403)', containerState, ofPull('unexpected status: 401 Unauthorized')],
  [
    'The image is not built for the CPU architecture of the nodes',
    containerState,
    ofPull('no match for platform in manifest'),
  ],
  ['The registry limits the rate (429)', containerState, ofPull('429 Too Many Requests')],
  ['The name of the registry does not resolve', containerState, ofPull('dial tcp: lookup registry.test: no such host')],
  ['The registry cannot be reached', containerState, ofPull('dial tcp 192.0.2.1:443: connect: connection refused')],
  [
    'A ConfigMap, a Secret or a key of one is missing',
    containerState,
    ofContainer(waiting('CreateContainerConfigError', 'configmap "settings" not found')),
  ],
  [
    'The container may not run as root, and its image does (`runAsNonRoot`)',
    containerState,
    ofContainer(waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root')),
  ],
  [
    'The program of the container is missing, or built for another processor',
    containerState,
    ofContainer(waiting('RunContainerError', 'exec: "serve": executable file not found in $PATH')),
  ],
  ['The runtime cannot start the container', containerState, ofContainer(waiting('CreateContainerError', 'unknown'))],
  ['The container crashed once', containerState, ofContainer(crashed(1))],
  ['The container crashed and was restarted twice (memory limit included)', containerState, ofContainer(crashed(2))],
  [
    'The same, while other pods of the version are ready: up to three restarts',
    containerState,
    ofContainer(crashed(3), true),
  ],
  ['The same with a fourth restart', containerState, ofContainer(crashed(4), true)],
  [
    'The container of a pod with a GPU crashes while an old pod on the same node, with the same device, is terminating',
    containerState,
    ofHeldDevice(),
  ],
  [
    'A pod of a Job crashes: its `backoffLimit` decides',
    containerState,
    ofPod(podOf(undefined, { containers: [crashed(4)], spec: { restartPolicy: 'OnFailure' } })),
  ],
  ['No node fits (the default of `unschedulable-grace`)', 'condition PodScheduled', ofPod(unschedulable())],
  [
    'No node fits, and the cluster autoscaler reports that it cannot help (half of `unschedulable-grace`)',
    `PodScheduled and ${podEvent}`,
    ofPod(unschedulable(), [eventOn(unschedulable(), 'NotTriggerScaleUp', 'no', { type: 'Normal' })]),
  ],
  [
    'No node fits, and the cluster autoscaler is adding one',
    `PodScheduled and ${podEvent}`,
    ofPod(unschedulable(), [eventOn(unschedulable(), 'TriggeredScaleUp', 'yes', { type: 'Normal' })]),
  ],
  [
    'No node fits, and the cluster autoscaler failed to add one: it tries elsewhere',
    `PodScheduled and ${podEvent}`,
    ofPod(unschedulable(), [eventOn(unschedulable(), 'FailedScaleUp', 'quota exceeded')]),
  ],
  [
    'No node fits, and the pod waits for a flex-start node or a ProvisioningRequest',
    `PodScheduled and ${podEvent}`,
    ofPod(flexStart()),
  ],
  [
    'A PersistentVolumeClaim is missing',
    'condition PodScheduled',
    ofPod(unschedulable('persistentvolumeclaim "data" not found')),
  ],
  [
    'A PersistentVolumeClaim names a StorageClass that is missing',
    'PodScheduled and event of the claim',
    ofClaim('ProvisioningFailed', 'storageclass.storage.k8s.io "fast" not found'),
  ],
  [
    'A PersistentVolumeClaim has no StorageClass, and no PersistentVolume is free for it',
    'PodScheduled and event of the claim',
    ofClaim('FailedBinding', 'no persistent volumes available for this claim and no storage class is set'),
  ],
  [
    'The provisioner of a PersistentVolumeClaim does not create the volume',
    'PodScheduled and event of the claim',
    ofClaim('ExternalProvisioning', "Waiting for a volume to be created by the external provisioner 'disks'"),
  ],
  [
    'A ResourceClaimTemplate is missing',
    podEvent,
    ofEvent('FailedResourceClaimCreation', 'resource claim template "gpu": "gpu" not found'),
  ],
  [
    'A scheduling gate holds the pod back',
    'condition PodScheduled',
    ofPod(podOf(undefined, { conditions: [conditionAt('PodScheduled', 'False', 'SchedulingGated')] })),
  ],
  [
    'The pod waits in a queue of Kueue: for quota, its turn, an admission check, or while the queue is not active',
    'Workload of the pod',
    ofQueue('WaitingForQuota'),
  ],
  [
    'Kueue will never admit the pod: more than the maximum of its queue, no flavor that fits, a queue that is missing, a Workload that is deactivated, an admission check that was rejected (as long as `unschedulable-grace`, without a break)',
    'Workload of the pod',
    ofQueue('ExceedsMaxQuota'),
  ],
  [
    'The scheduler that the pod names, or its node, ignores it for 10 s',
    'the pod has no such condition',
    podSigns(podOf(undefined, { metadata: { creationTimestamp: timeAt(0) } }), [], false, start + 60_000),
  ],
  ['A volume names a ConfigMap or Secret that is missing', podEvent, ofEvent('FailedMount', 'secret "tls" not found')],
  [
    'A volume names a key that its ConfigMap or Secret does not have',
    podEvent,
    ofEvent('FailedMount', 'configmap references non-existent config key: frontend.conf'),
  ],
  ['Another mount, a disk or the network of the pod fails', podEvent, ofEvent('FailedAttachVolume', 'timed out')],
  [
    'A probe fails for the third time',
    podEvent,
    ofEvent('Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503'),
  ],
  [
    'A readiness gate is not True for 5 s although all containers are ready',
    'conditions of the pod',
    ofReadinessGate(),
  ],
  ['A node has evicted or rejected the pod', 'reason of the pod', ofEviction()],
  ['The node of the pod is down', 'condition Ready of the node', ofLostNode()],
  ['Pods would exceed a quota', controllerSays, ofCreation('exceeded quota: pods, requested: pods=1, used: pods=3')],
  ['PodSecurity forbids the pods', controllerSays, ofCreation('violates PodSecurity "restricted:latest": privileged')],
  [
    'An admission webhook or policy denies them',
    controllerSays,
    ofCreation('admission webhook "x" denied the request: no'),
  ],
  ['A webhook cannot be called', controllerSays, ofCreation('failed calling webhook "x": connection refused')],
  ['The ServiceAccount is missing', controllerSays, ofCreation('error looking up service account shop/web: not found')],
  ['The PriorityClass is missing', controllerSays, ofCreation('no PriorityClass with name high was found')],
  ['A LimitRange forbids the pods', controllerSays, ofCreation('maximum cpu usage per Container is 1, but limit is 2')],
];

function ofPod(pod: KubernetesObject, events: readonly ObjectEvent[] = [], healthySiblings = false): Sign[] {
  return podSigns(pod, events, healthySiblings, start);
}

function ofContainer(status: JsonObject, healthySiblings = false): Sign[] {
  return ofPod(podOf(undefined, { containers: [status] }), [], healthySiblings);
}

function ofPull(message: string): Sign[] {
  return ofContainer(waiting('ErrImagePull', `failed to pull and unpack image: ${message}`));
}

function unschedulable(why = '1 Insufficient cpu'): KubernetesObject {
  const message = `0/1 nodes are available: ${why}.`;
  const scheduled = conditionAt('PodScheduled', 'False', 'Unschedulable', message);
  return podOf(undefined, { conditions: [scheduled] });
}

function flexStart(): KubernetesObject {
  return { ...unschedulable(), spec: { nodeSelector: { 'cloud.google.com/gke-flex-start': 'true' } } };
}

function ofQueue(reason: string): Sign[] {
  const gated = conditionAt('PodScheduled', 'False', 'SchedulingGated');
  const spec = { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] };
  const pod = podOf(undefined, { spec, conditions: [gated] });
  const workload = live('Workload', {
    apiVersion: 'kueue.x-k8s.io/v1beta2',
    metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'web-a', uid: pod.metadata.uid ?? '' }] },
    status: { conditions: [conditionAt('QuotaReserved', 'False', reason)] },
  });
  const graceMs = defaultGraces.unschedulableMs;
  const look = { workloads: [workload], now: start, graceMs, barredSince: new Map<string, number>() };
  // How long it has lasted is counted there.
  return withQueue(pod, ofPod(pod), look).map((sign) => (sign.state === 'mayHeal' ? { ...sign, graceMs } : sign));
}

function ofHeldDevice(): Sign[] {
  const containers = [{ name: 'web', resources: { limits: { 'nvidia.com/gpu': '1' } } }];
  const spec = { nodeName: 'node-1', containers };
  const pod = podOf(undefined, { spec, containers: [crashed(2)] });
  const old = podOf(undefined, { spec, metadata: { uid: 'old', deletionTimestamp: timeAt(30) } });
  return withHeldDevice(pod, ofPod(pod), { old: [old], now: start, lastHeld: new Map() });
}

function ofLostNode(): Sign[] {
  const node = live('Node', {
    apiVersion: 'v1',
    metadata: { name: 'node-1' },
    status: { conditions: [conditionAt('Ready', 'Unknown', 'NodeStatusUnknown')] },
  });
  return lostNodeSigns([podOf(undefined, { spec: { nodeName: 'node-1' } })], [node]);
}

function ofEvent(reason: string, message: string): Sign[] {
  const pod = podOf(undefined, reason === 'Unhealthy' ? { phase: 'Running' } : {});
  return ofPod(pod, [eventOn(pod, reason, message, { count: 3 })]);
}

function ofClaim(reason: string, message: string): Sign[] {
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'web' } }];
  const scheduled = unschedulable('pod has unbound immediate PersistentVolumeClaims');
  const pod = { ...scheduled, spec: { volumes } };
  return ofPod(pod, [eventOn(live('PersistentVolumeClaim'), reason, message)]);
}

function ofReadinessGate(): Sign[] {
  const spec = { readinessGates: [{ conditionType: 'shop.test/registered' }] };
  const pod = podOf(undefined, { spec, conditions: [conditionAt('ContainersReady', 'True')] });
  return podSigns(pod, [], false, start + 60_000);
}

function ofEviction(): Sign[] {
  const status = { reason: 'Evicted', message: 'The node was low on resource: memory.' };
  return ofPod(podOf(replicaSetOf(liveDeployment()), { phase: 'Failed', status }));
}

function ofCreation(message: string): Sign[] {
  const conditions = [conditionAt('ReplicaFailure', 'True', 'FailedCreate', message, 1)];
  return controllerSigns(replicaSetOf(liveDeployment(), { conditions }), [], start);
}
