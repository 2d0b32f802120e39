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
  /** Completes "…, which is no ": what a value must be. */
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
    | { type: 'duration'; default: string; mayBeZero?: true }
    | { type: 'percents'; default: string }
    | { type: 'choice'; values: readonly string[]; default: string }
  );

/** RFC 1123: what a namespace may be called. A release gives its name to a label and to Secrets. */
const dnsLabel: Format = {
  pattern: /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  name: 'valid name',
  hint: 'Use at most 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.',
};

export type InputDefinition = InputContent & Takers;

/** They say which command it is, of which release and where; every command takes them. */
const inputsOfAll = [
  'command',
  'namespace',
  'release',
  'kubeconfig',
  'context',
  'cluster',
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
  'github-token',
] as const;

export type InputId = CommandInputId | (typeof inputsOfAll)[number];

const definitions = {
  command: {
    type: 'choice',
    values: commandNames,
    default: 'deploy',
    description: 'What to do.',
    example: 'rollback',
  },
  strategy: {
    type: 'choice',
    values: strategyNames,
    default: 'rolling',
    description: 'How a deploy brings in the new version.',
    example: 'rolling',
  },
  manifests: {
    type: 'lines',
    description:
      'Where the Kubernetes manifests are: files, folders (with all that is in them; one with a kustomization is built) and globs, one per line, relative to the workspace.',
    example: '|\n  deployments/\n  services/*.yaml',
  },
  'image-tag': {
    type: 'string',
    description:
      'The tag or the digest (`sha256:…`) for the one image repository that the containers use. Images that the manifests pin by digest and those set by `images` stay as they are.',
    example: '1.4.2',
  },
  images: {
    type: 'lines',
    description:
      'Images to put into the manifests, one per line: `REPOSITORY:TAG` or `REPOSITORY@DIGEST` for every container of that repository, or `OLD=NEW` to replace the repository too. A line that matches no container is an error.',
    example: '|\n  registry.example.com/shop/web:1.4.2\n  registry.example.com/shop/worker:1.4.2',
  },
  replicas: {
    type: 'lines',
    description:
      'How many pods: a number where there is one workload, otherwise one `NAME=NUMBER` or `KIND/NAME=NUMBER` per line.',
    example: '|\n  web=5\n  StatefulSet/db=3',
  },
  'canary-steps': {
    type: 'percents',
    default: '25',
    description:
      'The shares of the requests that a canary gets, in percent, one after the other. Where a Service spreads requests over pods, the nearest number of pods is taken, at least one.',
    example: '10, 25, 50',
  },
  'step-duration': {
    type: 'duration',
    default: '1m',
    mayBeZero: true,
    description: 'How long each step of a canary is watched before the next one.',
    example: '5m',
  },
  'auto-promote': {
    type: 'boolean',
    default: 'true',
    description:
      'Bring the new version in when all checks of the candidate have passed. With `false` the candidate is left waiting (status `waiting`) until another run says `promote` or `abort`.',
    example: 'false',
  },
  'constant-total': {
    type: 'boolean',
    default: 'false',
    description:
      'For scarce capacity: as many pods as before in all, because stable pods make room for those of the canary.',
    example: 'true',
  },
  'keep-old-for': {
    type: 'duration',
    default: '1m',
    mayBeZero: true,
    description:
      'How long the side that served before stays after a switch, so that a rollback only has to switch back. The run waits that long.',
    example: '10m',
  },
  'session-affinity': {
    type: 'string',
    format: { pattern: /^(none|client-ip)$/, name: 'session affinity', hint: 'Write none or client-ip.' },
    description:
      'Whether the Services that requests from outside come to send all requests of one client address to the same pod: `none` or `client-ip`. By default as the manifests say.',
    example: 'client-ip',
  },
  'session-affinity-services': {
    type: 'lines',
    description:
      'The Services that `session-affinity` is meant for, one name per line. By default those of the manifests that are of type LoadBalancer or NodePort, or behind an Ingress or a route.',
    example: '|\n  web\n  chat',
  },
  'session-affinity-timeout': {
    type: 'duration',
    default: '3h',
    description: 'How long a client address stays with its pod.',
    example: '30m',
  },
  namespace: {
    type: 'string',
    format: dnsLabel,
    description:
      "The namespace of the release. By default that of the kubeconfig's context. A preview has one of its own, and takes what the manifests put into this one into that.",
    example: 'shop',
  },
  'create-namespace': {
    type: 'boolean',
    default: 'false',
    description: 'Make the namespace when there is none. An undo does not delete it.',
    example: 'true',
  },
  release: {
    type: 'string',
    format: dnsLabel,
    description:
      'The name under which what is deployed together is remembered. By default the name of the repository. Give one to each part when a repository deploys several parts into one namespace.',
    example: 'shop',
  },
  'take-from-release': {
    type: 'string',
    description:
      'Another release whose objects this one may take for good. Without it an object of another release is an error that names both.',
    example: 'old-shop',
  },
  'adopt-release': {
    type: 'string',
    format: dnsLabel,
    description:
      'What this release was called until now: its history comes along with its objects, and the old name has none any more.',
    example: 'old-shop',
  },
  configmaps: {
    type: 'lines',
    description:
      'ConfigMaps to make from files, one per line: `NAME=SOURCE[,SOURCE…]`, where a source is a file, a folder or `KEY=FILE`. A key has no `=`, a path may have some. What is no UTF-8 goes into `binaryData`.',
    example: '|\n  frontend-config=config/frontend.conf',
  },
  secrets: {
    type: 'lines',
    description:
      'Secrets to make from files, in the same form. `NAME:TYPE=…` sets the type. Their content shows in no log.',
    example: '|\n  tls-certs:kubernetes.io/tls=tls/tls.crt,tls/tls.key',
  },
  'restart-on-config': {
    type: 'boolean',
    default: 'true',
    description:
      'Replace pods when a ConfigMap or Secret of the release changes that they read. With `false` they keep running, for applications that reload by themselves; the annotation `gke-rollout/restart-on-config: "false"` says so for one workload. See [docs/config.md](docs/config.md).',
    example: 'false',
  },
  workload: {
    type: 'string',
    format: {
      pattern: /^([A-Za-z]+\/)?[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/,
      name: 'name of a workload',
      hint: 'Write NAME or KIND/NAME, such as Deployment/web.',
    },
    description:
      'The one Deployment, StatefulSet or DaemonSet to act on, as `NAME` or `KIND/NAME`. A rollback then goes by the revisions that Kubernetes itself keeps of it. Needed for what this action has not deployed, when the namespace has several workloads.',
    example: 'Deployment/web',
  },
  'to-revision': {
    type: 'string',
    format: {
      pattern: /^[1-9]\d*$/,
      name: 'revision number',
      hint: 'The command "status" lists the revisions there are.',
    },
    description:
      'The revision to go back to. By default the last one that was live before what is live now. With `workload`, the number that Kubernetes has given it.',
    example: '41',
  },
  prune: {
    type: 'boolean',
    default: 'false',
    description:
      'Remove objects that the revision does not have and a later one has added. Otherwise they are listed and left.',
    example: 'true',
  },
  force: {
    type: 'boolean',
    default: 'false',
    description:
      'Promote a candidate without asking first whether it is ready, is what was deployed, and passes the checks of its deploy.',
    example: 'true',
  },
  verify: {
    type: 'text',
    description:
      'Checks over HTTP that must pass before the new version counts as good, one per line: `PATH [STATUS]`, `URL …` or `service/NAME:PORT/PATH …`; or a YAML list with error rates, latencies and the share of traffic. A promotion asks those of its deploy again, or these. See docs/verify.md.',
    example: '|\n  /healthz\n  service/web:80/version 200 json .version == {version}',
  },
  timeout: {
    type: 'duration',
    default: '10m',
    description:
      'How long all waits of a run together may take, until workloads are ready and checks have passed: `90s`, `10m`, `1h30m`. Steps of a canary do not count.',
    example: '15m',
  },
  'unschedulable-grace': {
    type: 'duration',
    default: '2m',
    description:
      'How long a pod may fit on no node before the wait ends. While a cluster autoscaler says that it adds a node, it goes on; give more where nodes with GPUs take long, or come from elsewhere.',
    example: '15m',
  },
  'pause-timeout': {
    type: 'duration',
    default: '1h',
    description:
      'How long a rollout that somebody has paused meanwhile is waited for. That time does not count for `timeout`. When it is over the run fails, and all is left as it is.',
    example: '4h',
  },
  'on-low-capacity': {
    type: 'choice',
    values: ['fail', 'warn'],
    default: 'fail',
    description:
      'What to do when nodes or quotas have no room for the pods that come beside the old ones: stop before the first change, or say so and try.',
    example: 'warn',
  },
  'undo-on-failure': {
    type: 'boolean',
    default: 'true',
    description: 'When the run fails, bring back what was there before. With `false` all is left as it is.',
    example: 'false',
  },
  'undo-timeout': {
    type: 'duration',
    default: '5m',
    description: 'How long the undo may take, counted apart from `timeout`.',
    example: '10m',
  },
  reason: {
    type: 'sentence',
    longest: longestReason,
    description:
      'Why, in your own words, at most 200 characters: `status` and the history show it with who has started the run, and so does whatever is held up by a pause.',
    example: 'load test until 15:00',
  },
  'force-conflicts': {
    type: 'boolean',
    default: 'false',
    description:
      'Take over fields that another manager owns, such as helm or another controller. Without it such a conflict is an error that names the field and its owner.',
    example: 'true',
  },
  'pull-request': {
    type: 'string',
    format: {
      pattern: /^[1-9]\d{0,8}(@[0-9a-f]{40})?$/,
      name: 'number of a pull request',
      hint: 'Write its number, such as 7, or 7@ and the full hash of a commit.',
    },
    description:
      'The number of the pull request that a preview is of. By default that of the event; needed with `workflow_dispatch`.',
    example: '7',
  },
  'preview-namespace': {
    type: 'string',
    description:
      'What the namespace of a preview is called, with `{release}` and `{number}`. By default `{release}-pr-{number}`. Where it gets too long the release is cut, never the number.',
    example: 'preview-{release}-{number}',
  },
  'preview-host': {
    type: 'string',
    description:
      'Under which host a preview answers, with `{number}`, `{release}` and `{host-label}` (the first label of the host in the manifests): put into Ingresses and routes. Use one label under a wildcard record and certificate.',
    example: 'pr-{number}-{release}.preview.example.com',
  },
  'preview-gpus': {
    type: 'string',
    format: {
      pattern: /^\d{1,4}$/,
      name: 'number of GPUs',
      hint: 'Write a number, such as 1.',
    },
    description: 'How many GPUs of NVIDIA the pods of a preview may ask for in all. By default none.',
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
      hint: 'Write a number from 1 on, such as 10.',
    },
    description:
      'How many previews of the release there may be at once. One more is skipped, and the run names who holds the places.',
    example: '10',
  },
  'preview-when': {
    type: 'string',
    format: {
      pattern: /^(always|ready|label:.+)$/,
      name: 'rule for previews',
      hint: 'Write always, ready (no drafts) or label:NAME.',
    },
    description:
      'Which pull requests get a preview: `always`, `ready` (no drafts) or `label:NAME`. By default always. A label that is taken away takes the preview away.',
    example: 'label:preview',
  },
  'preview-keep-label': {
    type: 'string',
    description: 'A label of a pull request by which its preview does not expire. By default `preview-keep`.',
    example: 'preview-keep',
  },
  'preview-until': {
    type: 'choice',
    values: ['closed', 'branch-deleted'],
    default: 'closed',
    description: 'Until when a pull request has a preview: until it is closed, or until its branch is deleted.',
    example: 'branch-deleted',
  },
  'preview-role': {
    type: 'string',
    description:
      'A ClusterRole that a preview binds to its own user in the namespace that it makes, so that it needs no rights in others. See docs/previews.md.',
    example: 'gke-rollout-preview',
  },
  forks: {
    type: 'choice',
    values: ['skip', 'approved'],
    default: 'skip',
    description:
      'What becomes of pull requests from forks: no preview, or one because the job stands behind an environment that somebody approves. See docs/previews.md.',
    example: 'approved',
  },
  'copy-secrets': {
    type: 'lines',
    description:
      'Secrets that a preview gets a copy of, one per line: `NAMESPACE/NAME`, or `NAMESPACE/NAME as OTHER`. They are copied anew with each deploy.',
    example: '|\n  staging/registry-pull\n  staging/app-config as app',
  },
  'copy-configmaps': {
    type: 'lines',
    description: 'Likewise for ConfigMaps.',
    example: '|\n  staging/features',
  },
  'namespace-labels': {
    type: 'lines',
    description:
      'Labels for the namespace of a preview, one `KEY=VALUE` per line: such as the one by which a Gateway lets routes in.',
    example: '|\n  shared-gateway=true',
  },
  isolation: {
    type: 'choice',
    values: ['none', 'default', 'fork'],
    default: 'default',
    description:
      'What a preview is kept within: `default` has a quota, limits, a NetworkPolicy and Pod Security labels, `fork` is stricter, `none` has nothing of that. See docs/previews.md.',
    example: 'fork',
  },
  'cluster-scoped': {
    type: 'choice',
    values: ['fail', 'skip'],
    default: 'fail',
    description:
      'What becomes of objects in the manifests that belong to the whole cluster: an error that lists them, or left out of a preview, which then uses what is there.',
    example: 'skip',
  },
  comment: {
    type: 'choice',
    values: ['true', 'on-failure', 'false'],
    default: 'true',
    description:
      'Whether a preview is told of in one comment of the pull request, which each run edits. The job summary always has the same.',
    example: 'on-failure',
  },
  'comment-author': {
    type: 'string',
    description:
      'The login that comments of `github-token` have, where it is another token than that of the job. By default `github-actions[bot]`.',
    example: 'acme-deployer[bot]',
  },
  teardown: {
    type: 'choice',
    values: ['this', 'expired', 'all-closed'],
    default: 'this',
    description:
      'Which previews to remove: that of this pull request, all that have expired, or all whose pull request is closed as well.',
    example: 'all-closed',
  },
  'dry-run': {
    type: 'boolean',
    default: 'false',
    description: 'Only say what would be removed.',
    example: 'true',
  },
  environment: {
    type: 'string',
    format: {
      pattern: /^[^\r\n]{1,255}$/,
      name: 'name of an environment',
      hint: 'Use at most 255 characters on one line.',
    },
    description:
      'The environment of GitHub that this run deploys to: GitHub then shows what runs there, since when and at which URL. It needs `deployments: write`, and a job that does not declare the same environment without `deployment: false`. See [docs/github.md](docs/github.md).',
    example: 'production',
  },
  'github-token': {
    type: 'string',
    runnerDefault: '${{ github.token }}',
    description:
      'The token for what the action writes and reads on GitHub. By default that of the job, with the permissions of its `permissions:`.',
    example: 'ghs_example',
  },
  kubeconfig: {
    type: 'string',
    description:
      'A kubeconfig: its path, or its text from a secret, as it is or in base64. By default what the environment variable `KUBECONFIG` names, then `~/.kube/config`. Tokens, keys and passwords are masked. See docs/secrets.md.',
    example: '.kube/staging.yaml',
  },
  context: {
    type: 'string',
    description: 'The context of the kubeconfig to use. By default its current one.',
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
    description: 'The zone or region of `cluster`, where its name does not say it.',
    example: 'us-central1',
  },
  project: {
    type: 'string',
    description:
      'The project of `cluster`. By default what `GOOGLE_CLOUD_PROJECT` and the like say, or else the project of the credentials.',
    example: 'acme-shop',
  },
  endpoint: {
    type: 'choice',
    values: endpointKinds,
    default: 'auto',
    description:
      'Which way to the API server of `cluster`. `auto` takes the public address or the DNS endpoint, whichever is open to this runner, else the internal address.',
    example: 'dns',
  },
  'fleet-membership': {
    type: 'string',
    description:
      'The fleet membership that `endpoint: connect-gateway` leads to, by its short or full name. By default that of `cluster`.',
    example: 'bootcamp',
  },
  'workload-identity-provider': {
    type: 'string',
    format: {
      pattern:
        /^(?:(?:https:)?\/\/iam\.[^/]+\/)?projects\/\d+\/locations\/global\/workloadIdentityPools\/[^/]+\/providers\/[^/]+$/,
      name: 'name of a provider',
      hint: 'Write projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER, with the number of the project and not its id.',
    },
    description:
      'Sign in to Google Cloud with the OIDC token of the job, which needs `id-token: write`: the full name of the Workload Identity provider. Without any such input, what google-github-actions/auth left in the environment counts, then the metadata server.',
    example: 'projects/123456789012/locations/global/workloadIdentityPools/github/providers/acme',
  },
  'service-account': {
    type: 'string',
    format: {
      pattern: /^[^@\s]+@[^@\s]+$/,
      name: 'e-mail address of a service account',
      hint: 'Write NAME@PROJECT.iam.gserviceaccount.com.',
    },
    description: 'The service account to become after signing in by `workload-identity-provider`.',
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
      'Sign in with an access token made by a step before. It cannot be renewed, so the run must end before it does.',
    example: 'ya29.example',
  },
  'quota-project': {
    type: 'string',
    description: "The project that Google's APIs count the calls of this action for.",
    example: 'acme-shop',
  },
  'universe-domain': {
    type: 'string',
    format: {
      pattern: /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i,
      name: 'domain',
      hint: 'Write something like googleapis.com.',
    },
    description: 'The domain of a Google Cloud universe other than `googleapis.com`.',
    example: 'example-universe.com',
  },
  'export-kubeconfig': {
    type: 'boolean',
    default: 'false',
    description:
      'Let later steps of the job use kubectl on `cluster`: sets `KUBECONFIG` to a file that gets its tokens from gke-gcloud-auth-plugin and holds none. The post step removes it.',
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
