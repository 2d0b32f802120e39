import { container, deployment, sampleImage } from '../../support/objects.ts';

export interface BrokenCase {
  /** The name of the release and of its workload, and the beginning of its namespace. */
  name: string;
  /** What is broken, in the words of whoever broke it. */
  cause: string;
  objects: readonly object[];
  inputs?: Record<string, string>;
  /** What an administrator had put there before; `namespace` is the one of the case. */
  before?: (namespace: string) => readonly object[];
  /** Wait until pods of the namespace are refused. */
  untilRefused?: boolean;
  reason: string;
  /** The whole sentence; the namespace of the case reads as `shop`. */
  says: string | RegExp;
  hint: string;
  /** Nothing: soon after the first sign. `late`: what may well heal gets a minute. `timeout`: it may heal at any time. */
  ends?: 'late' | 'timeout' | 'before the write';
  /** Seconds from the first sign to the sentence, where 15 cannot be kept. */
  within?: number;
  /** Words that the summary shows beside it. */
  evidence?: string;
}

/** Short enough for a suite, long enough for pods to start and to be looked at. */
const short = { timeout: '10s' };

/** A crash counts as final at the third start in a row, and the kubelet waits 10 s before that one. */
const secondsOfThreeStarts = 20;

const crash = { CRASH_AFTER: '0', EXIT_CODE: '3', CRASH_MESSAGE: 'fatal: no database' };
const crashes = 'keeps crashing (exit code 3, 2 restarts)';
const seeLog = 'Check the last lines of its log.';
const seeProbe = 'Check its log, and path, port and delays of the probe.';
const makeRoom = 'Lower the pod requests, free up or add nodes, or fix its nodeSelector, affinity and tolerations.';
const supplyConfig = 'Add the ConfigMap or Secret to the manifests, or fix its name or key.';

const images: BrokenCase[] = [
  {
    name: 'no-tag',
    cause: 'a tag that nobody pushed',
    objects: [deployment('no-tag', { image: 'registry.test/pulled/ctwoc:9.9.9' })],
    reason: 'ImagePull',
    says: 'Deployment "no-tag": container "web": image "registry.test/pulled/ctwoc:9.9.9" not found',
    hint: 'Fix the tag, or push the image first.',
  },
  {
    name: 'no-repository',
    cause: 'a repository that does not exist',
    objects: [deployment('no-repository', { image: 'registry.test/shop/wbe:1.0.0' })],
    reason: 'ImagePull',
    says: 'Deployment "no-repository": container "web": image "registry.test/shop/wbe:1.0.0" not found',
    hint: 'Fix the tag, or push the image first.',
  },
  {
    name: 'denied',
    cause: 'an image that asks for credentials',
    objects: [deployment('denied', { image: 'registry.test/denied/ctwoc:1.0.0' })],
    reason: 'ImagePull',
    says: 'Deployment "denied": container "web": image "registry.test/denied/ctwoc:1.0.0" cannot be pulled: access denied by the registry',
    hint: 'Check that the image exists, and give the pods an imagePullSecret or the nodes read access to it.',
  },
  {
    name: 'limited',
    cause: 'a registry that limits the rate',
    objects: [deployment('limited', { image: 'registry.test/limited/ctwoc:1.0.0' })],
    inputs: short,
    ends: 'timeout',
    reason: 'ImagePull',
    says: 'Deployment "limited": container "web": image "registry.test/limited/ctwoc:1.0.0" cannot be pulled now: rate-limited by the registry',
    hint: 'Wait, sign in to the registry with an imagePullSecret, or use a mirror.',
  },
  {
    name: 'no-host',
    cause: 'a registry whose name does not resolve',
    objects: [deployment('no-host', { image: 'regsitry.test/ctwoc:1.0.0' })],
    inputs: { timeout: '90s' },
    ends: 'late',
    reason: 'ImagePull',
    says: 'Deployment "no-host": container "web": image "regsitry.test/ctwoc:1.0.0" cannot be pulled: the registry name does not resolve',
    hint: 'Fix the registry in the image, or the DNS of the nodes.',
  },
  {
    name: 'refused',
    cause: 'a registry that refuses connections',
    objects: [deployment('refused', { image: '127.0.0.1:1/ctwoc:1.0.0' })],
    inputs: short,
    ends: 'timeout',
    reason: 'ImagePull',
    says: 'Deployment "refused": container "web": image "127.0.0.1:1/ctwoc:1.0.0" cannot be pulled: the registry is unreachable (connect: connection refused)',
    hint: 'Check that the nodes can reach the registry.',
  },
  {
    name: 'upper',
    cause: 'an image name with capitals',
    objects: [deployment('upper', { image: 'registry.test/Shop/Web:1' })],
    ends: 'before the write',
    reason: 'InvalidInput',
    says: 'the image of container "web" in Deployment "upper": "registry.test/Shop/Web:1" is not an image reference',
    hint: 'Write REPOSITORY:TAG or REPOSITORY@sha256:DIGEST, the repository in lower case.',
  },
  {
    name: 'never-pull',
    cause: 'imagePullPolicy Never, and the image is not on the node',
    objects: [deployment('never-pull', { image: 'registry.test/pulled/ctwoc:7', imagePullPolicy: 'Never' })],
    reason: 'ErrImageNeverPull',
    says: 'Deployment "never-pull": container "web": image "registry.test/pulled/ctwoc:7" is not on the node, and imagePullPolicy is Never',
    hint: 'Load it onto the nodes, or change imagePullPolicy.',
  },
  {
    name: 'agent',
    cause: 'a DaemonSet with a tag that nobody pushed',
    objects: [asKind('DaemonSet', deployment('agent', { image: 'registry.test/pulled/agent:9.9.9' }))],
    reason: 'ImagePull',
    says: 'DaemonSet "agent": container "web": image "registry.test/pulled/agent:9.9.9" not found',
    hint: 'Fix the tag, or push the image first.',
  },
];

