/**
 * The one table of inputs: action.yml, the README and what `readInputs` accepts all come from it. Which command and which strategy
 * takes an input stands with these (`src/commands/index.ts`, `src/strategies/traits.ts`). After a change run `script/docs`.
 */
import { longestReason } from '../base/reason.ts';
import type { AnyCommand } from '../commands/command.ts';
import { commandNames, commands, type CommandName } from '../commands/index.ts';
import type { CommandInputId } from '../commands/inputs.ts';
import { endpointKinds } from '../google/choose-endpoint.ts';
import { strategies, strategyNames, type StrategyName } from '../strategies/traits.ts';

interface Definition {
  /** What the runner gives where the workflow does not: an expression, which it evaluates. */
  runnerDefault?: string;
  /** What it is for, in sentences; the first one says it all. Markdown, wrapped by the generator. */
  description: string;
  /**
   * A value as it stands in a workflow after `name:`, without indentation. No expression: the runner evaluates those in
   * descriptions too, and then refuses the whole action.
   */
  example: string;
}

/** Who takes it, as commands and strategies declare it. */
interface Takers {
  /** The commands on which it has an effect; all of them when absent. */
  commands?: readonly CommandName[];
  /** Likewise for the strategies of commands that have one. */
  strategies?: readonly StrategyName[];
  /** The commands that cannot do without it. */
  required?: readonly CommandName[];
}

interface Format {
  pattern: RegExp;
  /** Completes "…, which is not a valid ": what a value must be. */
  name: string;
  /** One imperative sentence. */
  hint: string;
}

type InputContent = Definition &
  (
    | { type: 'string'; format?: Format; default?: undefined }
    /** Text of the user's own, which is shown again: one line of so many characters at most. */
    | { type: 'sentence'; longest: number; default?: undefined }
    | { type: 'lines'; default?: undefined }
    /** Several lines that belong together; absent when not given. */
    | { type: 'text'; default?: undefined }
    | { type: 'boolean'; default: 'true' | 'false' }
    | { type: 'duration'; default?: string; mayBeZero?: true }
    | { type: 'percents'; default: string }
    | { type: 'choice'; values: readonly string[]; default: string }
  );

/** RFC 1123: what a namespace may be called. A release gives its name to a label and to Secrets. */
const dnsLabel: Format = {
  pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  name: 'name',
  hint: 'Use at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.',
};

export type InputDefinition = InputContent & Takers;

/** What is of use beside `cluster`, and to GKE only. */
export const gkeInputs = [
  'location',
  'project',
  'endpoint',
  'fleet-membership',
  'workload-identity-provider',
  'service-account',
  'credentials-json',
  'access-token',
  'quota-project',
  'universe-domain',
  'export-kubeconfig',
] as const;

/** They say which command it is, of which release and where; every command takes them. */
const inputsOfAll = [
  'command',
  'namespace',
  'release',
  'kubeconfig',
  'context',
  'cluster',
  ...gkeInputs,
  'github-token',
] as const;

export type InputId = CommandInputId | (typeof inputsOfAll)[number];

