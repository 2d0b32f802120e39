import type { OnLowCapacity } from '../capacity/report.ts';
import type { StrategyName } from '../strategies/traits.ts';

/**
 * What the inputs of commands hold once they are read. `src/action/` reads them and says what they are for; which command takes
 * which stands with the command. A list that was not given is empty, a text that was not given is absent; durations are in ms.
 */
export interface CommandInputs {
  strategy: StrategyName;
  /** Files, folders (of kustomize too) and globs. */
  manifests: readonly string[];
  imageTag?: string;
  images: readonly string[];
  /** `5`, `web=5`, `StatefulSet/db=3` */
  replicas: readonly string[];
  /** Percent of the requests, growing. */
  canarySteps: readonly number[];
  stepDurationMs: number;
  autoPromote: boolean;
  constantTotal: boolean;
  /** How long the side that served before stays after a switch. */
  keepOldForMs: number;
  sessionAffinity?: string;
  sessionAffinityServices: readonly string[];
  sessionAffinityTimeoutMs: number;
  createNamespace: boolean;
  /** Another release, whose objects this one may take. */
  takeFromRelease?: string;
  /** What this release was called until now. */
  adoptRelease?: string;
  configmaps: readonly string[];
  secrets: readonly string[];
  /** Whether pods are made anew when config changes that they read. */
  restartOnConfig: boolean;
  /** `Deployment/web` or `web`: this one alone. */
  workload?: string;
  /** A revision number; by default the last one that was live before what is live now. */
  toRevision?: string;
  /** Remove objects that the revision does not have and a later one has added. */
  prune: boolean;
  /** Promote what may not be ready, or not be what was deployed. */
  force: boolean;
  /** Checks, as `docs/verify.md` has them. */
  verify?: string;
  /** For everything that is awaited together, from the first write on. */
  timeoutMs: number;
  /** How long a pod may fit on no node before the wait ends. */
  unschedulableGraceMs: number;
  /** How long a rollout that somebody pauses is waited for; that time is none of `timeoutMs`. */
  pauseTimeoutMs: number;
  /** Rules for when custom resources are ready or have failed, as `docs/rollout-rules.md` has them. */
  await?: string;
  /** How long a wait may go without a step forward; 0: for ever; absent: 10 minutes, of starts that say how far they are. */
  noProgressTimeoutMs?: number;
  onLowCapacity: OnLowCapacity;
  /** How long the longest request takes; 0: nobody says. */
  longestRequestMs: number;
  undoOnFailure: boolean;
  undoTimeoutMs: number;
  forceConflicts: boolean;
  /** The number of the pull request; absent: that of the event. */
  pullRequest?: string;
  /** `{release}-pr-{number}` */
  previewNamespace?: string;
  /** `pr-{number}-{release}.preview.example.com` */
  previewHost?: string;
  /** How many GPUs of NVIDIA a preview may ask for in all, as a number. */
  previewGpus?: string;
  /** Since the last deploy. */
  previewTtlMs: number;
  /** How many previews of the release there may be at once, as a number. */
  previewLimit?: string;
  /** `always`, `ready` or `label:NAME` */
  previewWhen?: string;
  /** A label by which a preview does not expire. */
  previewKeepLabel?: string;
  previewUntil: 'closed' | 'branch-deleted';
  /** A ClusterRole that the run binds to itself in the namespace that it makes. */
  previewRole?: string;
  forks: 'skip' | 'approved';
  /** `NAMESPACE/NAME` or `NAMESPACE/NAME as OTHER` */
  copySecrets: readonly string[];
  copyConfigmaps: readonly string[];
  /** `KEY=VALUE` */
  namespaceLabels: readonly string[];
  isolation: 'none' | 'default' | 'fork';
  clusterScoped: 'fail' | 'skip';
  comment: 'true' | 'on-failure' | 'false';
  /** The login that comments of the token have. */
  commentAuthor?: string;
  teardown: 'this' | 'expired' | 'all-closed';
  dryRun: boolean;
  /** Why the run is started, one line: it is kept with who has started it, as the identity of the run. */
  reason?: string;
  /** GitHub's name of what is deployed to; what runs there is recorded under it. */
  environment?: string;
}

/** `toRevision` → `to-revision` */
type Kebab<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${Kebab<Tail>}`
    : `-${Lowercase<Head>}${Kebab<Tail>}`
  : Name;

/** `undoTimeoutMs` → `undo-timeout`: a workflow says the unit beside the number. */
type IdOf<Property extends string> = Property extends `${infer Name}Ms` ? Kebab<Name> : Kebab<Property>;

/** What the inputs of commands are called in a workflow. */
export type CommandInputId = IdOf<keyof CommandInputs>;

/** The values of these inputs. */
export type ValuesOf<Id extends CommandInputId> = {
  [Property in keyof CommandInputs as IdOf<Property> extends Id ? Property : never]: CommandInputs[Property];
};