const configuration: BrokenCase[] = [
  {
    name: 'no-configmap',
    cause: 'variables from a ConfigMap that is not there',
    objects: [deployment('no-configmap', { envFrom: [{ configMapRef: { name: 'settings' } }] })],
    reason: 'CreateContainerConfigError',
    says: 'Deployment "no-configmap": container "web" cannot be created: configmap "settings" not found',
    hint: supplyConfig,
  },
  {
    name: 'no-key',
    cause: 'a key that the ConfigMap does not have',
    objects: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: { colour: 'red' } },
      withVariable('no-key', { configMapKeyRef: { name: 'settings', key: 'color' } }),
    ],
    reason: 'CreateContainerConfigError',
    says: 'Deployment "no-key": container "web" cannot be created: couldn\'t find key color in ConfigMap shop/settings',
    hint: supplyConfig,
  },
  {
    name: 'no-secret',
    cause: 'a variable from a Secret that is not there',
    objects: [withVariable('no-secret', { secretKeyRef: { name: 'database', key: 'password' } })],
    reason: 'CreateContainerConfigError',
    says: 'Deployment "no-secret": container "web" cannot be created: secret "database" not found',
    hint: supplyConfig,
  },
  {
    name: 'no-configmap-volume',
    cause: 'a volume from a ConfigMap that is not there',
    objects: [withVolume('no-configmap-volume', { configMap: { name: 'settings' } })],
    reason: 'FailedMount',
    says: 'Deployment "no-configmap-volume": volume "data" cannot be mounted: there is no ConfigMap "settings"',
    hint: 'Add the ConfigMap to the manifests, or fix its name.',
  },
  {
    name: 'no-secret-volume',
    cause: 'a volume from a Secret that is not there',
    objects: [withVolume('no-secret-volume', { secret: { secretName: 'certificate' } })],
    reason: 'FailedMount',
    says: 'Deployment "no-secret-volume": volume "data" cannot be mounted: there is no Secret "certificate"',
    hint: 'Add the Secret to the manifests, or fix its name.',
  },
];