const definitions = {
  command: {
    type: 'choice',
    values: commandNames,
    default: 'deploy',
    description: 'The command to run.',
    example: 'rollback',
  },
  strategy: {
    type: 'choice',
    values: strategyNames,
    default: 'rolling',
    description: 'How a deploy rolls out the new version.',
    example: 'rolling',
  },
  manifests: {
    type: 'lines',
    description:
      'The Kubernetes manifests: files, folders (with everything in them; a kustomization is built) and globs, one per line, relative to the workspace.',
    example: '|\n  deployments/\n  services/*.yaml',
  },
  'image-tag': {
    type: 'string',
    description:
      'The tag or digest (`sha256:…`) for the one image repository that the containers use. Images pinned by digest in the manifests, and those set by `images`, stay as they are.',
    example: '1.4.2',
  },
  images: {
    type: 'lines',
    description:
      'Images to set in the manifests, one per line: `REPOSITORY:TAG` or `REPOSITORY@DIGEST` for every container of that repository, or `OLD=NEW` to replace the repository too. A line that matches no container is an error.',
    example: '|\n  registry.example.com/shop/web:1.4.2\n  registry.example.com/shop/worker:1.4.2',
  },
  replicas: {
    type: 'lines',
    description:
      'The number of pods: a number if there is one workload, otherwise one `NAME=NUMBER` or `KIND/NAME=NUMBER` per line.',
    example: '|\n  web=5\n  StatefulSet/db=3',
  },
  'canary-steps': {
    type: 'percents',
    default: '25',
    description:
      'The shares of requests that a canary gets, in percent, step by step. With plain Services the share is set by the number of pods: the closest match, but at least one pod.',
    example: '10, 25, 50',
  },
  'step-duration': {
    type: 'duration',
    default: '1m',
    mayBeZero: true,
    description: 'How long each step of a canary is observed before the next one.',
    example: '5m',
  },
  'auto-promote': {
    type: 'boolean',
    default: 'true',
    description:
      'Roll out the new version once all checks of the canary have passed. With `false` the run stops there and waits for approval (status `waiting`): a run of `promote` or `abort` decides.',
    example: 'false',
  },
  'constant-total': {
    type: 'boolean',
    default: 'false',
    description:
      'For scarce capacity: keep the total number of pods constant, by scaling stable pods down as canary pods are added.',
    example: 'true',
  },
  'keep-old-for': {
    type: 'duration',
    default: '1m',
    mayBeZero: true,
    description:
      'How long the previous side is kept after a switch, so a rollback only has to switch back. The run waits that long.',
    example: '10m',
  },
  'session-affinity': {
    type: 'string',
    format: { pattern: /^(none|client-ip)$/, name: 'session affinity', hint: 'Use none or client-ip.' },
    description:
      'Whether Services with outside traffic send all requests of a client address to the same pod: `none` or `client-ip`. By default as in the manifests.',
    example: 'client-ip',
  },
  'session-affinity-services': {
    type: 'lines',
    description:
      'The Services that `session-affinity` applies to, one name per line. By default those in the manifests of type LoadBalancer or NodePort, or behind an Ingress or a route.',
    example: '|\n  web\n  chat',
  },
  'session-affinity-timeout': {
    type: 'duration',
    default: '3h',
    description: 'How long a client address sticks to its pod.',
    example: '30m',
  },
  namespace: {
    type: 'string',
    format: dnsLabel,
    description:
      "The namespace of the release. By default that of the kubeconfig's context. A preview has its own namespace: objects that the manifests put into this one go there instead.",
    example: 'shop',
  },
  'create-namespace': {
    type: 'boolean',
    default: 'false',
    description: 'Create the namespace if it does not exist. An undo does not delete it.',
    example: 'true',
  },
  release: {
    type: 'string',
    format: dnsLabel,
    description:
      'The name of the release: everything that is deployed together. By default the name of the repository. Use one name per component when a repository deploys several into one namespace.',
    example: 'shop',
  },
  'take-from-release': {
    type: 'string',
    description:
      'Another release whose objects this one may take over permanently. Without it, an object of another release is an error that names both.',
    example: 'old-shop',
  },
  'adopt-release': {
    type: 'string',
    format: dnsLabel,
    description:
      'The former name of this release: its history moves here along with its objects, and none stays under the old name.',
    example: 'old-shop',
  },
  configmaps: {
    type: 'lines',
    description:
      'ConfigMaps to create from files, one per line: `NAME=SOURCE[,SOURCE…]`, where a source is a file, a folder or `KEY=FILE`. A key cannot contain `=`, a path can. Content that is not UTF-8 goes into `binaryData`.',
    example: '|\n  frontend-config=config/frontend.conf',
  },
  secrets: {
    type: 'lines',
    description:
      'Secrets to create from files, in the same form. `NAME:TYPE=…` sets the type. Their content never shows in logs.',
    example: '|\n  tls-certs:kubernetes.io/tls=tls/tls.crt,tls/tls.key',
  },
  'restart-on-config': {
    type: 'boolean',
    default: 'true',
    description:
      'Replace pods when a ConfigMap or Secret of the release that they read changes. With `false` they keep running, for applications that reload by themselves; the annotation `gke-rollout/restart-on-config: "false"` does so for one workload. See [docs/config.md](docs/config.md).',
    example: 'false',
  },
  workload: {
    type: 'string',
    format: {
      pattern: /^([A-Za-z]+\/)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
      name: 'workload name',
      hint: 'Use NAME or KIND/NAME, such as Deployment/web.',
    },
    description:
      'The one Deployment, StatefulSet or DaemonSet to act on, as `NAME` or `KIND/NAME`. A rollback then uses the revisions that Kubernetes itself keeps of it. Needed for workloads deployed by other tools, if the namespace has several.',
    example: 'Deployment/web',
  },
  'to-revision': {
    type: 'string',
    format: {
      pattern: /^[1-9]\d*$/,
      name: 'revision number',
      hint: 'The command "status" lists the revisions.',
    },
    description:
      'The revision to roll back to. By default the last one that was live before the current one. With `workload`, its number in Kubernetes.',
    example: '41',
  },
  prune: {
    type: 'boolean',
    default: 'false',
    description:
      'Remove objects that later revisions added. Otherwise they are listed and kept. What may hold data is always kept: claims, volumes, namespaces and CustomResourceDefinitions.',
    example: 'true',
  },
  force: {
    type: 'boolean',
    default: 'false',
    description:
      'Promote a canary without checking first that it is ready, is what was deployed, and passes the checks of its deploy.',
    example: 'true',
  },
  verify: {
    type: 'text',
    description:
      'HTTP checks that must pass before the new version counts as good, one per line: `PATH [STATUS]`, `URL …` or `service/NAME:PORT/PATH …`; or a YAML list with error rates, latencies and the share of traffic. A promotion repeats those of its deploy, or runs these. See docs/verify.md.',
    example: '|\n  /healthz\n  service/web:80/version 200 json .version == {version}',
  },
  timeout: {
    type: 'duration',
    default: '10m',
    description:
      'The time limit for all waits of a run together, until workloads are ready and checks have passed: `90s`, `10m`, `1h30m`. Steps of a canary do not count.',
    example: '15m',
  },
  'no-progress-timeout': {
    type: 'duration',
    mayBeZero: true,
    description:
      'Fail the run if nothing that it waits for makes progress for this long, however much of `timeout` is left: no pod reaches its next stage, and no percentage in its log rises. `0s` switches it off. By default 10m, and only for pods whose log says how far they are, such as model servers that load shards. Time in a queue, or while an autoscaler adds a node, does not count. See docs/models.md.',
    example: '5m',
  },
  'unschedulable-grace': {
    type: 'duration',
    default: '2m',
    description:
      'How long a pod may be unschedulable before the run fails. The wait goes on while a cluster autoscaler reports that it is adding a node; raise it where GPU nodes take long, or where nodes are added by other means.',
    example: '15m',
  },
  await: {
    type: 'text',
    description:
      'When custom resources are ready or have failed, one rule per line: `KIND.GROUP ready PATH == VALUE`, `KIND.GROUP ready condition TYPE`, `KIND.GROUP failed … after 60s` or `KIND.GROUP never`; with `/NAME` after the group for one object. It replaces the built-in rule of the kind. See [docs/rollout-rules.md](docs/rollout-rules.md).',
    example:
      '|\n  Widget.example.com ready .status.phase == Running\n  Widget.example.com failed .status.phase == Error after 60s',
  },
  'pause-timeout': {
    type: 'duration',
    default: '1h',
    description:
      'How long to wait if somebody pauses the rollout during the run. This time does not count towards `timeout`. When it is over, the run fails and leaves everything as it is.',
    example: '4h',
  },
  'on-low-capacity': {
    type: 'choice',
    values: ['fail', 'warn', 'in-place'],
    default: 'fail',
    description:
      'What to do when nodes or quotas have no capacity for the new pods next to the old ones: fail before the first change, or warn and try anyway. With `in-place`, a rolling update that certainly cannot start for lack of a device, such as a GPU, replaces its pods one at a time: this run uses `maxSurge: 0` and `maxUnavailable: 1`, then restores your values. Anything else fails as with `fail`. See docs/models.md.',
    example: 'in-place',
  },
  'longest-request': {
    type: 'duration',
    default: '0s',
    mayBeZero: true,
    description:
      'How long the longest request takes, such as a stream of tokens. Before the first change, the run warns of grace periods, time-outs of load balancers and routes, and a `keep-old-for` that would cut it, with the value to set. With `0s` it warns only of model servers that end requests early whatever their length. See docs/models.md.',
    example: '5m',
  },
  'undo-on-failure': {
    type: 'boolean',
    default: 'true',
    description: 'If the run fails, restore the previous state. With `false` everything is left as it is.',
    example: 'false',
  },
  'undo-timeout': {
    type: 'duration',
    default: '5m',
    description: 'The time limit for the undo, which does not count towards `timeout`.',
    example: '10m',
  },
  reason: {
    type: 'sentence',
    longest: longestReason,
    description:
      'The reason for the run in your own words, at most 200 characters. `status` and the history show it with who started the run; so do messages about a rollout that it paused.',
    example: 'load test until 15:00',
  },
  'force-conflicts': {
    type: 'boolean',
    default: 'false',
    description:
      'Take over fields owned by another field manager, such as helm or a controller. Without it such a conflict is an error that names the field and its owner.',
    example: 'true',
  },
  'pull-request': {
    type: 'string',
    format: {
      pattern: /^[1-9]\d{0,8}(@[0-9a-f]{40})?$/,
      name: 'pull request number',
      hint: 'Use its number, such as 7, or 7@ and the full hash of a commit.',
    },
    description:
      'The number of the pull request of a preview. By default that of the event; needed with `workflow_dispatch`.',
    example: '7',
  },
  'preview-namespace': {
    type: 'string',
    description:
      'The name of the namespace of a preview, with `{release}` and `{number}`. By default `{release}-pr-{number}`. If it gets too long the release is shortened, never the number.',
    example: 'preview-{release}-{number}',
  },
  'preview-host': {
    type: 'string',
    description:
      'The host of a preview, with `{number}`, `{release}` and `{host-label}` (the first label of the host in the manifests): set in Ingresses and routes. Use one label under a wildcard record and certificate.',
    example: 'pr-{number}-{release}.preview.example.com',
  },
  'preview-gpus': {
    type: 'string',
    format: {
      pattern: /^\d{1,4}$/,
      name: 'number of GPUs',
      hint: 'Use a number, such as 1.',
    },
    description: 'How many NVIDIA GPUs the pods of a preview may request in total. By default none.',
    example: '1',
  },
  'preview-ttl': {
    type: 'duration',
    default: '72h',
    description: 'How long a preview lives after its last deploy; `teardown` removes it then.',
    example: '24h',
  },
  'preview-limit': {
    type: 'string',
    format: {
      pattern: /^[1-9]\d{0,3}$/,
      name: 'number of previews',
      hint: 'Use a number from 1, such as 10.',
    },
    description:
      'The maximum number of previews of the release. One more is skipped, and the run lists the existing ones.',
    example: '10',
  },
  'preview-when': {
    type: 'string',
    format: {
      pattern: /^(always|ready|label:.+)$/,
      name: 'preview rule',
      hint: 'Use always, ready (no drafts) or label:NAME.',
    },
    description:
      'Which pull requests get a preview: `always`, `ready` (no drafts) or `label:NAME`. By default always. Removing the label removes the preview.',
    example: 'label:preview',
  },
  'preview-keep-label': {
    type: 'string',
    description: 'A label on a pull request that keeps its preview from expiring. By default `preview-keep`.',
    example: 'preview-keep',
  },
  'preview-until': {
    type: 'choice',
    values: ['closed', 'branch-deleted'],
    default: 'closed',
    description: 'How long a pull request has a preview: until it is closed, or until its branch is deleted.',
    example: 'branch-deleted',
  },
  'preview-role': {
    type: 'string',
    description:
      'A ClusterRole that a preview binds to its own user in the namespace it creates, so that user needs no rights in other namespaces. See docs/previews.md.',
    example: 'gke-rollout-preview',
  },
  forks: {
    type: 'choice',
    values: ['skip', 'approved'],
    default: 'skip',
    description:
      'What to do with pull requests from forks: no preview (`skip`), or a preview if the job requires approval through an environment (`approved`). See docs/previews.md.',
    example: 'approved',
  },
  'copy-secrets': {
    type: 'lines',
    description:
      'Secrets that a preview gets a copy of, one per line: `NAMESPACE/NAME`, or `NAMESPACE/NAME as OTHER`. They are copied again with each deploy.',
    example: '|\n  staging/registry-pull\n  staging/app-config as app',
  },
  'copy-configmaps': {
    type: 'lines',
    description: 'The same for ConfigMaps.',
    example: '|\n  staging/features',
  },
  'namespace-labels': {
    type: 'lines',
    description:
      'Labels for the namespace of a preview, one `KEY=VALUE` per line: for example, the one that lets its routes use a shared Gateway.',
    example: '|\n  shared-gateway=true',
  },
  isolation: {
    type: 'choice',
    values: ['none', 'default', 'fork'],
    default: 'default',
    description:
      'How a preview is isolated: `default` has a quota, limits, a NetworkPolicy and Pod Security labels, `fork` is stricter, `none` has none of these. See docs/previews.md.',
    example: 'fork',
  },
  'cluster-scoped': {
    type: 'choice',
    values: ['fail', 'skip'],
    default: 'fail',
    description:
      'What to do with cluster-scoped objects in the manifests: fail and list them, or skip them in a preview, which then uses the existing ones.',
    example: 'skip',
  },
  comment: {
    type: 'choice',
    values: ['true', 'on-failure', 'false'],
    default: 'true',
    description:
      'Whether to report a preview in one comment on the pull request, which each run edits. The job summary always has the same.',
    example: 'on-failure',
  },
  'comment-author': {
    type: 'string',
    description:
      'The login that `github-token` comments as, if it is not the token of the job. By default `github-actions[bot]`.',
    example: 'acme-deployer[bot]',
  },
  teardown: {
    type: 'choice',
    values: ['this', 'expired', 'all-closed'],
    default: 'this',
    description:
      'Which previews to remove: that of this pull request, all expired ones, or also all whose pull request is closed.',
    example: 'all-closed',
  },
  'dry-run': {
    type: 'boolean',
    default: 'false',
    description: 'Only report what would be removed.',
    example: 'true',
  },
  environment: {
    type: 'string',
    format: {
      pattern: /^[^\r\n]{1,255}$/,
      name: 'environment name',
      hint: 'Use at most 255 characters on one line.',
    },
    description:
      'The GitHub environment that this run deploys to: GitHub then shows what runs there, since when and at which URL. It needs `deployments: write`; a job that declares the same environment has to set `deployment: false`. See [docs/github.md](docs/github.md).',
    example: 'production',
  },
  'github-token': {
    type: 'string',
    runnerDefault: '${{ github.token }}',
    description: 'The token for the GitHub API. By default that of the job, with its `permissions:`.',
    example: 'ghs_example',
  },
  kubeconfig: {
    type: 'string',
    description:
      'A kubeconfig: its path, or its content from a secret, as is or in base64. By default the files in the environment variable `KUBECONFIG`, then `~/.kube/config`. Tokens, keys and passwords are masked. See docs/secrets.md.',
    example: '.kube/staging.yaml',
  },
  context: {
    type: 'string',
    description: 'The context of the kubeconfig to use. By default the current one.',
    example: 'staging',
  },
  cluster: {
    type: 'string',
    description:
      'The GKE cluster to deploy to, instead of a kubeconfig: its short name, or `projects/PROJECT/locations/LOCATION/clusters/NAME`. See [docs/gke.md](docs/gke.md).',
    example: 'bootcamp',
  },
  location: {
    type: 'string',
    description: 'The zone or region of `cluster`, if its name does not include it.',
    example: 'us-central1',
  },
  project: {
    type: 'string',
    description:
      'The project of `cluster`. By default that of `GOOGLE_CLOUD_PROJECT` and the like, or else of the credentials.',
    example: 'acme-shop',
  },
  endpoint: {
    type: 'choice',
    values: endpointKinds,
    default: 'auto',
    description:
      'How to reach the API server of `cluster`. `auto` uses the public address or the DNS endpoint, whichever is open to this runner, else the internal address.',
    example: 'dns',
  },
  'fleet-membership': {
    type: 'string',
    description:
      'The fleet membership for `endpoint: connect-gateway`, by its short or full name. By default that of `cluster`.',
    example: 'bootcamp',
  },
  'workload-identity-provider': {
    type: 'string',
    format: {
      pattern:
        /^(?:(?:https:)?\/\/iam\.[^/]+\/)?projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+$/,
      name: 'provider name',
      hint: 'Use projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, with the number of the project, not its id.',
    },
    description:
      'Sign in to Google Cloud with the OIDC token of the job, which needs `id-token: write`: the full name of the Workload Identity provider. Without any sign-in input, the credentials of google-github-actions/auth are used, then the metadata server.',
    example: 'projects/123456789012/locations/global/workloadIdentityPools/github/providers/acme',
  },
  'service-account': {
    type: 'string',
    format: {
      pattern: /^[^@\s]+@[^@\s]+$/,
      name: 'service account e-mail address',
      hint: 'Use NAME@PROJECT.iam.gserviceaccount.com.',
    },
    description: 'The service account to impersonate after signing in with `workload-identity-provider`.',
    example: 'deployer@acme-shop.iam.gserviceaccount.com',
  },
  'credentials-json': {
    type: 'string',
    description:
      'Sign in with the content of a credentials file, from a secret: the key of a service account, an external account or an authorized user.',
    example: '\'{"type": "service_account"}\'',
  },
  'access-token': {
    type: 'string',
    description:
      'Sign in with an access token from an earlier step. It cannot be renewed, so the run must end before it expires.',
    example: 'ya29.example',
  },
  'quota-project': {
    type: 'string',
    description: 'The quota project: the one that Google API calls of this action count against.',
    example: 'acme-shop',
  },
  'universe-domain': {
    type: 'string',
    format: {
      pattern: /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i,
      name: 'domain',
      hint: 'Use a domain such as googleapis.com.',
    },
    description: 'The domain of a Google Cloud universe other than `googleapis.com`.',
    example: 'example-universe.com',
  },
  'export-kubeconfig': {
    type: 'boolean',
    default: 'false',
    description:
      'Let later steps of the job use kubectl on `cluster`: sets `KUBECONFIG` to a file without tokens, which uses gke-gcloud-auth-plugin. The post step removes it.',
    example: 'true',
  },
} as const satisfies Readonly<Record<InputId, InputContent>>;

type Definitions = typeof definitions;

/** Every input with what it is and who takes it, in the order in which they are documented. */
export const inputTable = Object.fromEntries(
  Object.entries(definitions).map(([id, definition]) => [id, { ...definition, ...takersOf(id) }]),
) as { readonly [Id in InputId]: Definitions[Id] & Takers };

function takersOf(id: string): Takers {
  if (inputsOfAll.some((one) => one === id)) return {};
  const taking = (take: (command: AnyCommand) => readonly string[]) =>
    commandNames.filter((name) => take(commands[name]).includes(id));
  const required = taking((command) => command.required);
  const own = strategyNames.filter((name) => strategies[name].inputs.some((input) => input === id));
  return {
    commands: taking((command) => command.inputs),
    ...(required.length === 0 ? {} : { required }),
    ...(own.length === 0 ? {} : { strategies: own }),
  };
}