const programs: BrokenCase[] = [
  {
    name: 'crash',
    cause: 'a server that crashes at its start',
    objects: [deployment('crash', { env: crash })],
    reason: 'CrashLoopBackOff',
    says: `Deployment "crash": container "web" ${crashes}`,
    hint: seeLog,
    within: secondsOfThreeStarts,
    evidence: 'fatal: no database',
  },
  {
    name: 'ends',
    cause: 'a server whose program ends with exit code 0',
    objects: [deployment('ends', { args: ['job', '-print', 'all done'] })],
    reason: 'CrashLoopBackOff',
    says: 'Deployment "ends": container "web" keeps exiting (exit code 0: its program has finished; 2 restarts)',
    hint: 'Its program has to keep running: check its command.',
    within: secondsOfThreeStarts,
    evidence: 'all done',
  },
  {
    name: 'init',
    cause: 'an init container that crashes',
    objects: [
      deployment('init', {
        pod: {
          initContainers: [
            { name: 'migrate', image: sampleImage, args: ['job', '-exit', '4', '-print', 'no such table'] },
          ],
        },
      }),
    ],
    reason: 'CrashLoopBackOff',
    says: 'Deployment "init": init container "migrate" keeps crashing (exit code 4, 2 restarts)',
    hint: seeLog,
    within: secondsOfThreeStarts,
    evidence: 'no such table',
  },
  {
    name: 'sidecar',
    cause: 'a native sidecar that crashes',
    objects: [deployment('sidecar', { pod: { initContainers: [{ ...sidecar('proxy'), restartPolicy: 'Always' }] } })],
    reason: 'CrashLoopBackOff',
    says: `Deployment "sidecar": sidecar container "proxy" ${crashes}`,
    hint: seeLog,
    within: secondsOfThreeStarts,
    evidence: 'fatal: no database',
  },
  {
    name: 'second',
    cause: 'the second of two containers crashes',
    objects: [
      deployment('second', { pod: { containers: [container({ env: { READY_DELAY: '3s' } }), sidecar('metrics')] } }),
    ],
    reason: 'CrashLoopBackOff',
    says: `Deployment "second": container "metrics" ${crashes}`,
    hint: seeLog,
    within: secondsOfThreeStarts,
    evidence: 'fatal: no database',
  },
  {
    name: 'memory',
    cause: 'more memory than the limit allows',
    objects: [
      deployment('memory', {
        env: { START_DELAY: '60s', MEMORY_GROWTH: '400' },
        resources: { limits: { memory: '64Mi' } },
      }),
    ],
    reason: 'OOMKilled',
    says: 'Deployment "memory": container "web" was killed for exceeding its memory limit (OOMKilled, exit code 137, 2 restarts)',
    hint: 'Raise resources.limits.memory, or reduce its memory usage.',
    within: secondsOfThreeStarts,
  },
  {
    name: 'no-program',
    cause: 'a command that the image does not have',
    objects: [deployment('no-program', { command: ['gunicorn', 'app:app'] })],
    reason: 'RunContainerError|StartError|CrashLoopBackOff',
    says: 'Deployment "no-program": container "web" cannot start: there is no program "gunicorn" in the image',
    hint: 'Fix "command" in the manifest, or the entrypoint of the image.',
  },
  {
    name: 'not-executable',
    cause: 'a command that is no program',
    objects: [deployment('not-executable', { command: ['/etc/hostname'] })],
    reason: 'RunContainerError|StartError|CrashLoopBackOff',
    says: 'Deployment "not-executable": container "web" cannot start: "/etc/hostname" is not executable',
    hint: 'Make it executable in the image.',
  },
  {
    name: 'stateful',
    cause: 'a StatefulSet whose pod crashes',
    objects: [asKind('StatefulSet', deployment('stateful', { replicas: 2, env: crash }))],
    reason: 'CrashLoopBackOff',
    says: `StatefulSet "stateful": container "web" ${crashes}`,
    hint: seeLog,
    within: secondsOfThreeStarts,
    evidence: 'fatal: no database',
  },
  {
    name: 'bare',
    cause: 'a Pod that fails',
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'bare' },
        spec: {
          restartPolicy: 'Never',
          containers: [{ ...container({ env: crash }), name: 'check' }],
        },
      },
    ],
    reason: 'Failed',
    says: 'Pod "bare": failed: a container ended with an error; container "check" crashed (exit code 3)',
    hint: 'Check the logs of its containers.',
    evidence: 'fatal: no database',
  },
  {
    name: 'migrate',
    cause: 'a Job that fails at every try',
    objects: [job('migrate', { backoffLimit: 0 }, ['job', '-exit', '4', '-print', 'no such table'])],
    reason: 'BackoffLimitExceeded',
    says: 'Job "migrate": failed: Job has reached the specified backoff limit; container "migrate" crashed (exit code 4)',
    hint: 'Check the logs of its pods; raise backoffLimit if it should be retried more often.',
    evidence: 'no such table',
  },
  {
    name: 'slow-job',
    cause: 'a Job that takes longer than it may',
    objects: [job('slow-job', { activeDeadlineSeconds: 3 }, ['job', '-sleep', '60s', '-print', 'counting'])],
    reason: 'DeadlineExceeded',
    says: 'Job "slow-job": failed: Job was active longer than specified deadline',
    hint: 'Find out why it takes so long, or raise activeDeadlineSeconds.',
  },
];

const probes: BrokenCase[] = [
  {
    name: 'liveness',
    cause: 'a liveness probe that never passes',
    objects: [
      deployment('liveness', {
        env: { NEVER_READY: 'true' },
        livenessProbe: { httpGet: { path: '/nothing-here', port: 8080 }, periodSeconds: 1, failureThreshold: 2 },
      }),
    ],
    reason: 'Unhealthy',
    says: 'Deployment "liveness": container "web" is killed by its liveness probe (GET /nothing-here): it answers with status 404 (2 restarts)',
    hint: seeProbe,
    within: secondsOfThreeStarts,
  },
  {
    name: 'readiness',
    cause: 'a readiness probe that never passes',
    objects: [deployment('readiness', { env: { NEVER_READY: 'true' } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unhealthy',
    says: 'Deployment "readiness": container "web": its readiness probe (GET /readyz) fails: it answers with status 503',
    hint: seeProbe,
  },
  {
    name: 'readiness-port',
    cause: 'a readiness probe on a port where nothing listens',
    objects: [deployment('readiness-port', { readinessProbe: { tcpSocket: { port: 9090 }, periodSeconds: 1 } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unhealthy',
    says: /^Deployment "readiness-port": container "web": its readiness probe \(TCP port 9090\) fails: (?:nothing is listening on port 9090|no response within 1s)$/,
    hint: seeProbe,
  },
  {
    name: 'startup',
    cause: 'a startup probe that never passes',
    objects: [
      deployment('startup', {
        startupProbe: { httpGet: { path: '/nothing-here', port: 8080 }, periodSeconds: 1, failureThreshold: 2 },
      }),
    ],
    reason: 'Unhealthy',
    says: 'Deployment "startup": container "web" is killed by its startup probe (GET /nothing-here): it answers with status 404 (2 restarts)',
    hint: seeProbe,
    within: secondsOfThreeStarts,
  },
  {
    name: 'deadline',
    cause: 'no progress within progressDeadlineSeconds',
    objects: [deployment('deadline', { env: { NEVER_READY: 'true' }, spec: { progressDeadlineSeconds: 6 } })],
    reason: 'ProgressDeadlineExceeded',
    says: 'Deployment "deadline": made no progress for 6s (spec.progressDeadlineSeconds); container "web": its readiness probe (GET /readyz) fails: it answers with status 503',
    hint: 'Check what its pods are waiting for; raise progressDeadlineSeconds if they just need more time.',
  },
];

const nodes: BrokenCase[] = [
  {
    name: 'cpu',
    cause: 'more cpu than any node has',
    objects: [deployment('cpu', { resources: { requests: { cpu: '500' } } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "cpu": pod cannot be scheduled: not enough cpu\b.*; even an empty node is too small$/,
    hint: tooLarge('cpu'),
  },
  {
    name: 'big',
    cause: 'more memory than any node has',
    objects: [deployment('big', { resources: { requests: { memory: '9Ti' } } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "big": pod cannot be scheduled: not enough memory\b.*; even an empty node is too small$/,
    hint: tooLarge('memory'),
  },
  {
    name: 'gpu',
    cause: 'a GPU that no node has',
    objects: [deployment('gpu', { resources: { limits: { 'nvidia.com/gpu': '1' } } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "gpu": pod cannot be scheduled: not enough nvidia\.com\/gpu\b.*; even an empty node is too small$/,
    hint: tooLarge('nvidia.com/gpu'),
  },
  {
    name: 'selector',
    cause: 'a nodeSelector that fits no node',
    objects: [deployment('selector', { pod: { nodeSelector: { 'cloud.google.com/gke-accelerator': 'nvidia-l4' } } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "selector": pod cannot be scheduled: \d+ nodes? do(?:es)? not match its nodeSelector or affinity\b/,
    hint: makeRoom,
  },
  {
    name: 'taint',
    cause: 'a taint that the pod does not tolerate',
    objects: [deployment('taint', { pod: { nodeSelector: { 'diagnosis.test/pool': 'tainted' } } })],
    before: () => [
      {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'diagnosis-tainted', labels: { 'diagnosis.test/pool': 'tainted' } },
        spec: { taints: [{ key: 'nvidia.com/gpu', value: 'present', effect: 'NoSchedule' }] },
      },
    ],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "taint": pod cannot be scheduled: .*\bha(?:s|ve) (?:a taint|the taint "nvidia\.com\/gpu") that it does not tolerate \(0 of \d+ nodes fit\)$/,
    hint: makeRoom,
  },
  {
    name: 'storage',
    cause: 'a claim whose StorageClass is not there',
    objects: [
      claim('storage', { storageClassName: 'fast' }),
      withVolume('storage', { persistentVolumeClaim: { claimName: 'storage' } }),
    ],
    reason: 'Unschedulable',
    says: 'Deployment "storage": PersistentVolumeClaim "storage" is not bound: there is no StorageClass "fast"',
    hint: 'Fix storageClassName, or create the StorageClass.',
  },
  {
    name: 'no-claim',
    cause: 'a claim that is not there',
    objects: [withVolume('no-claim', { persistentVolumeClaim: { claimName: 'data' } })],
    reason: 'Unschedulable',
    says: 'Deployment "no-claim": there is no PersistentVolumeClaim "data"',
    hint: 'Add the PersistentVolumeClaim to the manifests, or fix its name.',
  },
];

/** What the cluster tells nowhere in one sentence: the pod waits for somebody. */
const waits: BrokenCase[] = [
  {
    name: 'ready-gate',
    cause: 'a readiness gate that nobody sets',
    objects: [deployment('ready-gate', { pod: { readinessGates: [{ conditionType: 'shop.test/registered' }] } })],
    inputs: { timeout: '15s' },
    ends: 'timeout',
    reason: 'ReadinessGatesNotReady',
    says: 'Deployment "ready-gate": its containers are ready, but its readiness gate "shop.test/registered" is not set',
    hint: 'Check that the controller that sets it is running and handles these pods, or remove it from readinessGates.',
  },
  {
    name: 'gate',
    cause: 'a scheduling gate that nobody takes away',
    objects: [deployment('gate', { pod: { schedulingGates: [{ name: 'shop.test/approved' }] } })],
    inputs: short,
    ends: 'timeout',
    reason: 'SchedulingGated',
    says: 'Deployment "gate": the scheduling gate "shop.test/approved" holds it back from the scheduler',
    hint: 'Check that the controller that removes the gate is running, or remove it from schedulingGates.',
  },
  {
    name: 'kueue',
    cause: 'a queue of Kueue without quota',
    objects: [
      labelled(deployment('kueue', { pod: { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] } }), {
        'kueue.x-k8s.io/queue-name': 'models',
      }),
    ],
    inputs: short,
    ends: 'timeout',
    reason: 'SchedulingGated',
    says: 'Deployment "kueue": queued by Kueue in "models" until there is quota for it',
    hint: 'Check the Workload that Kueue created for it, and the quota of its ClusterQueue.',
  },
  {
    name: 'endless-init',
    cause: 'an init container that never ends',
    objects: [
      deployment('endless-init', {
        pod: {
          initContainers: [
            { name: 'wait', image: sampleImage, args: ['job', '-sleep', '600s', '-print', 'waiting for the database'] },
          ],
        },
      }),
    ],
    inputs: short,
    ends: 'timeout',
    reason: 'ContainersNotInitialized',
    says: /^Deployment "endless-init": init container "wait" has been running for \d+s, and the other containers wait for it$/,
    hint: 'Check its log for what it is waiting for; raise the input "timeout" if it just needs more time.',
    evidence: 'waiting for the database',
  },
  {
    name: 'late-sidecar',
    cause: 'a native sidecar that does not start',
    objects: [
      deployment('late-sidecar', {
        pod: {
          initContainers: [
            {
              name: 'proxy',
              image: sampleImage,
              args: ['job', '-sleep', '600s', '-print', 'no route'],
              restartPolicy: 'Always',
              startupProbe: { exec: { command: ['/server', '-nothing'] }, periodSeconds: 60, failureThreshold: 5 },
            },
          ],
        },
      }),
    ],
    inputs: short,
    ends: 'timeout',
    reason: 'ContainersNotReady',
    says: /^Deployment "late-sidecar": sidecar container "proxy" has been starting for \d+s; its startup probe allows 5m$/,
    hint: 'Check its log; raise the input "timeout" if it just needs more time.',
    evidence: 'no route',
  },
  {
    name: 'no-scheduler',
    cause: 'a scheduler that does not exist',
    objects: [deployment('no-scheduler', { pod: { schedulerName: 'binpack' } })],
    inputs: { timeout: '15s' },
    ends: 'timeout',
    reason: 'NotScheduled',
    says: 'Deployment "no-scheduler": the scheduler "binpack" has not picked it up',
    hint: 'Fix schedulerName, or check that this scheduler is running.',
  },
  {
    name: 'ephemeral',
    cause: 'an ephemeral volume whose StorageClass is not there (kubernetes/kubernetes#77993)',
    objects: [withVolume('ephemeral', ephemeral({ storageClassName: 'fast' }))],
    reason: 'Unschedulable',
    says: 'Deployment "ephemeral": the claim of its ephemeral volume "data" is not bound: there is no StorageClass "fast"',
    hint: 'Fix storageClassName, or create the StorageClass.',
  },
  {
    name: 'no-class',
    cause: 'a claim without a StorageClass, and no volume for it',
    objects: [
      claim('no-class', { storageClassName: '' }),
      withVolume('no-class', { persistentVolumeClaim: { claimName: 'no-class' } }),
    ],
    inputs: { 'unschedulable-grace': '3s' },
    // Its controller says why only when it looks at the claim again.
    within: 30,
    reason: 'Unschedulable',
    says: 'Deployment "no-class": PersistentVolumeClaim "no-class" is not bound: it has no StorageClass, and no PersistentVolume is available for it',
    hint: 'Set storageClassName, make a StorageClass the default of the cluster, or create a PersistentVolume for it.',
  },
  {
    name: 'consumer',
    cause: 'a claim that waits for its first consumer, whose provisioner does not run',
    objects: [
      claim('consumer', { storageClassName: 'CLASS' }),
      withVolume('consumer', { persistentVolumeClaim: { claimName: 'consumer' } }),
    ],
    before: (namespace) => [
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: namespace },
        provisioner: 'disks.shop.test',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
    ],
    inputs: { timeout: '20s' },
    ends: 'timeout',
    reason: 'Unschedulable',
    says: 'Deployment "consumer": PersistentVolumeClaim "consumer" is not bound: its provisioner "disks.shop.test" has not created the volume yet',
    hint: 'Check that this provisioner is running, and what it reports for the claim.',
  },
  {
    name: 'devices',
    cause: 'devices by a ResourceClaimTemplate that is not there',
    objects: [
      deployment('devices', {
        resources: { claims: [{ name: 'gpu' }] },
        pod: { resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 'one-gpu' }] },
      }),
    ],
    reason: 'FailedResourceClaimCreation',
    says: 'Deployment "devices": its ResourceClaim "gpu" cannot be created: there is no ResourceClaimTemplate "one-gpu"',
    hint: 'Add the ResourceClaimTemplate to the manifests, or fix its name.',
  },
  {
    name: 'device',
    cause: 'devices by a ResourceClaim that is not there',
    objects: [
      deployment('device', {
        resources: { claims: [{ name: 'gpu' }] },
        pod: { resourceClaims: [{ name: 'gpu', resourceClaimName: 'shared-gpu' }] },
      }),
    ],
    inputs: { timeout: '15s' },
    ends: 'timeout',
    reason: 'NotScheduled',
    says: 'Deployment "device": the scheduler is waiting for its ResourceClaim "shared-gpu"',
    hint: 'Add the ResourceClaim to the manifests, or fix resourceClaimName.',
  },
  {
    name: 'spread',
    cause: 'a topology spread by a label that no node has',
    objects: [
      deployment('spread', {
        pod: {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'shop.test/rack',
              whenUnsatisfiable: 'DoNotSchedule',
              labelSelector: { matchLabels: { app: 'spread' } },
            },
          ],
        },
      }),
    ],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "spread": pod cannot be scheduled: .*1 node lacks the label that its topologySpreadConstraints use \(0 of \d+ nodes fit\)$/,
    hint: 'Fix topologyKey in its topologySpreadConstraints, or label the nodes.',
  },
  {
    name: 'lonely',
    cause: 'a pod affinity to pods that do not run',
    objects: [deployment('lonely', { pod: { affinity: { podAffinity: beside('cache') } } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "lonely": pod cannot be scheduled: .*1 node has no pod that its podAffinity requires \(0 of \d+ nodes fit\)$/,
    hint: 'Check that the pods its podAffinity requires are running, or fix it.',
  },
  {
    name: 'apart',
    cause: 'more replicas than nodes, with an anti-affinity between them',
    objects: [deployment('apart', { replicas: 2, pod: { affinity: { podAntiAffinity: beside('apart') } } })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "apart": pod cannot be scheduled: .*1 node has a pod that its podAntiAffinity excludes \(0 of \d+ nodes fit\)$/,
    hint: 'Add nodes, or make its podAntiAffinity a preferred one.',
  },
  {
    name: 'port',
    cause: 'more replicas than nodes, with a port of the node',
    objects: [deployment('port', { replicas: 2, ports: [{ containerPort: 8080, hostPort: 39_871 }] })],
    inputs: short,
    ends: 'timeout',
    reason: 'Unschedulable',
    says: /^Deployment "port": pod cannot be scheduled: .*1 node has no free hostPort for it \(0 of \d+ nodes fit\)$/,
    hint: 'Remove hostPort, or free it: a node has each port only once.',
  },
];

/** What a node finds when it starts the pod. */
const starts: BrokenCase[] = [
  {
    name: 'root',
    cause: 'runAsNonRoot, and an image that runs as root',
    objects: [
      deployment('root', {
        pod: { securityContext: { runAsNonRoot: true }, containers: [{ ...container(), name: 'key-service' }] },
      }),
    ],
    reason: 'CreateContainerConfigError',
    says: 'Deployment "root": container "key-service" must not run as root (runAsNonRoot), but its image runs as root',
    hint: 'Set runAsUser in its securityContext to a number other than 0, or give the image such a USER.',
  },
  {
    name: 'model',
    cause: 'an image volume whose image nobody pushed',
    objects: [withVolume('model', { image: { reference: 'registry.test/pulled/model:9.9.9' } })],
    reason: 'ImagePull',
    says: 'Deployment "model": volume "data": image "registry.test/pulled/model:9.9.9" not found',
    hint: 'Fix the tag, or push the image first.',
  },
  {
    name: 'driver',
    cause: 'a volume of a CSI driver that the nodes do not have',
    objects: [withVolume('driver', { csi: { driver: 'secrets-store.csi.k8s.io', readOnly: true } })],
    inputs: short,
    ends: 'timeout',
    reason: 'FailedMount',
    says: 'Deployment "driver": volume "data" cannot be mounted: the node has no CSI driver "secrets-store.csi.k8s.io"',
    hint: 'Install this driver on the nodes, or fix its name; it may also still be starting.',
  },
  {
    name: 'host-path',
    cause: 'a hostPath that is not on the node',
    objects: [withVolume('host-path', { hostPath: { path: '/no/such/folder', type: 'Directory' } })],
    inputs: short,
    ends: 'timeout',
    reason: 'FailedMount',
    says: 'Deployment "host-path": volume "data" cannot be mounted: /no/such/folder is not a directory',
    hint: 'Fix path and type of the hostPath, or create it on the node.',
  },
  {
    name: 'folder',
    cause: 'a working directory that is a file',
    objects: [deployment('folder', { workingDir: '/etc/hostname' })],
    reason: 'RunContainerError|StartError|CrashLoopBackOff',
    says: 'Deployment "folder": container "web" cannot start: "/etc/hostname" has to be a folder, but is a file in the image',
    hint: 'Fix workingDir, or the mountPath of its volumeMounts.',
  },
  {
    name: 'pod-deadline',
    cause: 'a Pod that takes longer than it may',
    objects: [
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'pod-deadline' },
        spec: {
          restartPolicy: 'Never',
          activeDeadlineSeconds: 4,
          containers: [container({ env: { NEVER_READY: 'true' } })],
        },
      },
    ],
    reason: 'DeadlineExceeded',
    says: /^Pod "pod-deadline": failed: Pod was active on the node longer than the specified deadline/,
    hint: 'Find out why it takes so long, or raise activeDeadlineSeconds.',
  },
];

const admission: BrokenCase[] = [
  {
    name: 'no-limits',
    cause: 'a quota for what the pods do not set',
    objects: [deployment('no-limits')],
    before: () => [
      { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'cpu' }, spec: { hard: { 'limits.cpu': '8' } } },
    ],
    reason: 'FailedCreate',
    says: 'Deployment "no-limits": pods cannot be created: ResourceQuota "cpu" requires limits.cpu for: web, which the pod does not set',
    hint: "Set it in the container's resources, or give the namespace a LimitRange with a default.",
  },
  {
    name: 'no-runtime',
    cause: 'a RuntimeClass that is not there',
    objects: [deployment('no-runtime', { pod: { runtimeClassName: 'gvisor' } })],
    reason: 'FailedCreate',
    says: 'Deployment "no-runtime": pods cannot be created: there is no RuntimeClass "gvisor"',
    hint: 'Fix runtimeClassName, or create the RuntimeClass.',
  },
  {
    name: 'quota',
    cause: 'a quota that is used up',
    objects: [deployment('quota')],
    before: () => [
      { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'pods' }, spec: { hard: { pods: '0' } } },
    ],
    reason: 'FailedCreate',
    says: 'Deployment "quota": pods cannot be created: the quota is exhausted: ResourceQuota "pods" (requested: pods=1, used: pods=0, limited: pods=0)',
    hint: 'Raise the ResourceQuota, or lower the pod requests.',
  },
  {
    name: 'limits',
    cause: 'more memory than the LimitRange allows',
    objects: [deployment('limits', { resources: { limits: { memory: '1Gi' } } })],
    before: () => [
      {
        apiVersion: 'v1',
        kind: 'LimitRange',
        metadata: { name: 'sizes' },
        spec: { limits: [{ type: 'Container', max: { memory: '512Mi' } }] },
      },
    ],
    reason: 'FailedCreate',
    says: 'Deployment "limits": pods cannot be created: maximum memory usage per Container is 512Mi, but limit is 1Gi',
    hint: 'Make the resources of its containers fit the LimitRange of the namespace.',
  },
  {
    name: 'security',
    cause: 'a pod below the security level of its namespace',
    objects: [deployment('security')],
    before: (namespace) => [
      {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
      },
    ],
    reason: 'FailedCreate',
    says: /^Deployment "security": pods cannot be created: violates PodSecurity "restricted:latest": .*runAsNonRoot != true/,
    hint: "Make the pod's securityContext meet the Pod Security level of the namespace.",
  },
  {
    name: 'policy',
    cause: 'a policy that denies the pods',
    objects: [deployment('policy')],
    before: policy,
    untilRefused: true,
    reason: 'FailedCreate',
    says: 'Deployment "policy": pods cannot be created: ValidatingAdmissionPolicy \'shop\' with binding \'shop\' denied request: every pod needs the label "team"',
    hint: 'Change the pod to comply with this policy.',
  },
  {
    name: 'no-account',
    cause: 'a ServiceAccount that is not there',
    objects: [deployment('no-account', { pod: { serviceAccountName: 'deployer' } })],
    reason: 'FailedCreate',
    says: 'Deployment "no-account": pods cannot be created: there is no ServiceAccount "deployer"',
    hint: 'Add the ServiceAccount to the manifests, or fix serviceAccountName.',
  },
  {
    name: 'no-account-set',
    cause: 'a StatefulSet with a ServiceAccount that is not there',
    objects: [asKind('StatefulSet', deployment('no-account-set', { pod: { serviceAccountName: 'deployer' } }))],
    reason: 'FailedCreate',
    says: 'StatefulSet "no-account-set": pods cannot be created: there is no ServiceAccount "deployer"',
    hint: 'Add the ServiceAccount to the manifests, or fix serviceAccountName.',
  },
  {
    name: 'no-priority',
    cause: 'a PriorityClass that is not there',
    objects: [deployment('no-priority', { pod: { priorityClassName: 'urgent' } })],
    reason: 'FailedCreate',
    says: 'Deployment "no-priority": pods cannot be created: there is no PriorityClass "urgent"',
    hint: 'Fix priorityClassName, or create the PriorityClass.',
  },
];

export const brokenCases: readonly BrokenCase[] = [
  ...images,
  ...configuration,
  ...programs,
  ...probes,
  ...nodes,
  ...waits,
  ...starts,
  ...admission,
];

function tooLarge(resource: string): string {
  return `No eligible node has that much ${resource}, even when empty: add larger nodes, or lower the pod requests.`;
}

/** A term of an affinity: pods of this app on the same node. */
function beside(app: string) {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } };
  return { requiredDuringSchedulingIgnoredDuringExecution: [term] };
}

function ephemeral(spec: object) {
  const asked = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec };
  return { ephemeral: { volumeClaimTemplate: { spec: asked } } };
}

/** With more labels on the pods. */
function labelled(made: ReturnType<typeof deployment>, labels: Readonly<Record<string, string>>) {
  const { template } = made.spec;
  const metadata = { labels: { ...template.metadata.labels, ...labels } };
  return { ...made, spec: { ...made.spec, template: { ...template, metadata } } };
}

function sidecar(name: string) {
  const env = Object.entries({ ...crash, PORT: '9090', TLS_PORT: '9443' }).map(([key, value]) => ({
    name: key,
    value,
  }));
  return { name, image: sampleImage, env };
}

function job(name: string, spec: object, args: readonly string[]) {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'migrate', image: sampleImage, args }] } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template, ...spec } };
}

function claim(name: string, spec: object) {
  const asked = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec };
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name }, spec: asked };
}

function withVariable(name: string, valueFrom: object) {
  return deployment(name, { pod: { containers: [{ ...container(), env: [{ name: 'VALUE', valueFrom }] }] } });
}

function withVolume(name: string, source: object) {
  return deployment(name, {
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    pod: { volumes: [{ name: 'data', ...source }] },
  });
}

/** A workload of another kind with the pods of a Deployment. */
function asKind(kind: 'StatefulSet' | 'DaemonSet', from: ReturnType<typeof deployment>) {
  const { replicas, ...spec } = from.spec;
  return { ...from, kind, spec: kind === 'DaemonSet' ? spec : { replicas, serviceName: from.metadata.name, ...spec } };
}

/** Denies the pods of one namespace; the objects belong to no namespace and carry its name. */
function policy(namespace: string): object[] {
  const apiVersion = 'admissionregistration.k8s.io/v1';
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] };
  return [
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: namespace },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "'team' in object.metadata.labels", message: 'every pod needs the label "team"' }],
      },
    },
    {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name: namespace },
      spec: {
        policyName: namespace,
        validationActions: ['Deny'],
        matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
      },
    },
  ];
}
